"""Recorded arrivals: trace files.

A trace file is text, one line per record, lines that begin with ``#`` left aside:

- timestamps: a column ``time_s``, seconds from the start, in ascending order; the header may be left out where there
  is no other column;
- counts: a column ``requests``, whole requests per second, second by second from the start; a column ``second``
  beside it says which, in ascending order, and seconds that are left out have no request.

Public traces are read as they are published: `harpagon.simulation.arrivals.public`. The name of what was read from one
holds the first twelve digits of the file's SHA-256.
"""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harpagon.instances.errors import InputError, shown
from harpagon.instances.files.documents import read_text
from harpagon.simulation.arrivals.processes import CountArrivals, TraceArrivals
from harpagon.simulation.arrivals.public import public_format

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harpagon.simulation.arrivals.processes import Arrivals
    from harpagon.simulation.arrivals.public import PublicFormat

TRACE_LIMIT = 500_000_000
"""Bytes of the largest trace file that is read."""
_LARGEST_TIME = 1e8
"""Seconds, about three years: larger numbers are dates, and too coarse on a clock of 64-bit floats."""
_LARGEST_COUNT = 10_000_000
"""Requests in one second."""
_FORMAT = "Give one column time_s (ascending seconds), a column requests (per second), or a known public trace"


def read_trace(path: str) -> Arrivals:
    """Read a trace file.

    Raises
    ------
    InputError
        With the first faulty line.
    """
    text = read_text(path, _FORMAT, TRACE_LIMIT)
    lines = _lines(text)
    number, first = next(lines, (1, ""))
    if (known := public_format(first)) is not None:
        return _public(path, known, _lines(text))
    header = [cell.strip() for cell in first.split(",")]
    if "requests" in header:
        return CountArrivals(Path(path).name, _counts(path, lines, header))
    if header == ["time_s"]:
        return TraceArrivals(Path(path).name, _timestamps(path, lines))
    if _number(first) is None:
        raise InputError(path, f"line {number}", f"{shown(first)} is neither a number nor a known header", _FORMAT)
    return TraceArrivals(Path(path).name, _timestamps(path, _lines(text)))


def _public(path: str, known: PublicFormat, lines: Iterator[tuple[int, str]]) -> CountArrivals:
    counts = known.read(path, lines)
    if not counts.any():
        raise InputError(path, "", f"holds no request, read as {known.name}", "Check the file against its publication")
    with Path(path).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return CountArrivals(f"{Path(path).name} ({known.name}, sha256 {digest[:12]})", counts)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Numbered lines that are neither empty nor comments."""
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and line[0] != "#":
            yield number, line


def _timestamps(path: str, lines: Iterator[tuple[int, str]]) -> np.ndarray:
    times: list[float] = []
    latest = 0.0
    for number, line in lines:
        time = _finite(path, number, "time_s", line)
        if time < 0:
            raise InputError(
                path, f"line {number}", f"time_s is negative: {time:g}", "Count from the start of the trace"
            )
        if time < latest:
            problem = f"time_s is {time:.9g} after {latest:.9g}"
            raise InputError(path, f"line {number}", problem, "Sort the lines by time")
        if time > _LARGEST_TIME:
            problem = f"time_s is {time:g}, more than {_LARGEST_TIME:g} s"
            raise InputError(path, f"line {number}", problem, "Subtract the first time from all of them")
        times.append(time)
        latest = time
    if not times:
        raise InputError(path, "", "has no data line", _FORMAT)
    return np.array(times)


def _counts(path: str, lines: Iterator[tuple[int, str]], header: list[str]) -> np.ndarray:
    counts: list[int] = []
    column = header.index("requests")
    clock = header.index("second") if "second" in header else None
    for number, line in lines:
        cells = line.split(",")
        if len(cells) != len(header):
            problem = f"{len(cells)} cells under a header of {len(header)}"
            raise InputError(path, f"line {number}", problem, f"Write lines of {','.join(header)}")
        if clock is not None:
            counts.extend([0] * _skipped(path, number, cells[clock], len(counts)))
        counts.append(int(_whole(path, number, "requests", cells[column], _LARGEST_COUNT)))
    if not any(counts):
        raise InputError(path, "", "holds no request", _FORMAT)
    return np.array(counts)


def _skipped(path: str, number: int, text: str, passed: int) -> int:
    """Seconds left out before the one of this line."""
    second = _whole(path, number, "second", text, _LARGEST_TIME)
    if second < passed:
        raise InputError(path, f"line {number}", f"second is {second:g} after {passed - 1}", "Sort the lines by second")
    return int(second) - passed


def _whole(path: str, number: int, column: str, text: str, largest: float) -> float:
    value = _finite(path, number, column, text)
    if not 0 <= value <= largest or not value.is_integer():
        problem = f"{column} is {value:g}"
        raise InputError(path, f"line {number}", problem, f"Give a whole number from 0 to {largest:g}")
    return value


def _finite(path: str, number: int, column: str, text: str) -> float:
    value = _number(text)
    if value is None or not math.isfinite(value):
        problem = f"{column} is {shown(text.strip())}, not a finite number"
        raise InputError(path, f"line {number}", problem, _FORMAT)
    return value


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
