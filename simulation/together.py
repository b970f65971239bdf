"""Pipelines whose modules share machines are run together, window by window of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from harpagon.simulation.dispatch.turns import Host

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harpagon.instances.plan import Plan


class Advancing(Protocol):
    """A pipeline that takes its arrivals piece by piece."""

    def advance(self, times: np.ndarray, following: float) -> int:
        """Take arrivals at ``times``; all others come at ``following`` or later. Returns how many results left."""


def plan_hosts(plan: Plan) -> dict[str, Host]:
    """Name of every shared machine of a plan to a machine that is free, with those in spare."""
    planned = {pipeline.name: pipeline.modules for pipeline in plan.pipelines}
    guests = {name: guests[0] for name, guests in plan.shared_machines().items()}
    return {name: Host(planned[pipeline][module].counts()[-1]) for name, (pipeline, module) in guests.items()}


def window(plan: Plan) -> float:
    """Seconds of a window: the shortest cycle of a shared machine.

    A batch is done within a cycle of its closing, so that a module further on knows in the next window what it takes.
    """
    modules = [module for pipeline in plan.pipelines for module in pipeline.modules.values()]
    return min(m.tuple_latencies[-1] - m.pace.close_after[-1] for m in modules if m.pace is not None and m.pace.machine)


def run_together(runs: Sequence[Advancing], arrivals: Sequence[Iterator[np.ndarray]], step: float, end: float) -> None:
    """Push all arrivals of all pipelines through, ``step`` seconds at a time, up to ``end`` seconds on the clock."""
    streams = [_Stream(pieces) for pieces in arrivals]
    while (first := min(stream.next_time() for stream in streams)) < end:
        for run, stream in zip(runs, streams, strict=True):
            times = stream.before(min(first + step, end))
            run.advance(times, min(stream.next_time(), end))
    nothing = np.empty(0)
    while sum(run.advance(nothing, end) for run in runs):
        pass


class _Stream:
    """Arrivals of one pipeline, taken by time."""

    def __init__(self, pieces: Iterator[np.ndarray]) -> None:
        self._pieces = pieces
        self._held = np.empty(0)

    def next_time(self) -> float:
        """Seconds on the clock of the next arrival, infinity where there is none."""
        while not self._held.size:
            piece = next(self._pieces, None)
            if piece is None:
                return float("inf")
            self._held = piece
        return float(self._held[0])

    def before(self, end: float) -> np.ndarray:
        """Arrivals before ``end`` seconds on the clock."""
        taken = []
        while self.next_time() < end:
            count = int(np.searchsorted(self._held, end))
            taken.append(self._held[:count])
            self._held = self._held[count:]
        return np.concatenate([np.empty(0), *taken])
