"""Dispatch into lanes: each configuration (``per-config``) or machine (``round-robin``) has its own share.

Requests go to the lanes in fixed proportion to their rates: the i-th request of a lane of rate rho stands at
(i + 1/2) / rho on a virtual clock, and requests take these places in order. A lane fills one batch at a time.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harpagon.simulation.dispatch.served import GroupTally, Served

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.simulation.dispatch.machines import MachineGroup


@dataclass(frozen=True, slots=True)
class LanePlan:
    """One lane: ``batch`` places, ``rate`` requests per second, the ``group`` (tuple) it belongs to.

    A batch closes when it is full, or ``patience`` seconds after its first request (infinity for never).
    """

    group: int
    batch: int
    rate: float
    patience: float


class LaneDispatcher:
    """Splits requests over lanes and fills one batch after the other in each.

    Parameters
    ----------
    lanes
        The lanes; those of one group stand together.
    machines
        The machines of each lane.
    """

    def __init__(self, lanes: Sequence[LanePlan], machines: Sequence[MachineGroup]) -> None:
        self._plans = tuple(lanes)
        self._lanes = tuple(_Lane(plan, pool) for plan, pool in zip(lanes, machines, strict=True))
        self._rates = np.array([plan.rate for plan in lanes])
        self._groups = np.array([plan.group for plan in lanes])
        self._given = np.zeros(len(lanes), dtype=np.int64)
        self._pending = np.empty(0, dtype=np.int64)
        self.tallies: Sequence[GroupTally] = tuple(self._tally(group) for group in range(int(self._groups.max()) + 1))

    def feed(self, times: np.ndarray, until: float) -> Served:
        """Dispatch requests that arrive at ``times``, sorted; all others will arrive at ``until`` or later."""
        chosen = self._share(times.size)
        self._pending = np.concatenate([self._pending, chosen])
        for index, lane in enumerate(self._lanes):
            lane.feed(times[chosen == index].tolist(), until)
        served = self.outstanding()
        unknown = np.flatnonzero(np.isnan(served.finish))
        end = int(unknown[0]) if unknown.size else served.finish.size
        for index, lane in enumerate(self._lanes):
            del lane.done[: int(np.count_nonzero(self._pending[:end] == index))]
        self._pending = self._pending[end:]
        return Served(served.finish[:end], served.tuples[:end])

    def outstanding(self) -> Served:
        """Requests taken but not handed back, in order of arrival; NaN where completion is unknown."""
        finish = np.full(self._pending.size, np.nan)
        for index, lane in enumerate(self._lanes):
            finish[np.flatnonzero(self._pending == index)[: len(lane.done)]] = lane.done
        return Served(finish, self._groups[self._pending])

    def _share(self, count: int) -> np.ndarray:
        """Lanes of the next ``count`` requests: the smallest virtual times left.

        In a span t of virtual time a lane of rate rho gets at most rho t + 1 requests, and all lanes of total rate R
        get at least R t less one each: ``count`` requests span at most (count + lanes) / R.
        """
        if not count:
            return np.empty(0, dtype=np.int64)
        longest = (count + self._rates.size) / self._rates.sum()
        shares = np.ceil(longest * self._rates).astype(np.int64) + 1
        lanes = np.repeat(np.arange(self._rates.size), shares)
        numbers = np.concatenate([given + np.arange(n) for given, n in zip(self._given, shares, strict=True)])
        order = np.argsort((numbers + 0.5) / self._rates[lanes], kind="stable")[:count]
        chosen = lanes[order]
        self._given += np.bincount(chosen, minlength=self._rates.size)
        return chosen

    def _tally(self, group: int) -> GroupTally:
        lanes = [lane for lane in self._lanes if lane.plan.group == group]
        tally = GroupTally(lanes[0].plan.batch, *(lane.machines for lane in lanes))
        for lane in lanes:
            lane.sizes = tally.sizes
        return tally


class _Lane:
    """Requests of one lane: those not yet in a closed batch wait, ``done`` holds completions not yet handed on."""

    def __init__(self, plan: LanePlan, machines: MachineGroup) -> None:
        self.plan = plan
        self.machines = machines
        self.sizes: list[int] = []
        self.done: list[float] = []
        self._waiting: list[float] = []

    def feed(self, times: list[float], until: float) -> None:
        waiting = self._waiting + times
        batch, patience = self.plan.batch, self.plan.patience
        first, known = 0, len(waiting)
        while first < known:
            expiry = waiting[first] + patience
            last = first + batch
            if last <= known and waiting[last - 1] <= expiry:
                closed = waiting[last - 1]
            elif expiry < until:
                last = bisect_right(waiting, expiry, first, min(last, known))
                closed = expiry
            else:
                break
            self.done.extend([self.machines.run(closed)] * (last - first))
            self.sizes[last - first] += 1
            first = last
        self._waiting = waiting[first:]
