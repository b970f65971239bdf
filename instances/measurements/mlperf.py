"""MLPerf inference: ``mlperf_log_summary.txt`` of LoadGen, one load per file, latencies in nanoseconds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harpagon.instances.errors import InputError, shown
from harpagon.instances.files.documents import read_text
from harpagon.instances.measurements.capacity import ServerLoad, judge_server_load
from harpagon.instances.measurements.verdicts import BatchPoint, RowVerdict

if TYPE_CHECKING:
    from pathlib import Path

    from harpagon.instances.measurements.request import Request

_KIND = "mlperf_log_summary.txt of LoadGen"
_LINE = re.compile(r"^\s*([A-Za-z0-9.][^:\n]*?)\s*:\s*(.+?)\s*$")
_NANOSECOND = 1e-9


def read_mlperf(path: Path, request: Request) -> list[RowVerdict]:
    """Verdict on the one result of a summary.

    Server results say what the machines carry; SingleStream and MultiStream results send one batch after the other and
    so time a batch; Offline results hold no latency of a request.
    """
    entries = _entries(path)
    scenario = entries.get("scenario", (0, ""))[1]
    if "result is" not in entries or not scenario:
        raise InputError(str(path), "", "has no scenario and no result", f"Give a {_KIND}")
    place, what = f"line {entries['scenario'][0]}", f"scenario {scenario}"
    if entries["result is"][1] != "VALID":
        return [RowVerdict(place, what, f"the result is {entries['result is'][1]}")]
    if scenario == "Server":
        return [judge_server_load(_server(entries, path, request, place, what), "no 99th percentile of latency")]
    if scenario in ("SingleStream", "MultiStream"):
        return [_stream(entries, path, place, what)]
    return [RowVerdict(place, what, "only Server and stream scenarios say how long a request takes")]


def _entries(path: Path) -> dict[str, tuple[int, str]]:
    """Lower-case name of every ``name : value`` line to its line number and value; the first line of a name counts."""
    found: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(read_text(path, f"Give a {_KIND}").splitlines(), 1):
        match = _LINE.match(line)
        if match:
            found.setdefault(" ".join(match[1].lower().split()), (number, match[2]))
    return found


def _number(entries: dict[str, tuple[int, str]], name: str, path: Path) -> float:
    if name not in entries:
        raise InputError(str(path), "", f"has no line {shown(name)}", f"Give a whole {_KIND}")
    line, text = entries[name]
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise InputError(str(path), f"line {line}", f"{name} is {shown(text)}", "Give a number above 0")
    return value


def _server(entries: dict[str, tuple[int, str]], path: Path, request: Request, place: str, what: str) -> ServerLoad:
    """Older files put the scheduled rate first and the completed among the statistics, newer ones the other way."""
    return ServerLoad(
        place=place,
        what=what,
        machines=request.instances,
        throughput=_number(entries, "completed samples per second", path),
        latency=_number(entries, "99.00 percentile latency (ns)", path) * _NANOSECOND,
        offered=_number(entries, "scheduled samples per second", path),
    )


def _stream(entries: dict[str, tuple[int, str]], path: Path, place: str, what: str) -> RowVerdict:
    batch = int(_number(entries, "samples_per_query", path))
    duration = _number(entries, "99.00 percentile latency (ns)", path) * _NANOSECOND
    why = "one batch after the other, 99th percentile"
    return RowVerdict(place, f"{what}, batch {batch}", why, BatchPoint(batch, duration))
