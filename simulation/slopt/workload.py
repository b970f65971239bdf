"""Changing load: requests per second, second by second, with a changing fan-out.

Every generator draws from one seed. `arrivals` turns the rates into a Poisson process of changing rate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from harpagon.instances.errors import InputError, suggestion
from harpagon.simulation.arrivals.processes import CountArrivals, scattered
from harpagon.simulation.arrivals.traces import read_trace

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, eq=False)
class Workload:
    """A trace.

    Attributes
    ----------
    name
        In reports.
    rates
        Requests per second, shape (seconds,).
    fanout_factors
        What the fan-out of every edge that leaves a source is multiplied by in each second, shape (seconds,).
    recorded
        Whether ``rates`` are recorded counts, which arrive exactly, instead of means of a Poisson process.
    """

    name: str
    rates: np.ndarray
    fanout_factors: np.ndarray
    recorded: bool = False

    @property
    def duration(self) -> int:
        """Seconds."""
        return int(self.rates.size)

    def arrivals(self, generator: np.random.Generator) -> np.ndarray:
        """Sorted arrival times in seconds: uniform within each second."""
        counts = self.rates.astype(np.int64) if self.recorded else generator.poisson(self.rates)
        return scattered(counts, 1.0, generator)

    @classmethod
    def from_counts(cls, name: str, counts: np.ndarray) -> Workload:
        """Recorded requests per second, at the pipeline's own fan-out."""
        return cls(name, counts, np.ones(counts.size), recorded=True)


def steady(peak: float, seconds: int, generator: np.random.Generator) -> Workload:
    """Half of ``peak``, which varies by a few percent."""
    rates = 0.5 * peak * np.exp(0.03 * generator.standard_normal(seconds))
    return Workload("steady", rates, np.ones(seconds))


def bursts(peak: float, seconds: int, generator: np.random.Generator) -> Workload:
    """A base of half of ``peak`` with bursts of 4 to 9 seconds up to ``peak``, eight seconds up and eight down."""
    rates = np.full(seconds, 0.5)
    start = int(generator.integers(4, 12))
    while start < seconds:
        length, height = int(generator.integers(4, 10)), float(generator.uniform(0.7, 1.0))
        shape = np.concatenate(
            [np.linspace(0.35, height, 4)[1:], np.full(length, height), np.linspace(height, 0.35, 4)]
        )
        end = min(seconds, start + shape.size)
        rates[start:end] = shape[: end - start]
        start = end + int(generator.integers(8, 20))
    return Workload("bursts", peak * rates * _noise(seconds, generator), np.ones(seconds))


def diurnal(peak: float, seconds: int, generator: np.random.Generator) -> Workload:
    """A day in ``seconds``: from 30 % of ``peak`` to ``peak`` and back, its phase drawn."""
    phase = generator.uniform(0.0, 2 * np.pi)
    swing = 0.65 - 0.35 * np.cos(2 * np.pi * np.arange(seconds) / seconds + phase)
    return Workload("diurnal", peak * swing * _noise(seconds, generator), np.ones(seconds))


