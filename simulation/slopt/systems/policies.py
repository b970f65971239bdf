"""For which rates the controllers of the systems provision, second by second."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Protocol

import numpy as np

from harpagon.formulations.slopt.envelope import Envelope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.simulation.slopt.engine import Observation


class RatePolicy(Protocol):
    """Follows the load; all rates in requests per second, one a module."""

    def begin(self, rates: Sequence[float]) -> list[float]:
        """Rates to provision for, where ``rates`` are known for the first period."""

    def observe(self, observation: Observation, rates: Sequence[float]) -> list[float]:
        """Rates to provision for, after a period in which ``rates`` came."""


class LastSeconds:
    """The largest rate of the last periods: what Clipper++ and PARD scale by here [R].

    Parameters
    ----------
    periods
        How many.
    """

    def __init__(self, periods: int = 4) -> None:
        self._seen: deque[list[float]] = deque(maxlen=periods)

    def begin(self, rates: Sequence[float]) -> list[float]:
        """The first rates."""
        return list(rates)

    def observe(self, observation: Observation, rates: Sequence[float]) -> list[float]:
        """The largest of the last periods."""
        self._seen.append(list(rates))
        return [max(each) for each in zip(*self._seen, strict=True)]


class Epochs:
    """Rates of the last epoch stand for the next one: Nexus's epoch scheduling.

    The published epochs last 30 to 60 s [R]; here 10 s, five start-ups, since traces are short.

    Parameters
    ----------
    seconds
        Length of an epoch.
    """

    def __init__(self, seconds: float = 10.0) -> None:
        self._seconds = seconds
        self._next = seconds
        self._seen: list[Sequence[float]] = []
        self._rates: list[float] = []

    def begin(self, rates: Sequence[float]) -> list[float]:
        """The first rates."""
        self._rates = list(rates)
        return self._rates

    def observe(self, observation: Observation, rates: Sequence[float]) -> list[float]:
        """At the end of an epoch its mean rates; until then what stood."""
        self._seen.append(rates)
        if observation.end >= self._next - _ROUNDING:
            self._rates = np.mean(self._seen, axis=0).tolist()
            self._next += self._seconds
            self._seen = []
        return self._rates


class OnChange:
    """Plan anew when a module's rate has left what is planned for: what Scrooge's controller is taken to do [R].

    Parameters
    ----------
    change
        Share of the planned rate by which it must have changed.
    periods
        Over how many of the last periods the rate is averaged.
    """

    def __init__(self, change: float = 0.1, periods: int = 2) -> None:
        self._change = change
        self._seen: deque[Sequence[float]] = deque(maxlen=periods)
        self._rates = np.empty(0)

    def begin(self, rates: Sequence[float]) -> list[float]:
        """The first rates."""
        self._rates = np.array(rates)
        return list(rates)

    def observe(self, observation: Observation, rates: Sequence[float]) -> list[float]:
        """The recent mean rates where one has changed enough, else what stood."""
        self._seen.append(rates)
        now = np.mean(self._seen, axis=0)
        if np.any(np.abs(now - self._rates) > self._change * self._rates):
            self._rates = now
        return [float(rate) for rate in self._rates]


class EnvelopeTuner:
    """InferLine's tuner: up at once when the traffic envelope is exceeded, down slowly.

    The original compares the largest counts in windows of doubling length with those of the planner's sample trace. A
    window that exceeds it gives the rate to scale to, times each model's share and over the utilisation it was planned
    with. It scales down only 15 s after the last change, to the largest rate of any 5 s of the last 30 s, where a
    replica starts in 5 s.

    Adapted [R]: the sample trace is a Poisson process at the planned rate, at its 99th percentile; the times are three,
    one and six start-ups.

    Parameters
    ----------
    service
        Seconds of the longest path's batches: the shortest window.
    startup
        Seconds.
    """

    def __init__(self, service: float, startup: float) -> None:
        self._windows = service * 2.0 ** np.arange(10)
        self._short, self._delay, self._long = max(1.0, startup), 3 * startup, 6 * max(1.0, startup)
        self._arrivals = np.empty(0)
        self._shares = np.empty(0)
        self._planned = 0.0
        self._changed = 0.0

    def begin(self, rates: Sequence[float]) -> list[float]:
        """The first rates; the first module's rate is that of the root."""
        self._planned = max(rates[0], _LEAST)
        self._shares = np.array(rates) / self._planned
        return list(rates)

    def observe(self, observation: Observation, rates: Sequence[float]) -> list[float]:
        """The planned rate of the root, scaled up or down, times every module's share."""
        end = observation.end
        recent = np.concatenate([self._arrivals, observation.arrivals[0]])
        self._arrivals = recent[recent > end - self._long]
        exceeded = self._exceeded(min(end, self._long))
        if exceeded > self._planned:
            self._planned, self._changed = exceeded, end
        elif end - self._changed >= self._delay and self._lately(end) < self._planned:
            self._planned, self._changed = self._lately(end), end
        return [float(rate) for rate in self._planned * self._shares]

    def _exceeded(self, seen: float) -> float:
        """Largest rate of a window in which more came than planned for, requests per second; 0 for none."""
        windows = self._windows[self._windows <= seen]
        order = np.arange(self._arrivals.size)
        counts = np.array(
            [(np.searchsorted(self._arrivals, self._arrivals + x, "right") - order).max(initial=0) for x in windows]
        )
        above = counts > Envelope.of_process(self._planned).at(windows)
        return float((counts / windows)[above].max(initial=0.0))

    def _lately(self, end: float) -> float:
        """Largest rate of any short window of the recent past."""
        starts = np.arange(max(0.0, end - self._long), end - self._short + _ROUNDING, self._short)
        counts = np.searchsorted(self._arrivals, starts + self._short) - np.searchsorted(self._arrivals, starts)
        return max(float(counts.max(initial=0)) / self._short, _LEAST)


_ROUNDING = 1e-9
_LEAST = 1e-3
"""Requests per second that are planned for at least."""
