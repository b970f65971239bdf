"""What a method returns: the plan it holds, why it stopped, and what it proved."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from harpagon.instances.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pandas import DataFrame

    from harpagon.instances.plan import PipelinePlan


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


_WITHOUT_PLAN = {
    Termination.INFEASIBLE: "proven: no plan exists",
    Termination.LIMIT: "found no plan, which does not prove that there is none",
}
_LINES = 8
"""Of a summary, for the pipelines."""


@dataclass(frozen=True, slots=True)
class SolverInfo:
    """What ran: name, version, and the options, tolerances and seed it ran with."""

    name: str
    version: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


class Priced(Protocol):
    """What a method looks for."""

    @property
    def cost(self) -> float:
        """What is minimised."""


P_co = TypeVar("P_co", covariant=True)
Q = TypeVar("Q", bound=Priced)


@dataclass(frozen=True, slots=True)
class Solution(Generic[P_co]):
    """Outcome of one method on one problem, whatever its plan is made of: of a program the values of its columns.

    `Result` says what the attributes are.
    """

    method: str
    termination: Termination
    plan: P_co | None
    dual_bound: float
    build_time: float = 0.0
    solve_time: float = 0.0
    solver: SolverInfo = SolverInfo("")
    interrupted: bool = False

    @property
    def times(self) -> str:
        """Build and solve time, in words."""
        solved = f"solved in {duration(self.solve_time)}"
        return f"built in {duration(self.build_time)}, {solved}" if self.build_time else solved

    @property
    def objective(self: Solution[Q]) -> float | None:
        """Cost of the plan, None without one."""
        return None if self.plan is None else self.plan.cost

    @property
    def gap(self: Solution[Q]) -> float | None:
        """(objective - dual bound) / objective; None without a plan or without a bound."""
        if self.plan is None or math.isinf(self.dual_bound):
            return None
        return max(0.0, (self.plan.cost - self.dual_bound) / self.plan.cost)


@dataclass(frozen=True, slots=True)
class Result(Solution[Plan]):
    """Outcome of one method on one instance, costs in dollars per hour.

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
    interrupted
        Whether the user stopped it.
    """

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        from html import escape

        heading = self.summary().splitlines()[0]
        table = "" if self.plan is None else self.to_frame().to_html(index=False, float_format="{:.6g}".format)
        return f"<p><b>{escape(heading)}</b></p>{table}"

    def summary(self) -> str:
        """About ten lines: cost and proof, what ran, and per pipeline and module the machines."""
        solver = self.solver.name if self.solver.name == self.method else f"{self.method} ({self.solver.name})"
        lines = [f"{self._cost()}, {self.verdict}", f"{solver} {self.solver.version}: {self.times}"]
        if self.plan is None:
            return "\n".join(lines)
        lines.append(f"{self.plan.instance}: {self.plan.billing} billing, {self.plan.dispatch} dispatch")
        found = [line for pipeline in self.plan.pipelines for line in _pipeline_lines(pipeline)]
        if len(found) > _LINES:
            found = [*found[: _LINES - 1], f"... and {len(found) - _LINES + 1} lines more: to_frame() has all"]
        return "\n".join([*lines, *found])

    def to_frame(self) -> DataFrame:
        """The plan as a table, see `Plan.to_frame`; a `ValueError` without a plan."""
        if self.plan is None:
            raise ValueError(f"there is no plan to show: {self.method} {self.verdict}")
        return self.plan.to_frame()

    @property
    def verdict(self) -> str:
        """What was proven, in words."""
        if self.plan is None:
            return _WITHOUT_PLAN[self.termination]
        if math.isinf(self.dual_bound):
            return "feasible; a heuristic proves no bound"
        word = "optimal" if self.termination is Termination.OPTIMAL else "feasible"
        return f"{word}: no plan costs less than ${self.dual_bound:.4f}/h (gap {self.gap or 0.0:.2%})"

    def _cost(self) -> str:
        return "no plan" if self.plan is None else f"${self.plan.cost:.4f}/h"


def duration(seconds: float) -> str:
    """Seconds in a readable unit."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} µs"
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def _pipeline_lines(pipeline: PipelinePlan) -> Iterator[str]:
    latencies = f"{pipeline.latency * 1e3:.6g} of {pipeline.slo * 1e3:.6g} ms"
    yield f"  {pipeline.name}: ${pipeline.cost:.4f}/h, {latencies}"
    wide = max(map(len, pipeline.modules))
    for name, module in pipeline.modules.items():
        machines = ", ".join(f"{part.machines:.4g} x {part.configuration}" for part in module.tuples)
        yield f"    {name:<{wide}}  ${module.cost:.4f}/h  {module.latency * 1e3:.6g} ms  {machines}"


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