def changing_fanout(peak: float, seconds: int, generator: np.random.Generator) -> Workload:
    """60 % of ``peak`` at the root; the fan-out of the sources wanders between half and one and a half."""
    turns = generator.uniform(0.5, 1.5, size=2 + seconds // 15)
    factors = np.interp(np.arange(seconds), np.arange(turns.size) * 15.0, turns)
    return Workload("fanout", 0.6 * peak * _noise(seconds, generator), factors)


def steps(peak: float, seconds: int, generator: np.random.Generator) -> Workload:
    """Levels between 30 % of ``peak`` and ``peak`` that change at once every 15 to 25 seconds."""
    rates = np.empty(seconds)
    start = 0
    while start < seconds:
        end = start + int(generator.integers(15, 26))
        rates[start:end] = generator.uniform(0.3, 1.0)
        start = end
    return Workload("steps", peak * rates * _noise(seconds, generator), np.ones(seconds))


def _noise(seconds: int, generator: np.random.Generator) -> np.ndarray:
    """Independent factors around 1 with 3 % standard deviation."""
    return 1.0 + 0.03 * generator.standard_normal(seconds)


GENERATORS: dict[str, Callable[[float, int, np.random.Generator], Workload]] = {
    "steady": steady,
    "bursts": bursts,
    "diurnal": diurnal,
    "fanout": changing_fanout,
    "steps": steps,
}


def generate_workload(name: str, peak: float, seconds: int, seed: int) -> Workload:
    """A generated trace.

    Parameters
    ----------
    name
        Key of `GENERATORS`.
    peak
        Requests per second that the trace reaches at most, noise apart.
    seconds
        Length.
    seed
        Of everything random in it.

    Raises
    ------
    InputError
        Where there is no such generator.
    """
    if name not in GENERATORS:
        raise InputError(name, "", "is neither a trace file nor a generated trace", suggestion(name, GENERATORS))
    return GENERATORS[name](peak, seconds, np.random.default_rng(seed))


def days_before(name: str, peak: float, seconds: int, seed: int, days: int = 20) -> tuple[Workload, ...]:
    """Generated traces of other days as their requests were counted, the last day first.

    The arguments are those of `generate_workload`; day i has the seed ``seed`` + 1000 i.
    """
    seeds = range(seed + 1000, seed + 1000 * days + 1, 1000)
    return tuple(_counted(generate_workload(name, peak, seconds, day), day) for day in seeds)


def _counted(workload: Workload, seed: int) -> Workload:
    """The trace with counts, as a day that was served would have recorded, in place of its mean rates."""
    counts = np.random.default_rng((seed, 0)).poisson(np.maximum(0.0, workload.rates))
    return replace(workload, rates=counts.astype(float), recorded=True)


def read_workload(path: str, scale: float = 1.0) -> Workload:
    """A whole trace file of per-second counts, as `harpagon.simulation.arrivals.traces` reads it, times ``scale``.

    Raises
    ------
    InputError
        With the first faulty line, or where the file holds timestamps or too many requests.
    """
    recorded = read_counts(path)
    return _served(path, recorded.name, recorded.counts, scale)


def read_window(path: str, start: int, seconds: int, scale: float = 1.0) -> tuple[Workload, tuple[Workload, ...]]:
    """A part of a trace file, and what the file holds before it.

    Parameters
    ----------
    path
        A trace file of per-second counts.
    start, seconds
        Where the part begins, and its length.
    scale
        Factor on every count, rounded to whole requests.

    Returns
    -------
    tuple
        The part, and the other days that forecasts may read: the `DAYS` times as many seconds before it, as one; none
        where it begins with the file.

    Raises
    ------
    InputError
        As `read_workload`, or where the file ends before the part does.
    """
    return window_of(path, read_counts(path), start, seconds, scale)


def window_of(
    path: str, recorded: CountArrivals, start: int, seconds: int, scale: float = 1.0
) -> tuple[Workload, tuple[Workload, ...]]:
    """The same of counts that were read already from ``path``, which messages name."""
    name = recorded.name
    if start + seconds > recorded.counts.size:
        problem = f"covers {recorded.counts.size} s, less than the {start + seconds} s to the end of the window"
        raise InputError(path, "", problem, "Give an earlier or a shorter window")
    past = recorded.counts[max(0, start - DAYS * seconds) : start]
    part = _served(path, name, recorded.counts[start : start + seconds], scale)
    return part, (Workload.from_counts(name, _scaled(past, scale)),) if past.size else ()


def read_counts(path: str) -> CountArrivals:
    """Counts of a trace file; `InputError` where it holds timestamps."""
    recorded = read_trace(path)
    if not isinstance(recorded, CountArrivals):
        raise InputError(path, "", "holds timestamps, not counts", "Give a column requests, one line a second")
    return recorded


def _scaled(counts: np.ndarray, scale: float) -> np.ndarray:
    return np.rint(counts * scale).astype(np.int64)


def _served(path: str, name: str, counts: np.ndarray, scale: float) -> Workload:
    scaled = _scaled(counts, scale)
    if scaled.sum() > MOST_REQUESTS:
        problem = f"holds {scaled.sum()} requests, more than {MOST_REQUESTS}"
        raise InputError(path, "", problem, "Give a shorter trace or window")
    return Workload.from_counts(name, scaled)


DAYS = 20
"""Other days that forecasts read."""
MOST_REQUESTS = 5_000_000
"""In one run: every request is kept until the run is over."""
