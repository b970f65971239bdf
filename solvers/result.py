"""What a method returns: the plan it holds, why it stopped, and what it proved."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harpagon.instances.plan import Plan


class Termination(StrEnum):
    """Why a method stopped. What it holds is told by `Result.plan` and `Result.dual_bound`."""

    OPTIMAL = "optimal"
    """The plan is proven optimal."""
    FEASIBLE = "feasible"
    """There is a plan without a proof of optimality: a heuristic's, or a limit was hit after a plan was found."""
    INFEASIBLE = "infeasible"
    """Proven: there is no plan."""
    LIMIT = "limit"
    """A limit was hit before any plan was found, or a heuristic found none: neither proves that there is none."""


@dataclass(frozen=True, slots=True)
class SolverInfo:
    """What ran: name, version, and the options, tolerances and seed it ran with."""

    name: str
    version: str
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    """Outcome of one method on one instance.

    Attributes
    ----------
    method
        Name of the method as on the command line.
    termination
        Why it stopped.
    plan
        The best plan found, or None.
    dual_bound
        No plan costs less, in dollars per hour. Always valid: minus infinity where nothing was proven, infinity
        where it was proven that there is no plan.
    build_time, solve_time
        Seconds spent on setting the problem up and on solving it.
    solver
        What ran.
    """

    method: str
    termination: Termination
    plan: Plan | None
    dual_bound: float
    build_time: float
    solve_time: float
    solver: SolverInfo

    @property
    def objective(self) -> float | None:
        """Dollars per hour of the plan, None without one."""
        return None if self.plan is None else self.plan.cost

    @property
    def gap(self) -> float | None:
        """(objective - dual bound) / objective; None without a plan or without a bound."""
        if self.plan is None or math.isinf(self.dual_bound):
            return None
        return max(0.0, (self.plan.cost - self.dual_bound) / self.plan.cost)


class SolveInterrupted(KeyboardInterrupt):
    """Ctrl-C during a solve.

    Attributes
    ----------
    result
        What the method held: the best plan and a valid bound.
    """

    def __init__(self, result: Result) -> None:
        super().__init__("interrupted")
        self.result = result
