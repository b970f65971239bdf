"""AIPerf and genai-perf: ``profile_export_aiperf.json``, one JSON object per load, each metric with its unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.instances.errors import shown
from harpagon.instances.measurements.capacity import ServerLoad, judge_server_load
from harpagon.instances.measurements.documents import Entry, read_entries

if TYPE_CHECKING:
    from pathlib import Path

    from harpagon.instances.measurements.request import Request
    from harpagon.instances.measurements.verdicts import RowVerdict

_KIND = "profile_export_aiperf.json (or _genai_perf.json) of a single run"
_SECONDS = {"ms": 1e-3, "s": 1.0, "sec": 1.0, "us": 1e-6, "ns": 1e-9}
_CONCURRENCY = (
    ("input_config", "loadgen", "concurrency"),
    ("input_config", "perf_analyzer", "stimulus", "concurrency"),
    ("input_config", "concurrency"),
)
_RATE = (
    ("input_config", "loadgen", "request_rate"),
    ("input_config", "perf_analyzer", "stimulus", "request_rate"),
    ("input_config", "request_rate"),
)


def read_aiperf(path: Path, request: Request) -> list[RowVerdict]:
    """Verdicts on the results of a file."""
    without = "no 99th percentile of request_latency: export it"
    return [judge_server_load(_load(result, request), without) for result in read_entries(path, _KIND)]


def _load(result: Entry, request: Request) -> ServerLoad:
    offered = _first(result, _RATE)
    concurrency = None if offered else _first(result, _CONCURRENCY)
    return ServerLoad(
        place=result.place,
        what=f"{offered:g} req/s" if offered else f"concurrency {concurrency:g}" if concurrency else "load not stated",
        machines=request.instances,
        throughput=result.required("request_throughput", "avg", kind=_KIND),
        latency=_latency(result),
        offered=offered,
        concurrency=concurrency,
        failed=_failed(result),
        answered=result.number("request_count", "avg"),
    )


def _failed(result: Entry) -> int:
    """Requests that failed or were cancelled: the count may be null while the summary lists them."""
    summary = result.get("error_summary")
    counts = [entry.get("count") for entry in summary if isinstance(entry, dict)] if isinstance(summary, list) else []
    listed = sum(count for count in counts if isinstance(count, int))
    return max(listed, int(result.number("error_request_count", "avg") or 0))


def _first(result: Entry, ways: tuple[tuple[str, ...], ...]) -> float | None:
    return next((value for way in ways if (value := result.number(*way))), None)


def _latency(result: Entry) -> float | None:
    value, unit = result.number("request_latency", "p99"), result.get("request_latency", "unit")
    if value is None:
        return None
    if not isinstance(unit, str) or unit not in _SECONDS:
        raise result.fault("request_latency.unit", f"is {shown(unit)}", f"Use one of {', '.join(_SECONDS)}")
    return value * _SECONDS[unit]
