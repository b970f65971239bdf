"""One module: a queue in order of arrival, batches that start when full or due, a changing fleet."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

import numpy as np

from harpagon.simulation.slopt.drop import Drop, choose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.simulation.slopt.fleet import Fleet


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


class Queue:
    """Serves one module.

    A batch of up to b requests starts when a machine is free and either b requests wait or the first of them has
    waited for the time that b requests take at full capacity, b / (n t).

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
    """

    def __init__(self, fleet: Fleet, durations: Sequence[float], drop: Drop, deadlines: list[float]) -> None:
        self.fleet = fleet
        self.ahead = 0.0
        """Estimated seconds from the end of this module to the end of the pipeline."""
        self.arrived = 0
        """Items sent here, those still under way included."""
        self.admitted: list[float] = []
        """Times of the items that came in the last period."""
        self.finished = 0
        self.dropped = 0
        self._durations = list(durations)
        self._batch = len(self._durations) - 1
        self._drop = drop
        self._deadlines = deadlines
        self._times: list[float] = []
        self._roots: list[int] = []
        self._head = 0
        self._later_times = np.empty(0)
        self._later_roots = np.empty(0, dtype=np.int64)

    @property
    def waiting(self) -> int:
        """Items that have come or are under way, neither finished nor dropped."""
        return len(self._times) - self._head + int(self._later_times.size)

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
        outcome = record.outcome()
        self.finished += int(outcome.roots.size)
        self.dropped += int(outcome.dropped.size)
        return outcome

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
        times, batch = self._times, self._batch
        hold = self._durations[batch] / len(free)
        serve = self._whole_batch if self._drop is Drop.NONE else self._chosen_batch
        while self._head < len(times):
            last = self._head + batch - 1
            close = times[self._head] + hold
            if last < len(times) and times[last] < close:
                close = times[last]
            start = free[0] if free[0] > close else close
            if start >= end:
                return
            serve(start, record)

    def _whole_batch(self, start: float, record: _Record) -> None:
        end = min(bisect_right(self._times, start, self._head), self._head + self._batch)
        finish = start + self._durations[end - self._head]
        self.fleet.occupy(finish)
        record.batch(self._times[self._head : end], self._roots[self._head : end], finish)
        self._head = end

    def _chosen_batch(self, start: float, record: _Record) -> None:
        head = self._head
        end = bisect_right(self._times, start, head)
        size = min(end - head, self._batch)
        deadlines = [self._deadlines[root] for root in self._roots[head : head + size]]
        if min(deadlines) - start >= self._durations[size] + self.ahead:
            self._whole_batch(start, record)
            return
        roots = self._roots[head : min(end, head + _LOOK_AHEAD * self._batch)]
        slacks = [self._deadlines[root] - start for root in roots]
        kept, dropped = choose(self._drop, slacks, self._durations, self.ahead)
        self._head = head + 1 + max(kept[-1] if kept else -1, max(dropped, default=-1))
        self._drop_roots([roots[i] for i in dropped], start, record)
        if kept:
            finish = start + self._durations[len(kept)]
            self.fleet.occupy(finish)
            record.batch([self._times[head + i] for i in kept], [roots[i] for i in kept], finish)

    def _drop_roots(self, roots: list[int], at: float, record: _Record) -> None:
        record.drop(roots, at)
        for root in roots:
            self._deadlines[root] = -inf


_LOOK_AHEAD = 2
"""Batches of waiting requests that a drop policy sees at once."""


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
