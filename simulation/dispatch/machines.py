"""Machines of one group, and how long they take for a batch."""

from __future__ import annotations

from heapq import heapreplace
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np


class ServiceTime(Protocol):
    """Seconds a machine takes for one batch, given the profiled duration."""

    def __call__(self, duration: float) -> float: ...


def profiled(duration: float) -> float:
    """The profiled batch duration itself: the service time of every bound."""
    return duration


class ExponentialService:
    """Exponential service times whose mean is the profiled duration, for checks against queueing theory."""

    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator

    def __call__(self, duration: float) -> float:
        return float(self._generator.exponential(duration))


class MachineGroup:
    """Equal machines that take closed batches in the order of closing, each on the machine that is free first.

    With one fixed batch duration, free first is the same as in rotation.

    Parameters
    ----------
    machines
        Number of machines; a residual is one machine.
    duration
        Profiled seconds per batch.
    service
        Service-time model.
    """

    def __init__(self, machines: int, duration: float, service: ServiceTime = profiled) -> None:
        self.machines = machines
        self.busy = 0.0
        """Seconds of work done so far, over all machines."""
        self._duration = duration
        self._service = service
        self._free = [float("-inf")] * machines

    def run(self, closed: float) -> float:
        """Seconds on the clock at which a batch is done that closes at ``closed``."""
        free = self._free
        start = free[0] if free[0] > closed else closed
        taken = self._service(self._duration)
        self.busy += taken
        heapreplace(free, start + taken)
        return start + taken
