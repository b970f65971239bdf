"""The plan a method starts from: the user's, or one configuration per module."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from harpagon.formulations.assembly import assemble_plan, plan_pipeline
from harpagon.formulations.bounds import first_plan
from harpagon.formulations.checker import check

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.formulations.problem import PipelineProblem
    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import DispatchTuple, Plan
    from harpagon.instances.policies import Billing, Dispatch
    from harpagon.solvers.options import SolverOptions

Schedule = tuple["DispatchTuple", ...]


@dataclass(slots=True)
class Incumbent:
    """The best plan so far; every plan offered goes through the checker.

    Attributes
    ----------
    plan
        Cheapest plan accepted, or None.
    start
        What became of the plan in the options: "none", "used", or "refused" with the reason.
    """

    instance: Instance
    problems: tuple[PipelineProblem, ...]
    billing: Billing
    dispatch: Dispatch
    plan: Plan | None = None
    start: str = "none"
    _begin: float = field(default_factory=time.perf_counter)

    @property
    def cost(self) -> float:
        """Dollars per hour of the plan, infinity without one."""
        return math.inf if self.plan is None else self.plan.cost

    def assemble(self, schedules: Sequence[Schedule]) -> Plan:
        """Plan from one schedule per module, the modules of all pipelines in one list."""
        ends = [0, *accumulate(len(problem.modules) for problem in self.problems)]
        pipelines = [
            plan_pipeline(problem, schedules[begin:end], self.dispatch)
            for problem, (begin, end) in zip(self.problems, pairwise(ends), strict=True)
        ]
        return assemble_plan(self.instance, self.billing, self.dispatch, pipelines)

    def offer(self, plan: Plan) -> str | None:
        """Keep ``plan`` if it stands and is cheaper; returns the first fault of a plan that does not stand."""
        faults = check(self.instance, plan).violations
        if faults:
            return str(faults[0])
        if plan.cost < self.cost:
            self.plan = plan
        return None


def first_incumbent(
    instance: Instance,
    problems: tuple[PipelineProblem, ...],
    billing: Billing,
    dispatch: Dispatch,
    options: SolverOptions,
) -> tuple[Incumbent, bool]:
    """Incumbent from the start plan and from `first_plan`; False where a pipeline has no plan under any limits."""
    incumbent = Incumbent(instance, problems, billing, dispatch)
    firsts = [first_plan(problem, dispatch) for problem in problems]
    reachable = [first for first in firsts if first is not None]
    if len(reachable) < len(firsts):
        return incumbent, False
    incumbent.offer(incumbent.assemble([schedule for first in reachable for schedule in first]))
    if options.start is not None:
        incumbent.start = _offer_start(incumbent, options.start)
    return incumbent, True


def _offer_start(incumbent: Incumbent, start: Plan) -> str:
    if (start.billing, start.dispatch) != (incumbent.billing, incumbent.dispatch):
        return f"refused: a plan for {start.billing} billing under {start.dispatch} dispatch"
    cost = incumbent.cost
    fault = incumbent.offer(start)
    if fault is not None:
        return f"refused: {fault}"
    return "used" if start.cost < cost else f"not used: a plan of {cost:.6g} $/h was at hand"
