"""Bandwidth of a wireless link over time: a trace file, or a seeded synthetic trace."""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harpagon.instances.errors import InputError
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
    """Read a CSV file with the columns ``time_s`` and ``bytes_per_second``.

    Raises
    ------
    InputError
        With the line, where the file is no such table, times do not ascend from 0, or a bandwidth is below 1.
    """
    times: list[float] = []
    rates: list[float] = []
    for line, (time, rate) in read_number_table(path, ("time_s", "bytes_per_second")):
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
