"""Spacing: requests that pass one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.simulation.dispatch.served import Dispatcher, GroupTally, Served


class Regulator:
    """Lets requests pass at least 1 / ``rate`` seconds apart, in order of arrival.

    Request k passes at r_k = max(a_k, r_{k-1} + 1 / rate), which is k / rate + max over j <= k of (a_j - j / rate).
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._passed = 0
        self._latest = -np.inf

    def spaced(self, times: np.ndarray) -> np.ndarray:
        """When the next requests pass, which arrive at ``times`` seconds, sorted."""
        if not times.size:
            return times
        ideal = np.arange(self._passed, self._passed + times.size) / self._rate
        shifts = np.maximum.accumulate(np.maximum(times - ideal, self._latest))
        self._passed += times.size
        self._latest = float(shifts[-1])
        passes: np.ndarray = ideal + shifts
        return passes


class RegulatedDispatcher:
    """A dispatcher behind a regulator at ``rate`` requests per second."""

    def __init__(self, inner: Dispatcher, rate: float) -> None:
        self.tallies: Sequence[GroupTally] = inner.tallies
        self._inner = inner
        self._regulator = Regulator(rate)

    def feed(self, times: np.ndarray, until: float) -> Served:
        """Dispatch requests that arrive at ``times``, sorted; all others will arrive at ``until`` or later."""
        return self._inner.feed(self._regulator.spaced(times), until)

    def outstanding(self) -> Served:
        """Requests taken but not handed back, in order of arrival; NaN where completion is unknown."""
        return self._inner.outstanding()
