"""How batches are completed when requests are missing: dummy requests, or a time-out."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from harpagon.simulation.dispatch.served import Served

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.simulation.dispatch.served import Dispatcher, GroupTally


class Padding(StrEnum):
    """What completes a batch that too few requests reach."""

    DUMMIES = "dummies"
    """Dummy requests keep the dispatcher at the rate its machines are planned for."""
    TIME_OUT = "time-out"
    """A batch closes with empty places once its wait is over."""


class PaddedDispatcher:
    """Adds dummy requests in front of a dispatcher.

    Whenever fewer than k requests, dummies included, have come k / ``rate`` after the first, one dummy is added.

    Parameters
    ----------
    inner
        Dispatcher that serves requests and dummies alike.
    rate
        Requests per second to keep up, the total rate of the module's tuples.
    """

    def __init__(self, inner: Dispatcher, rate: float) -> None:
        self.tallies: Sequence[GroupTally] = inner.tallies
        self._inner = inner
        self._interval = 1.0 / rate
        self._start: float | None = None
        self._tick = 1
        self._real_count = 0
        self._dummy_count = 0
        self._real = np.empty(0, dtype=bool)

    def feed(self, times: np.ndarray, until: float) -> Served:
        """Dispatch requests that arrive at ``times``, sorted; all others will arrive at ``until`` or later."""
        if self._start is None:
            if not times.size:
                return Served.empty()
            self._start = float(times[0])
        dummies = self._dummies(times, until)
        merged = np.concatenate([times, dummies])
        order = np.argsort(merged, kind="stable")
        self._real = np.concatenate([self._real, order < times.size])
        served = self._inner.feed(merged[order], until)
        known = self._real[: served.finish.size]
        self._real = self._real[served.finish.size :]
        return Served(served.finish[known], served.tuples[known])

    def outstanding(self) -> Served:
        """Requests taken but not handed back, in order of arrival; NaN where completion is unknown."""
        served = self._inner.outstanding()
        return Served(served.finish[self._real], served.tuples[self._real])

    def _dummies(self, times: np.ndarray, until: float) -> np.ndarray:
        """Times before ``until`` at which the count falls behind; requests of the same instant count."""
        assert self._start is not None
        last = int((until - self._start) / self._interval)
        ticks = np.arange(self._tick, last + 1)
        clock = self._start + ticks * self._interval
        ticks, clock = ticks[clock < until], clock[clock < until]
        behind = ticks - self._real_count - np.searchsorted(times, clock, side="right")
        needed = np.maximum.accumulate(np.concatenate([[self._dummy_count], behind]))
        self._tick += ticks.size
        self._real_count += times.size
        self._dummy_count = int(needed[-1])
        return clock[np.diff(needed) > 0]
