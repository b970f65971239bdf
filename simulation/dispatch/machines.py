"""Machines of one group, how long they take for a batch, and what befalls them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from harpagon.simulation.flow.fleet import Fleet

if TYPE_CHECKING:
    import numpy as np


class ServiceTime(Protocol):
    """Seconds a machine takes for one batch, given the profiled duration."""

    def __call__(self, duration: float) -> float: ...


def profiled(duration: float) -> float:
    """The profiled batch duration itself: the service time of every bound."""
    return duration


class LognormalService:
    """Lognormal service times whose mean is the profiled duration.

    Parameters
    ----------
    variation
        Coefficient of variation: with sigma^2 = ln(1 + variation^2) a batch takes duration exp(sigma z - sigma^2 / 2).
    generator
        Draws z.
    """

    def __init__(self, variation: float, generator: np.random.Generator) -> None:
        self._variance = math.log1p(variation**2)
        self._generator = generator

    def __call__(self, duration: float) -> float:
        normal = self._generator.standard_normal()
        return duration * math.exp(math.sqrt(self._variance) * normal - self._variance / 2)


@dataclass(frozen=True, slots=True)
class Fault:
    """What befalls the machines of one group.

    Attributes
    ----------
    time
        Seconds on the clock at which it happens.
    stall
        Seconds by which the first batch that starts from then on takes longer.
    lost
        Machines that take no batch from then on, those that are free first; what they work on they finish.
    """

    time: float = math.inf
    stall: float = 0.0
    lost: int = 0


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
    fault
        What befalls them; nothing by default. It leaves at least one machine.
    fleet
        The machines; groups that take turns share one. None for a new one.
    """

    def __init__(
        self,
        machines: int,
        duration: float,
        service: ServiceTime = profiled,
        fault: Fault | None = None,
        fleet: Fleet | None = None,
    ) -> None:
        self.machines = machines
        self.busy = 0.0
        """Seconds of work done so far, over all machines."""
        self._duration = duration
        self._service = service
        self._fleet = Fleet(machines) if fleet is None else fleet
        self._fault = fault or Fault()
        self._loss, self._stall = self._fault.time, self._fault.time

    def run(self, closed: float) -> float:
        """Seconds on the clock at which a batch is done that closes at ``closed``."""
        if closed >= self._loss:
            left = min(len(self._fleet), self.machines - self._fault.lost)  # a module that shares it may have lost it
            self._fleet.resize(self._loss, left)
            self._loss = math.inf
        free = self._fleet.free[0]
        start = free if free > closed else closed
        taken = self._service(self._duration)
        if start >= self._stall:
            taken += self._fault.stall
            self._stall = math.inf
        self.busy += taken
        self._fleet.occupy(start + taken)
        return start + taken
