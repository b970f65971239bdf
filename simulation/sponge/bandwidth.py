"""Bandwidth of a wireless link over time: a trace file, or a seeded synthetic trace."""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harpagon.instances.errors import InputError, shown
from harpagon.instances.files.documents import read_text
from harpagon.instances.files.number_table import read_number_table

if TYPE_CHECKING:
    from pathlib import Path

LOWEST, HIGHEST, MEAN = 0.43e6, 7.0e6, 3.4e6
"""Bytes per second: range and mean of the 4G trace of the Sponge paper."""
TRACE_SECONDS = 607
"""Length of that trace."""
_PERSISTENCE = 0.9
"""Correlation of the synthetic link from one second to the next."""
_SPREAD = 0.5
"""Chosen so that the mean of 1 / bandwidth, and with it the mean remaining SLO, comes near the published figures."""


@dataclass(frozen=True, slots=True)
class BandwidthTrace:
    """A step function of time: bytes per second from each time on; the last value stays.

    Attributes
    ----------
    times
        Seconds, ascending from 0.
    rates
        Bytes per second, as many as times.
    """

    times: tuple[float, ...]
    rates: tuple[float, ...]

    def at(self, time: float) -> float:
        """Bytes per second at ``time`` seconds."""
        return self.rates[max(0, bisect.bisect_right(self.times, time) - 1)]

    def transfer_time(self, size: float, time: float) -> float:
        """Seconds for ``size`` bytes sent at ``time``, at the bandwidth of that moment (as the paper counts it)."""
        return size / self.at(time)


def synthetic_bandwidth(seed: int, seconds: int = TRACE_SECONDS) -> BandwidthTrace:
    """A trace of one value a second with exactly the published range and mean.

    A first-order autoregressive Gaussian goes through a logistic curve and is scaled to [0, 1]; the power that gives
    the mean is found by bisection.
    """
    import numpy as np

    generator = np.random.default_rng(seed)
    noise = generator.normal(size=seconds) * math.sqrt(1 - _PERSISTENCE**2)
    state = np.empty(seconds)
    state[0] = generator.normal()
    for i in range(1, seconds):
        state[i] = _PERSISTENCE * state[i - 1] + noise[i]
    shape = 1 / (1 + np.exp(-_SPREAD * state))
    unit = (shape - shape.min()) / (shape.max() - shape.min())
    low, high = 0.01, 100.0
    for _ in range(100):
        power = math.sqrt(low * high)
        low, high = (power, high) if (unit**power).mean() > (MEAN - LOWEST) / (HIGHEST - LOWEST) else (low, power)
    rates = LOWEST + (HIGHEST - LOWEST) * unit**low
    return BandwidthTrace(tuple(float(i) for i in range(seconds)), tuple(float(rate) for rate in rates))


def read_bandwidth_trace(path: Path) -> BandwidthTrace:
    """Read a CSV file with the columns ``time_s`` and ``bytes_per_second``, or, by its ending ``.log``, a 4G log.

    Raises
    ------
    InputError
        With the line, where the file is neither, times do not ascend from 0, or a bandwidth is below 1.
    """
    is_log = path.suffix.lower() == ".log"
    steps = _logged(path) if is_log else read_number_table(path, ("time_s", "bytes_per_second"))
    times: list[float] = []
    rates: list[float] = []
    for line, (time, rate) in steps:
        if not times and time != 0:
            raise InputError(str(path), f"line {line}", f"the first time_s is {time:g}", "Start the trace at 0")
        if times and time <= times[-1]:
            problem = f"time_s is {time:g} after {times[-1]:g}"
            raise InputError(str(path), f"line {line}", problem, "Let the times ascend")
        if rate < 1:
            raise InputError(str(path), f"line {line}", f"bytes_per_second is {rate:g}", "Give at least 1")
        times.append(time)
        rates.append(rate)
    return BandwidthTrace(tuple(times), tuple(rates))


def _logged(path: Path) -> list[tuple[int, tuple[float, ...]]]:
    """Line, start in seconds and bytes per second of every interval of a log of the Ghent 4G/LTE data set.

    A line holds milliseconds since the epoch and since the start of the experiment, latitude, longitude, and the bytes
    and milliseconds since the line before (van der Hooft et al., IEEE Communications Letters, 2016). Time counts from
    the beginning of the first interval.
    """
    intervals: list[tuple[int, tuple[float, ...]]] = []
    for line, text in enumerate(read_text(path, _LOG).splitlines(), 1):
        if text.strip():
            _, end, _, _, received, passed = _log_cells(path, line, text)
            intervals.append((line, ((end - passed) / 1e3, received / passed * 1e3)))
    if not intervals:
        raise InputError(str(path), "", "holds no line", _LOG)
    first = intervals[0][1][0]
    return [(line, (start - first, rate)) for line, (start, rate) in intervals]


def _log_cells(path: Path, line: int, text: str) -> list[float]:
    try:
        cells = [float(cell) for cell in text.split()]
    except ValueError:
        cells = []
    if len(cells) != _LOG_COLUMNS or not all(map(math.isfinite, cells)):
        raise InputError(str(path), f"line {line}", f"{shown(text)} is not {_LOG_COLUMNS} numbers", _LOG)
    if cells[-1] <= 0:
        raise InputError(str(path), f"line {line}", f"{cells[-1]:g} milliseconds have passed", "Leave the line out")
    return cells


_LOG_COLUMNS = 6
_LOG = "Give lines of: epoch ms, experiment ms, latitude, longitude, bytes, ms since the line before"
