"""Modules that take turns on one machine: batches of all of them in one queue, in the order of their closing.

A batch opens with a request that finds none open and closes exactly a time c after it opened, full or not; it then
joins the queue. A request that comes at the instant at which a batch closes opens the next. Where a stream breaks its
promise and a batch is full before it closes, the next request opens another.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from harpagon.simulation.dispatch.served import GroupTally, Served
from harpagon.simulation.flow.fleet import Fleet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.simulation.dispatch.machines import MachineGroup

_ROUNDING = 1e-9
"""Seconds by which sums of clock times may differ and still be the same time."""


class Host:
    """One shared machine, with those in spare; the modules that take turns on it join when they are made.

    Attributes
    ----------
    fleet
        The machines, which the groups of all modules share.
    """

    def __init__(self, machines: int = 1) -> None:
        self.fleet = Fleet(machines)
        self._guests: list[TurnDispatcher] = []

    def join(self, guest: TurnDispatcher) -> None:
        """Add a module."""
        self._guests.append(guest)

    def advance(self) -> None:
        """Run closed batches in order, as long as no other module can still close one before."""
        while True:
            guest = min(self._guests, key=lambda one: (one.next_closing(), not one.has_closed()))
            if not guest.has_closed():
                return
            guest.run_next()


class TurnDispatcher:
    """Dispatcher of one module on a shared machine.

    Parameters
    ----------
    batch
        Places of a batch.
    close_after
        Seconds from the opening of a batch to its closing.
    machine
        How long batches take; its clock is that of ``host``.
    host
        The machine.
    """

    def __init__(self, batch: int, close_after: float, machine: MachineGroup, host: Host) -> None:
        self._batch, self._close_after = batch, close_after
        self._machine, self._host = machine, host
        self._waiting: list[float] = []
        self._closed: deque[tuple[float, int]] = deque()
        self._done: list[float] = []
        self._until = float("-inf")
        tally = GroupTally(batch, machine)
        self._sizes = tally.sizes
        self.tallies: Sequence[GroupTally] = (tally,)
        host.join(self)

    def feed(self, times: np.ndarray, until: float) -> Served:
        """Dispatch requests that arrive at ``times``, sorted; all others will arrive at ``until`` or later."""
        self._waiting += times.tolist()
        self._until = until
        self._close()
        self._host.advance()
        finish = np.array(self._done)
        self._done = []
        return Served(finish, np.zeros(finish.size, dtype=np.int64))

    def _close(self) -> None:
        waiting, first = self._waiting, 0
        while first < len(waiting):
            opened = waiting[first]
            end = opened + max(self._close_after - _ROUNDING, _ROUNDING)
            if end >= self._until:
                break
            last = min(bisect_left(waiting, end, first), first + self._batch)
            self._closed.append((opened + self._close_after, last - first))
            first = last
        self._waiting = waiting[first:]

    def outstanding(self) -> Served:
        """Requests taken but not handed back, in order of arrival; NaN where completion is unknown."""
        unknown = sum(size for _, size in self._closed) + len(self._waiting)
        finish = np.concatenate([np.array(self._done), np.full(unknown, np.nan)])
        return Served(finish, np.zeros(finish.size, dtype=np.int64))

    def has_closed(self) -> bool:
        """Whether a batch waits for the machine."""
        return bool(self._closed)

    def next_closing(self) -> float:
        """Seconds on the clock before which no batch joins the queue that is not yet run."""
        if self._closed:
            return self._closed[0][0]
        return (self._waiting[0] if self._waiting else self._until) + self._close_after

    def run_next(self) -> None:
        """Run the batch that closed first."""
        closed, size = self._closed.popleft()
        self._done += [self._machine.run(closed)] * size
        self._sizes[size] += 1
