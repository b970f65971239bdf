"""Public traces, told by their first line; each comes to requests per second.

===================== ==========================================================================================
twitter counts        whole numbers between blanks: requests in one second after the other
azure functions 2019  CSV of HashOwner, HashApp, HashFunction, Trigger and one column a minute with the invocations
                      of each function in it; all functions are added up, a minute's count is spread over its seconds
azure functions 2021  CSV of app, func, end_timestamp, duration: an invocation arrived at its end less its duration,
                      seconds on the trace's clock; what began before its 0 is left out
azure llm             CSV that begins with TIMESTAMP, ContextTokens, GeneratedTokens: date and time of a request
wikipedia             lines of: counter, seconds since the epoch, address, ``save`` or ``-`` (WikiBench)
===================== ==========================================================================================

docs/slopt.md says where each of them is and under which licence.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from harpagon.instances.errors import InputError, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TypeAlias

    Lines: TypeAlias = Iterator[tuple[int, str]]

LONGEST = 10_000_000
"""Seconds, about four months: more would be a file whose clock is wrong."""
_MINUTE = 60
_BY_FUNCTION = ["HashOwner", "HashApp", "HashFunction", "Trigger"]


@dataclass(frozen=True, slots=True)
class PublicFormat:
    """A format of a public trace.

    Attributes
    ----------
    name
        In reports.
    tells
        Whether a first line is one of this format.
    read
        Requests per second from the path, for messages, and the numbered lines, the first one included.
    """

    name: str
    tells: Callable[[str], bool]
    read: Callable[[str, Lines], np.ndarray]


def public_format(first: str) -> PublicFormat | None:
    """Format that a file's first line tells; None for none."""
    return next((known for known in FORMATS if known.tells(first)), None)


def _twitter(path: str, lines: Lines) -> np.ndarray:
    return np.concatenate([_whole(path, number, line.split()) for number, line in lines])


def _functions_2019(path: str, lines: Lines) -> np.ndarray:
    _, header = next(lines)
    minutes = np.zeros(header.count(",") + 1 - len(_BY_FUNCTION), dtype=np.int64)
    for number, line in lines:
        cells = _cells(path, number, line, len(_BY_FUNCTION) + minutes.size)
        minutes += _whole(path, number, cells[len(_BY_FUNCTION) :])
    edges = np.arange(_MINUTE + 1) * minutes[:, None] // _MINUTE
    spread: np.ndarray = np.diff(edges, axis=1).reshape(-1)
    return spread


def _functions_2021(path: str, lines: Lines) -> np.ndarray:
    next(lines)
    starts = []
    for number, line in lines:
        *_, end, duration = _cells(path, number, line, 4)
        starts.append(_seconds(path, number, end) - _seconds(path, number, duration))
    return _per_second(path, [start for start in starts if start >= 0])


def _llm(path: str, lines: Lines) -> np.ndarray:
    next(lines)
    times = [_moment(path, number, line.partition(",")[0]) for number, line in lines]
    return _per_second(path, times, min(times, default=0.0))


def _wikipedia(path: str, lines: Lines) -> np.ndarray:
    times = [_seconds(path, number, _logged(path, number, line)) for number, line in lines]
    return _per_second(path, times, min(times))


def _per_second(path: str, times: Sequence[float], start: float = 0.0) -> np.ndarray:
    """Requests in every second from that of ``start`` to the last; times in any order."""
    seconds = np.floor(np.array(times)) - math.floor(start)
    if seconds.size and seconds.max() > LONGEST:
        problem = f"covers {seconds.max():.0f} s, more than {LONGEST}"
        raise InputError(path, "", problem, "Look for a time in other units than the rest")
    return np.bincount(seconds.astype(np.int64))


def _cells(path: str, number: int, line: str, wanted: int) -> list[str]:
    cells = line.split(",")
    if len(cells) != wanted:
        problem = f"{len(cells)} cells under a header of {wanted}"
        raise InputError(path, f"line {number}", problem, "Write one cell per column; a download may have been cut")
    return cells


def _whole(path: str, number: int, words: Sequence[str]) -> np.ndarray:
    """Whole counts from 0 on."""
    try:
        counts = np.array([int(word) for word in words], dtype=np.int64)
    except (ValueError, OverflowError):
        counts = np.array([-1])
    if counts.min() < 0 or counts.max() > _LARGEST_COUNT:
        wrong = next((word for word in words if not _is_count(word)), words[0])
        hint = f"Give whole numbers from 0 to {_LARGEST_COUNT}"
        raise InputError(path, f"line {number}", f"{shown(wrong.strip())} is no count", hint)
    return counts


def _is_count(word: str) -> bool:
    return word.strip().isdecimal() and float(word) <= _LARGEST_COUNT


def _logged(path: str, number: int, line: str) -> str:
    if not _LOG_LINE.fullmatch(line.strip()):
        hint = "Give lines of: counter, seconds since the epoch, address, save or -"
        raise InputError(path, f"line {number}", f"{shown(line.strip())} is no request", hint)
    return line.split()[1]


def _seconds(path: str, number: int, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(path, f"line {number}", f"{shown(text.strip())} is no time", "Give seconds as a number")
    return value


def _moment(path: str, number: int, text: str) -> float:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        hint = "Write it like 2023-11-16 18:17:03.979"
        raise InputError(path, f"line {number}", f"{shown(text.strip())} is no date and time", hint) from None
    return (moment.replace(tzinfo=None) - _EPOCH).total_seconds()


_EPOCH = datetime(1970, 1, 1)
_LARGEST_COUNT = 10_000_000
"""Requests in one second or minute."""
_COUNTS = re.compile(r"\s*[0-9]+(\s+[0-9]+)+\s*")
_LOG_LINE = re.compile(r"[0-9]+ [0-9]{9,10}(\.[0-9]+)? \S+ (save|-)")

FORMATS = (
    PublicFormat("twitter counts", lambda first: _COUNTS.fullmatch(first) is not None, _twitter),
    PublicFormat("azure functions 2019", lambda first: first.split(",")[:5] == [*_BY_FUNCTION, "1"], _functions_2019),
    PublicFormat(
        "azure functions 2021", lambda first: first.strip() == "app,func,end_timestamp,duration", _functions_2021
    ),
    PublicFormat("azure llm", lambda first: first.startswith("TIMESTAMP,ContextTokens,GeneratedTokens"), _llm),
    PublicFormat("wikipedia", lambda first: _LOG_LINE.fullmatch(first.strip()) is not None, _wikipedia),
)
"""Told in this order."""
