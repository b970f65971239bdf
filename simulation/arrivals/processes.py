"""When requests arrive: even or slow, Poisson, gamma, Markov-modulated, or from a trace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK = 1 << 16
"""Requests per piece: arrivals are made and used piece by piece, so a run of any length needs bounded memory."""


class Arrivals(Protocol):
    """An arrival process."""

    def times(self, rate: float, duration: float, generator: np.random.Generator) -> Iterator[np.ndarray]:
        """Yield sorted pieces of arrival times in seconds, all in [0, ``duration``).

        Parameters
        ----------
        rate
            Requests per second on average; traces have their own.
        duration
            Seconds.
        generator
            Source of randomness; even arrivals and traces draw nothing.
        """


def scattered(counts: np.ndarray, length: float, generator: np.random.Generator) -> np.ndarray:
    """Sorted times of ``counts[k]`` requests in the k-th stretch of ``length`` seconds, uniform within it; seconds."""
    stretches = np.repeat(np.arange(counts.size), counts)
    times: np.ndarray = np.sort(length * stretches + length * generator.random(stretches.size))
    return times


@dataclass(frozen=True, slots=True)
class EvenArrivals:
    """One request every (1 + ``slow``) / rate seconds, the first at 0."""

    slow: float = 0.0

    def __str__(self) -> str:
        return f"slow:{100 * self.slow:g}" if self.slow else "even"

    def times(self, rate: float, duration: float, generator: np.random.Generator) -> Iterator[np.ndarray]:
        """Yield k (1 + slow) / ``rate`` for k = 0, 1, ... below ``duration``."""
        rate /= 1 + self.slow
        count = int(np.ceil(duration * rate * (1 - 1e-12)))
        for first in range(0, count, CHUNK):
            yield np.arange(first, min(first + CHUNK, count)) / rate


@dataclass(frozen=True, slots=True)
class GammaArrivals:
    """Independent gamma-distributed gaps with coefficient of variation ``variation``; 1 is a Poisson process."""

    variation: float = 1.0

    def __str__(self) -> str:
        return "poisson" if self.variation == 1 else f"gamma:{self.variation:g}"

    def times(self, rate: float, duration: float, generator: np.random.Generator) -> Iterator[np.ndarray]:
        """Yield cumulative gaps of mean 1 / ``rate``: gamma with shape 1 / cv^2 and scale cv^2 / ``rate``."""
        shape = self.variation**-2
        now = 0.0
        while True:
            piece = now + np.cumsum(generator.gamma(shape, 1.0 / (shape * rate), CHUNK))
            now = float(piece[-1])
            if now >= duration:
                yield piece[: np.searchsorted(piece, duration)]
                return
            yield piece


@dataclass(frozen=True, slots=True)
class ModulatedArrivals:
    """Poisson arrivals whose rate changes between two levels at random times: a Markov-modulated Poisson process.

    Attributes
    ----------
    peak
        Rate in a peak over the mean rate, above 1.
    share
        Part of the time in peaks, at most 1 / ``peak``; the rate between them makes up the mean.
    seconds
        Mean length of a peak, exponentially distributed, as are the times between peaks.
    """

    peak: float
    share: float
    seconds: float

    def __str__(self) -> str:
        return f"mmpp:{self.peak:g},{self.share:g},{self.seconds:g}"

    def times(self, rate: float, duration: float, generator: np.random.Generator) -> Iterator[np.ndarray]:
        """Yield the requests of one stay in a level after the other."""
        low = max(0.0, (1 - self.peak * self.share) / (1 - self.share))
        between = self.seconds * (1 - self.share) / self.share
        in_peak = bool(generator.random() < self.share)
        start = 0.0
        while start < duration:
            end = min(duration, start + generator.exponential(self.seconds if in_peak else between))
            count = generator.poisson((self.peak if in_peak else low) * rate * (end - start))
            yield start + scattered(np.array([count]), end - start, generator)
            start, in_peak = end, not in_peak


@dataclass(frozen=True, slots=True, eq=False)
class TraceArrivals:
    """Arrivals at recorded times, in seconds, sorted and not negative; ``name`` tells where they come from."""

    name: str
    recorded: np.ndarray

    def __str__(self) -> str:
        return self.name

    def times(self, rate: float, duration: float, generator: np.random.Generator) -> Iterator[np.ndarray]:
        """Yield the recorded times below ``duration``; ``rate`` does not matter."""
        end = int(np.searchsorted(self.recorded, duration))
        for first in range(0, end, CHUNK):
            yield self.recorded[first : min(first + CHUNK, end)]


@dataclass(frozen=True, slots=True, eq=False)
class CountArrivals:
    """Recorded requests per second: ``counts[k]`` requests, evenly spaced, in second k."""

    name: str
    counts: np.ndarray

    def __str__(self) -> str:
        return self.name

    def times(self, rate: float, duration: float, generator: np.random.Generator) -> Iterator[np.ndarray]:
        """Yield second by second below ``duration``; ``rate`` does not matter."""
        for second, count in enumerate(self.counts[: int(np.ceil(duration))]):
            piece = second + np.arange(count) / max(int(count), 1)
            yield piece[piece < duration]


def recorded_duration(arrivals: Arrivals) -> float | None:
    """Seconds a trace covers; None for a process without an end."""
    if isinstance(arrivals, TraceArrivals):
        return float(np.nextafter(arrivals.recorded[-1], np.inf))
    if isinstance(arrivals, CountArrivals):
        return float(arrivals.counts.size)
    return None
