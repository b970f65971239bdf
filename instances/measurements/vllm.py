"""``vllm bench serve --save-result`` and SGLang's ``bench_serving``: one JSON object per load."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harpagon.instances.measurements.capacity import ServerLoad, judge_server_load
from harpagon.instances.measurements.documents import Entry, read_entries
from harpagon.instances.measurements.models import SEVERAL, wanted_workload
from harpagon.instances.measurements.verdicts import RowVerdict

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harpagon.instances.measurements.request import Request

_KIND = "result of vllm bench serve or SGLang's bench_serving"
_NO_LATENCY = (
    "no 99th percentile from end to end: time to the first token is not the answer; "
    "run vLLM with --percentile-metrics ttft,tpot,itl,e2el, or a newer SGLang"
)


_TABLE = "Tput (req/s)"
_ONLY_MEANS = (
    "a table of vLLM's own benchmarks, which keeps no percentile from end to end: give what --save-result wrote"
)
_WORKLOAD = ("model_id", "backend", "dataset_name", "random_input_len", "random_output_len", "sharegpt_output_len")
"""Keys that make results of one file incomparable where they differ."""


def read_vllm(path: Path, request: Request) -> list[RowVerdict]:
    """Verdicts on the results of a file; ``request.workload`` is the one wanted where it holds several."""
    results = read_entries(path, _KIND)
    names = _workloads(results)
    wanted = wanted_workload(names, request.workload, str(path), "") if any(names) else ""
    return [_judge(result, name, wanted, request) for result, name in zip(results, names, strict=True)]


def _workloads(results: Sequence[Entry]) -> list[str]:
    """What tells the results of a file apart beside their load: the values of the keys that differ."""
    rows = [tuple(str(result.get(key)) for key in _WORKLOAD) for result in results]
    differ = [len(set(column)) > 1 for column in zip(*rows, strict=True)]
    return [" ".join(value for value, differs in zip(row, differ, strict=True) if differs) for row in rows]


def _judge(result: Entry, workload: str, wanted: str | None, request: Request) -> RowVerdict:
    if result.get(_TABLE) is not None:
        return RowVerdict(result.place, str(result.get("Test name") or ""), _ONLY_MEANS)
    load = _load(result, request, workload)
    if workload != wanted:
        why = SEVERAL if wanted is None else f"not the workload {wanted}"
        return RowVerdict(load.place, load.what, why)
    return judge_server_load(load, _NO_LATENCY)


def _load(result: Entry, request: Request, workload: str) -> ServerLoad:
    offered, concurrency = _offered(result), result.number("max_concurrency")
    completed = result.required("completed", kind=_KIND)
    asked = f"{offered:g} req/s" if offered else f"concurrency {concurrency:g}" if concurrency else "all at once"
    return ServerLoad(
        place=result.place,
        what=f"{workload}, {asked}" if workload else asked,
        machines=request.instances,
        throughput=_throughput(result, completed),
        latency=_latency(result),
        offered=offered,
        concurrency=concurrency,
        failed=_failed(result, completed),
        answered=completed,
    )


def _throughput(result: Entry, completed: float) -> float:
    """Requests per second; SGLang's older results only say how many took how long."""
    duration = result.number("duration")
    if result.get("request_throughput") is None and duration:
        return completed / duration
    return result.required("request_throughput", kind=_KIND)


def _failed(result: Entry, completed: float) -> int:
    """Requests without an answer: counted, or those of the requests sent that did not complete."""
    sent = result.number("num_prompts") or completed
    return int(max(result.number("failed") or 0.0, sent - completed))


def _offered(result: Entry) -> float | None:
    """The rate that a clock sent; the files write infinity for no clock, as text or as a bare word."""
    rate = result.get("request_rate")
    if rate in (None, "inf", math.inf):
        return None
    if isinstance(rate, str) and rate.replace(".", "", 1).isdigit():
        return float(rate)
    return result.number("request_rate")


def _latency(result: Entry) -> float | None:
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
