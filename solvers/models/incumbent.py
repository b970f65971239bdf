"""The plan a method starts from: one configuration per module, a heuristic's, or the user's."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harpagon.formulations.assembly import assemble_plan, plan_pipeline
from harpagon.formulations.bounds import first_plan, hardware_limits, is_reachable
from harpagon.formulations.checker import check
from harpagon.formulations.physics import COST_TOLERANCE, has_free_order, keeps_streams
from harpagon.formulations.problem import module_spans
from harpagon.instances.policies import Dispatch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harpagon.formulations.problem import PipelineProblem
    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import DispatchTuple, Plan
    from harpagon.instances.policies import Billing
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

    @property
    def cost(self) -> float:
        """Dollars per hour of the plan, infinity without one."""
        return math.inf if self.plan is None else self.plan.cost

    def assemble(self, schedules: Sequence[Schedule]) -> Plan:
        """Plan from one schedule per module, the modules of all pipelines in one list."""
        pipelines = [
            plan_pipeline(problem, schedules[begin:end], self.dispatch)
            for problem, (begin, end) in zip(self.problems, module_spans(self.problems), strict=True)
        ]
        return assemble_plan(self.instance, self.billing, self.dispatch, pipelines)

    def propose(self, schedules: Sequence[Schedule]) -> None:
        """Offer the plan of schedules that were made for another policy; one that keeps no latency here is none."""
        modules = [module for problem in self.problems for module in problem.modules]
        pairs = zip(modules, schedules, strict=True)
        if not keeps_streams(self.dispatch) or all(module.service(schedule) is not None for module, schedule in pairs):
            self.offer(self.assemble(schedules))

    def offer(self, plan: Plan) -> str | None:
        """Keep ``plan`` if it stands and is cheaper; returns the first fault of a plan that does not stand."""
        faults = check(self.instance, plan).violations
        if faults:
            return str(faults[0])
        if plan.cost < self.cost:
            self.plan = plan
        return None

    def offer_quicker(self, plan: Plan) -> str | None:
        """As `offer`, of a plan that costs no more: kept if the sum of latency / SLO over its pipelines is smaller."""
        faults = check(self.instance, plan).violations
        if faults:
            return str(faults[0])
        if plan.cost <= self.cost * (1 + COST_TOLERANCE) and (self.plan is None or _length(plan) < _length(self.plan)):
            self.plan = plan
        return None


def _length(plan: Plan) -> float:
    return sum(pipeline.latency / pipeline.slo for pipeline in plan.pipelines)


def first_incumbent(
    instance: Instance,
    problems: tuple[PipelineProblem, ...],
    billing: Billing,
    dispatch: Dispatch,
    options: SolverOptions,
    deadline: float = math.inf,
) -> tuple[Incumbent, bool]:
    """Incumbent from every plan that is quickly made; False where a pipeline has no plan under any limits.

    Without hardware limits there is a plan in it, from the first milliseconds on.
    """
    incumbent = Incumbent(instance, problems, billing, dispatch)
    if not all(is_reachable(problem, dispatch) for problem in problems):
        return incumbent, False
    for schedules in _single_configurations(instance, problems, dispatch):
        incumbent.propose(schedules)
    if options.start is not None:
        incumbent.start = offer_start(incumbent, options.start)
    if incumbent.start != "used":
        for schedules in _heuristic(instance, billing, dispatch, deadline):
            incumbent.propose(schedules)
    return incumbent, True


_MOST_MODULES = 200
"""Modules of a pipeline above which Harpagon, whose time grows with their square, takes longer than the proof."""
_GRACE = 0.2
"""Seconds beyond the deadline in which a first plan may still be made, since no plan is worth less."""
_SLOWER = 100.0
"""Times that Harpagon may take longer under such a policy than under ``tc``."""


def _single_configurations(
    instance: Instance, problems: tuple[PipelineProblem, ...], dispatch: Dispatch
) -> Iterator[list[Schedule]]:
    """One configuration per module, of any type, and of types without limit where a module has them."""
    limits = hardware_limits(instance)
    variants = [problems, tuple(_without(problem, limits) for problem in problems)] if limits else [problems]
    for variant in variants:
        firsts = [first_plan(problem, dispatch) for problem in variant]
        if None not in firsts:
            yield [schedule for first in firsts for schedule in first or ()]


def _without(problem: PipelineProblem, limits: Mapping[str, int]) -> PipelineProblem:
    """The pipeline off limited types, as far as its modules have others."""
    modules = []
    for module in problem.modules:
        kept = tuple(c for c in module.configurations if c.hardware not in limits)
        modules.append(replace(module, configurations=kept or module.configurations))
    return replace(problem, modules=tuple(modules))


def _heuristic(instance: Instance, billing: Billing, dispatch: Dispatch, deadline: float) -> Iterator[list[Schedule]]:
    """Schedules of Harpagon's heuristic under ``tc`` and, if time is left, under ``dispatch``, of all pipelines.

    Its splitter goes by estimates, which is ten times as quick as asking the module scheduler.
    """
    if max(len(pipeline.graph) for pipeline in instance.pipelines) > _MOST_MODULES:
        return
    from harpagon.heuristics.harpagon.plan import HarpagonOptions, Splitter, plan_harpagon

    begin = time.perf_counter()
    its_own = not (has_free_order(dispatch) or keeps_streams(dispatch))
    for policy in dict.fromkeys((Dispatch.TC, dispatch) if its_own else (Dispatch.TC,)):
        options = HarpagonOptions(dispatch=policy, splitter=Splitter.ESTIMATE)
        plan = plan_harpagon(instance, billing, options, deadline + _GRACE)
        if plan is not None:
            yield [module.tuples for pipeline in plan.pipelines for module in pipeline.modules.values()]
        now = time.perf_counter()
        if now + _SLOWER * (now - begin) > deadline:
            return


def offer_start(incumbent: Incumbent, start: Plan) -> str:
    """Offer a plan to start from; returns what became of it, in words."""
    if (start.billing, start.dispatch) != (incumbent.billing, incumbent.dispatch):
        return f"refused: a plan for {start.billing} billing under {start.dispatch} dispatch"
    cost = incumbent.cost
    fault = incumbent.offer(start)
    if fault is not None:
        return f"refused: {fault}"
    return "used" if start.cost < cost else f"not used: a plan of {cost:.6g} $/h was at hand"
