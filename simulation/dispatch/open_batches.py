"""Dispatch into open batches: priority (``tc``, ``free``, ``tc-safe``) and earliest deadline first (``edf``).

Group g opens its k-th batch at k b_g / rho_g on a clock that starts with the first arrival (or a given lead before).
A request joins the open batch of the best rank: the earliest due under ``edf``, the foremost tuple under the others.
A batch closes when it is full, or at its time-out if it has one; requests that find no open batch wait for the next.
docs/dispatch.md has the bounds that follow.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import deque
from dataclasses import dataclass
from heapq import heapify, heappop, heappush, heapreplace
from typing import TYPE_CHECKING

import numpy as np

from harpagon.simulation.dispatch.served import GroupTally, Served

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.simulation.dispatch.machines import MachineGroup

_EARLY = 1e-9
"""Seconds by which a batch opens early, so that rounding never puts it after a request of the same instant."""
_DIGITS = 9
"""Batches due in the same nanosecond are due at once: rounding does not decide which was opened first."""


@dataclass(frozen=True, slots=True)
class BatchGroup:
    """Machines that fill batches of one size.

    Attributes
    ----------
    batch
        Places per batch, b.
    rate
        Requests per second the group works at, rho.
    due
        Seconds after its opening at which a batch should be full.
    patience
        Seconds after its opening at which a batch closes unfilled; infinity for never.
    """

    batch: int
    rate: float
    due: float
    patience: float


class _Batch:
    """One batch while it fills; ``finish`` is NaN until it is closed."""

    __slots__ = ("expiry", "finish", "group", "opened", "room")

    def __init__(self, group: int, opened: float, room: int, expiry: float) -> None:
        self.group = group
        self.opened = opened
        self.room = room
        self.expiry = expiry
        self.finish = math.nan


class OpenBatchDispatcher:
    """Hands requests to open batches, and closed batches to machines.

    Parameters
    ----------
    groups
        Groups in dispatch order.
    machines
        The machines of each group.
    by_due
        Whether the batch due first ranks first (``edf``); otherwise the foremost group does.
    lead
        Seconds before the first arrival at which the first batches open.
    """

    def __init__(
        self, groups: Sequence[BatchGroup], machines: Sequence[MachineGroup], by_due: bool, lead: float = 0.0
    ) -> None:
        self.tallies: Sequence[GroupTally] = tuple(
            GroupTally(group.batch, pool) for group, pool in zip(groups, machines, strict=True)
        )
        self._groups = tuple(groups)
        self._machines = tuple(machines)
        self._by_due = by_due
        self._lead = lead
        self._start = math.nan
        self._opened = 0
        self._openings: list[tuple[float, int, int]] = []
        self._open: list[tuple[float, int, _Batch]] = []
        self._unexpired: tuple[deque[_Batch], ...] = tuple(deque() for _ in groups)
        self._waiting: list[float] = []
        self._segments: list[tuple[_Batch, int]] = []

    def feed(self, times: np.ndarray, until: float) -> Served:
        """Dispatch requests that arrive at ``times``, sorted; all others will arrive at ``until`` or later."""
        arrivals = self._waiting + times.tolist()
        if not self._openings:
            if not arrivals:
                return Served.empty()
            self._start_clock(arrivals[0])
        placed = self._place(arrivals, until)
        self._waiting = arrivals[placed:]
        return self._resolved()

    def _start_clock(self, first: float) -> None:
        self._start = first - self._lead - _EARLY
        self._openings = [(self._start, group, 0) for group in range(len(self._groups))]
        heapify(self._openings)

    def _place(self, arrivals: list[float], until: float) -> int:
        """Place arrivals in time order up to ``until``; returns how many are placed."""
        queue, openings, segments = self._open, self._openings, self._segments
        known, position = len(arrivals), 0
        while True:
            opening = openings[0][0]
            if not queue:
                if opening > until:
                    return position
                self._open_next()
                continue
            batch = queue[0][2]
            if batch.finish == batch.finish:  # closed when it expired behind others
                heappop(queue)
                continue
            limit = opening if opening < batch.expiry else batch.expiry
            last = position + batch.room
            if last <= known and arrivals[last - 1] < limit:
                segments.append((batch, batch.room))
                batch.room = 0
                position = last
                heappop(queue)
                self._close(batch, arrivals[last - 1])
                continue
            stop = bisect_left(arrivals, limit, position, min(last, known))
            if stop > position:
                segments.append((batch, stop - position))
                batch.room -= stop - position
                position = stop
            if limit > until:
                return position
            if limit == opening:
                self._open_next()
            else:
                heappop(queue)
                self._close(batch, limit)

    def _open_next(self) -> None:
        """Open all batches of the next instant, so that requests that wait see all of them."""
        instant = self._openings[0][0] + _EARLY
        while self._openings[0][0] <= instant:
            self._open_batch()

    def _open_batch(self) -> None:
        time, index, number = self._openings[0]
        group = self._groups[index]
        heapreplace(self._openings, (self._start + (number + 1) * group.batch / group.rate, index, number + 1))
        unexpired = self._unexpired[index]
        while unexpired and (unexpired[0].expiry <= time or not unexpired[0].room):
            self._close(unexpired[0], unexpired.popleft().expiry)
        batch = _Batch(index, time, group.batch, time + group.patience)
        unexpired.append(batch)
        rank = round(time + group.due, _DIGITS) if self._by_due else index
        heappush(self._open, (rank, self._opened, batch))
        self._opened += 1

    def _close(self, batch: _Batch, time: float) -> None:
        """Hand a batch to its machines, unless that has happened; an empty batch is dropped."""
        if batch.finish == batch.finish:
            return
        filled = self._groups[batch.group].batch - batch.room
        if not filled:
            batch.finish = time
            return
        batch.finish = self._machines[batch.group].run(time if time > batch.opened else batch.opened)
        self.tallies[batch.group].sizes[filled] += 1

    def outstanding(self) -> Served:
        """Requests taken but not handed back, in order of arrival; NaN where completion is unknown."""
        served, waiting = _completions(self._segments), len(self._waiting)
        finish = np.concatenate([served.finish, np.full(waiting, np.nan)])
        return Served(finish, np.concatenate([served.tuples, np.zeros(waiting, dtype=np.int64)]))

    def _resolved(self) -> Served:
        """The longest run of requests, in order of arrival, whose batches are closed."""
        segments = self._segments
        if not segments:
            return Served.empty()
        unknown = np.flatnonzero(np.isnan([batch.finish for batch, _ in segments]))
        end = int(unknown[0]) if unknown.size else len(segments)
        self._segments = segments[end:]
        return _completions(segments[:end])


def _completions(segments: Sequence[tuple[_Batch, int]]) -> Served:
    """Completion and group of every request of ``segments``: a batch, and how many requests in a row joined it."""
    finish = np.array([batch.finish for batch, _ in segments])
    counts = np.array([count for _, count in segments], dtype=np.int64)
    groups = np.array([batch.group for batch, _ in segments], dtype=np.int64)
    return Served(np.repeat(finish, counts), np.repeat(groups, counts))
