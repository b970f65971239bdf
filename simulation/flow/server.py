"""One module: a queue, batches that start when full or due, what is dropped of them, a changing fleet."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import takewhile
from math import inf
from typing import TYPE_CHECKING

import numpy as np

from harpagon.simulation.flow.drop import Drop
from harpagon.simulation.flow.order import Order

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harpagon.simulation.flow.drop import DropRule
    from harpagon.simulation.flow.fleet import Fleet


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What a module did in one control period.

    Attributes
    ----------
    roots, arrived, finished
        Root request, arrival and completion (seconds on the clock) of every item in a batch that started.
    dropped
        Roots of the items dropped, with repetitions.
    dropped_at
        Seconds on the clock of those drops.
    """

    roots: np.ndarray
    arrived: np.ndarray
    finished: np.ndarray
    dropped: np.ndarray
    dropped_at: np.ndarray


class Server:
    """Serves one module.

    A batch of up to b requests starts when a machine is free and either b requests wait or the first of them has
    waited for the time that b requests take at full capacity, b / (n t); without patience, when anyone waits.

    Parameters
    ----------
    fleet
        The module's machines.
    durations
        Seconds of a batch of 0, 1, ..., b requests.
    drop
        Drop policy.
    deadlines
        Deadline of every root, seconds on the clock. All modules share the list; what is dropped gets minus infinity.
    order
        Who is served first.
    patient
        Whether batches wait until they are full or due.
    eager
        Whether an idle machine starts with the items of one root, even where those of others come in the same instant.
    """

    def __init__(
        self,
        fleet: Fleet,
        durations: Sequence[float],
        drop: DropRule,
        deadlines: list[float],
        order: Order = Order.ARRIVAL,
        *,
        patient: bool = True,
        eager: bool = False,
    ) -> None:
        self.fleet = fleet
        self.durations = durations
        """Seconds of a batch of 0, 1, ..., b requests; those that run end as they began."""
        self.ahead = 0.0
        """Estimated seconds from the end of this module to the end of the pipeline."""
        self.arrived = 0
        """Items sent here, those still under way included."""
        self.admitted: list[float] = []
        """Times of the items that came in the last period."""
        self.finished = 0
        self.dropped = 0
        self._drop = drop
        self._deadlines = deadlines
        self._order = order
        self._patient = patient
        self._now = 0.0
        self._overloaded = False
        self._eager = eager
        self._times: list[float] = []
        self._roots: list[int] = []
        self._head = 0
        self._later_times = np.empty(0)
        self._later_roots = np.empty(0, dtype=np.int64)

    @property
    def waiting(self) -> int:
        """Items that have come or are under way, neither finished nor dropped."""
        return len(self._times) - self._head + int(self._later_times.size)

    def queue(self) -> list[int]:
        """Roots of the items that have come and wait, in the order of arrival."""
        return self._roots[self._head :]

    def arrive(self, times: np.ndarray, roots: np.ndarray) -> None:
        """Items that come at ``times``, in any order."""
        self.arrived += int(times.size)
        self._later_times = np.concatenate([self._later_times, times])
        self._later_roots = np.concatenate([self._later_roots, roots])

    def run(self, end: float) -> Outcome:
        """Start every batch that starts before ``end``."""
        self._admit(end)
        record = _Record()
        self._serve(end, record)
        self._weigh(end)
        outcome = record.outcome()
        self.finished += int(outcome.roots.size)
        self.dropped += int(outcome.dropped.size)
        return outcome

    def _weigh(self, end: float) -> None:
        """Note whether more came since the last call than the machines can serve in that time."""
        batch = len(self.durations) - 1
        self._overloaded = len(self.admitted) * self.durations[batch] > len(self.fleet) * batch * (end - self._now)
        self._now = end

    def _admit(self, end: float) -> None:
        order = np.argsort(self._later_times, kind="stable")
        times, roots = self._later_times[order], self._later_roots[order]
        due = int(np.searchsorted(times, end))
        self.admitted = times[:due].tolist()
        self._times = self._times[self._head :] + self.admitted
        self._roots = self._roots[self._head :] + roots[:due].tolist()
        self._head = 0
        self._later_times, self._later_roots = times[due:], roots[due:]

    def _serve(self, end: float, record: _Record) -> None:
        free = self.fleet.free
        if not free:
            return
        times, batch = self._times, len(self.durations) - 1
        hold = self.durations[batch] / len(free) if self._patient else 0.0
        serve = self._way()
        while self._head < len(times):
            last = self._head + batch - 1
            close = times[self._head] + hold
            if last < len(times) and times[last] < close:
                close = times[last]
            start = free[0] if free[0] > close else close
            if start >= end:
                return
            serve(start, batch, record)

    def _way(self) -> Callable[[float, int, _Record], None]:
        if self._order is not Order.ARRIVAL:
            return self._ranked_batch
        return self._whole_batch if self._drop is Drop.NONE else self._chosen_batch

    def _whole_batch(self, start: float, batch: int, record: _Record) -> None:
        end = min(bisect_right(self._times, start, self._head), self._head + batch)
        self._start(self._times[self._head : end], self._roots[self._head : end], start, record)
        self._head = end

    def _chosen_batch(self, start: float, batch: int, record: _Record) -> None:
        head = self._head
        end = bisect_right(self._times, start, head)
        seen = self._roots[head : min(end, head + batch)]
        if self._all_make_it([self._deadlines[root] - start for root in seen]):
            self._whole_batch(start, batch, record)
            return
        roots = self._roots[head : min(end, head + self._drop.batches * batch)]
        kept, dropped = self._drop.choose([self._deadlines[root] - start for root in roots], self.durations, self.ahead)
        self._head = head + 1 + max(kept[-1] if kept else -1, max(dropped, default=-1))
        self._drop_roots([roots[i] for i in dropped], start, record)
        self._start([self._times[head + i] for i in kept], [roots[i] for i in kept], start, record)

    def _ranked_batch(self, start: float, batch: int, record: _Record) -> None:
        head, end = self._head, self._eager_end(start) if self._eager else bisect_right(self._times, start, self._head)
        times, roots = self._times[head:end], self._roots[head:end]
        deadlines = [self._deadlines[root] for root in roots]
        ranked = self._order.rank(deadlines, self._overloaded)
        slacks = [deadlines[i] - start for i in ranked[: min(len(ranked), self._drop.batches * batch)]]
        kept, dropped = list(range(min(batch, len(slacks)))), list[int]()
        if not self._all_make_it(slacks[:batch]):
            kept, dropped = self._drop.choose(slacks, self.durations, self.ahead)
        self._drop_roots([roots[ranked[i]] for i in dropped], start, record)
        self._start([times[ranked[i]] for i in kept], [roots[ranked[i]] for i in kept], start, record)
        stay = sorted(ranked[len(kept) + len(dropped) :])
        self._head = end - len(stay)
        self._times[self._head : end] = [times[i] for i in stay]
        self._roots[self._head : end] = [roots[i] for i in stay]

    def _eager_end(self, start: float) -> int:
        """Position behind what a batch is made of: all items before ``start``, or else those of the first root then."""
        head, before = self._head, bisect_left(self._times, start, self._head)
        if before > head:
            return before
        together = bisect_right(self._times, start, head) - head
        return head + sum(1 for _ in takewhile(self._roots[head].__eq__, self._roots[head : head + together]))

    def _all_make_it(self, slacks: Sequence[float]) -> bool:
        return min(slacks) >= self.durations[len(slacks)] + self.ahead

    def _start(self, times: list[float], roots: list[int], start: float, record: _Record) -> None:
        """Have the machine that is free first take a batch."""
        if roots:
            finish = start + self.durations[len(roots)]
            self.fleet.occupy(finish)
            record.batch(times, roots, finish)

    def _drop_roots(self, roots: list[int], at: float, record: _Record) -> None:
        record.drop(roots, at)
        for root in roots:
            self._deadlines[root] = -inf


class _Record:
    """Lists that grow batch by batch and become arrays once."""

    def __init__(self) -> None:
        self.arrived: list[float] = []
        self.roots: list[int] = []
        self.finish: list[float] = []
        self.sizes: list[int] = []
        self.dropped: list[int] = []
        self.dropped_at: list[float] = []

    def batch(self, arrived: list[float], roots: list[int], finish: float) -> None:
        self.arrived += arrived
        self.roots += roots
        self.finish.append(finish)
        self.sizes.append(len(roots))

    def drop(self, roots: list[int], at: float) -> None:
        self.dropped += roots
        self.dropped_at += [at] * len(roots)

    def outcome(self) -> Outcome:
        return Outcome(
            np.array(self.roots, dtype=np.int64),
            np.array(self.arrived),
            np.repeat(np.array(self.finish), np.array(self.sizes, dtype=np.int64)),
            np.array(self.dropped, dtype=np.int64),
            np.array(self.dropped_at),
        )
