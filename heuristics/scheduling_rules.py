"""What a module scheduler may do, and the rate that a tuple needs to keep a latency budget."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harpagon.formulations.physics import RATE_TOLERANCE, TIME_TOLERANCE, collects, execution, module_latency
from harpagon.instances.policies import Billing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harpagon.instances.instance import Configuration
    from harpagon.instances.plan import DispatchTuple
    from harpagon.instances.policies import Dispatch

ROUNDING = TIME_TOLERANCE / 1000
"""Seconds a module may pass its budget by rounding: a path of 1,000 modules stays within `TIME_TOLERANCE`."""
RATE_ROUNDING = RATE_TOLERANCE / 2
"""Relative rate that may stay unserved by rounding."""


class OutOfTimeError(Exception):
    """A heuristic was cut off at its deadline."""


@dataclass(frozen=True, slots=True)
class SchedulingRules:
    """Rules of one module scheduler.

    Attributes
    ----------
    billing
        Whether the last machine is paid for whole or by the fraction used.
    dispatch
        Any but ``free``.
    max_configurations
        Configurations one module may mix, None for any number. A residual of a configuration that is also used in
        full counts once.
    dummies
        Whether the dummy generator may complete a machine.
    deadline
        Reading of ``time.perf_counter`` at which the heuristic is cut off.
    """

    billing: Billing
    dispatch: Dispatch
    max_configurations: int | None = None
    dummies: bool = True
    deadline: float = math.inf

    @property
    def pads(self) -> bool:
        """Whether dummies may raise the rate of a residual: cost then falls continuously with the budget."""
        return self.dummies and self.billing is Billing.FRACTIONAL

    def check_time(self) -> None:
        """Raise `OutOfTimeError` past the deadline."""
        if time.perf_counter() > self.deadline:
            raise OutOfTimeError

    def full_keeps(self, configuration: Configuration, collecting: float, budget: float) -> bool:
        """Whether a full tuple that collects at so many requests per second keeps ``budget``.

        Under ``tc`` the collecting rate is that of the tuple and all after it, under ``per-config`` that of the tuple;
        under ``round-robin`` latency depends on no rate.
        """
        if not collects(self.dispatch):
            return self.keeps(execution(configuration, self.dispatch), budget)
        return self.last_keeps(configuration, collecting, budget)

    def last_keeps(self, configuration: Configuration, rate: float, budget: float) -> bool:
        """Whether a partly used machine at ``rate`` keeps ``budget``."""
        return self.keeps(configuration.duration + configuration.batch / rate, budget)

    def keeps(self, latency: float, budget: float) -> bool:
        """Whether ``latency`` is within ``budget``: the only way in which a scheduler may look at its budget."""
        return latency <= budget


@dataclass(frozen=True, slots=True)
class ModuleSchedule:
    """Tuples of one module in dispatch order, with their cost ($/hour) and worst-case latency (s)."""

    tuples: tuple[DispatchTuple, ...]
    cost: float
    latency: float

    @classmethod
    def of(cls, tuples: Sequence[DispatchTuple], dispatch: Dispatch) -> ModuleSchedule:
        """Schedule of ``tuples`` under ``dispatch``."""
        return cls(tuple(tuples), sum(part.cost for part in tuples), module_latency(tuples, dispatch))


def cost_of(tuples: Sequence[DispatchTuple] | None) -> float:
    """Dollars per hour of a list of tuples; infinity without one."""
    return math.inf if tuples is None else sum(part.cost for part in tuples)


def machines_left(hardware: str, tuples: Iterable[DispatchTuple], available: Mapping[str, float] | None) -> float:
    """Machines of a hardware type that ``tuples`` leave over; infinity without a limit."""
    if not available or hardware not in available:
        return math.inf
    used = sum(part.machines for part in tuples if part.configuration.hardware == hardware)
    return available[hardware] * (1 + RATE_ROUNDING) - used
