"""``vllm bench serve --save-result`` and SGLang's ``bench_serving``: one JSON object per load."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harpagon.instances.measurements.capacity import ServerLoad, judge_server_load
from harpagon.instances.measurements.documents import Result, read_results

if TYPE_CHECKING:
    from pathlib import Path

    from harpagon.instances.measurements.request import Request
    from harpagon.instances.measurements.verdicts import RowVerdict

_KIND = "result of vllm bench serve or SGLang's bench_serving"
_NO_LATENCY = (
    "no 99th percentile from end to end: time to the first token is not the answer; "
    "run with --percentile-metrics ttft,tpot,itl,e2el"
)


def read_vllm(path: Path, request: Request) -> list[RowVerdict]:
    """Verdicts on the results of a file."""
    return [judge_server_load(_load(result, request), _NO_LATENCY) for result in read_results(path, _KIND)]


def _load(result: Result, request: Request) -> ServerLoad:
    offered, concurrency = _offered(result), result.number("max_concurrency")
    sent, completed = result.number("num_prompts"), result.required("completed", kind=_KIND)
    return ServerLoad(
        place=result.place,
        what=f"{offered:g} req/s" if offered else f"concurrency {concurrency:g}" if concurrency else "all at once",
        machines=request.instances,
        throughput=result.required("request_throughput", kind=_KIND),
        latency=_latency(result),
        offered=offered,
        concurrency=concurrency,
        failed=int(sent - completed) if sent and sent > completed else 0,
    )


def _offered(result: Result) -> float | None:
    """The rate that a clock sent; the files write infinity for no clock, as text or as a bare word."""
    rate = result.get("request_rate")
    if rate in (None, "inf", math.inf):
        return None
    if isinstance(rate, str) and rate.replace(".", "", 1).isdigit():
        return float(rate)
    return result.number("request_rate")


def _latency(result: Result) -> float | None:
    """99th percentile from end to end, seconds: as reported, or from the times of every request."""
    reported = result.number("p99_e2el_ms") or result.number("p99_e2e_latency_ms")
    if reported:
        return reported / 1e3
    first, rest = result.get("ttfts"), result.get("itls")
    if not (isinstance(first, list) and isinstance(rest, list) and first and len(first) == len(rest)):
        return None
    import numpy as np

    totals = [start + sum(gaps) for start, gaps in zip(first, rest, strict=True)]
    return float(np.quantile(totals, 0.99))
