"""Vertical scaling alone: every module on one machine, the cheapest choice of configurations.

This is Sponge's setting carried over to pipelines: one container a module, and cores and batch size to choose. It is
exact in that setting, by depth-first search over the modules' Pareto frontiers with a cost bound.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harpagon.formulations.assembly import assemble_plan, plan_pipeline
from harpagon.formulations.pareto import pareto_front
from harpagon.formulations.physics import RATE_TOLERANCE, TIME_TOLERANCE, module_latency
from harpagon.formulations.problem import pipeline_problems
from harpagon.heuristics.fleet import machine_limits
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Dispatch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harpagon.formulations.problem import ModuleProblem, PipelineProblem
    from harpagon.instances.instance import Configuration, Instance
    from harpagon.instances.plan import PipelinePlan, Plan
    from harpagon.instances.policies import Billing


def plan_vertical(instance: Instance, billing: Billing, dispatch: Dispatch = Dispatch.TC) -> Plan | None:
    """Cheapest plan with one machine a module.

    Returns
    -------
    Plan or None
        None where there is no such plan, or where the cheapest one needs more machines of a type than there are.
    """
    pipelines = []
    for problem in pipeline_problems(instance):
        planned = plan_vertical_pipeline(problem, problem.slo, dispatch)
        if planned is None:
            return None
        pipelines.append(planned)
    plan = assemble_plan(instance, billing, dispatch, pipelines)
    return plan if _within_limits(plan, machine_limits(instance) or {}) else None


def _within_limits(plan: Plan, limits: Mapping[str, float]) -> bool:
    used = plan.usage()
    return all(used.get(name, 0.0) <= limit for name, limit in limits.items())


def plan_vertical_pipeline(
    problem: PipelineProblem,
    budget: float,
    dispatch: Dispatch,
    running: Sequence[Configuration] | None = None,
    change_cost: float = 0.0,
) -> PipelinePlan | None:
    """Cheapest schedules with one machine a module whose longest path takes at most ``budget`` seconds.

    Parameters
    ----------
    problem
        The pipeline.
    budget
        Seconds, instead of its SLO.
    dispatch
        Policy.
    running
        What each module runs now, or None.
    change_cost
        Dollars per hour that a module's change of hardware type must save to be worth it; a change of batch size
        costs nothing.
    """
    running_types = [None] * len(problem.modules) if running is None else [c.hardware for c in running]
    frontiers = [
        _frontier(module, dispatch, hardware, change_cost)
        for module, hardware in zip(problem.modules, running_types, strict=True)
    ]
    if not all(frontiers):
        return None
    search = _Search(problem, frontiers, budget)
    search.descend(0, 0.0)
    if search.best is None:
        return None
    return plan_pipeline(problem, [[DispatchTuple.full(c, 1)] for c in search.best], dispatch)


@dataclass(frozen=True, slots=True)
class _Point:
    """One machine for one module: dollars per hour with the cost of change, and worst-case latency in seconds."""

    cost: float
    latency: float
    configuration: Configuration


class _Search:
    """Depth first over the modules; modules not yet fixed count at their least latency and least cost."""

    def __init__(self, problem: PipelineProblem, frontiers: list[list[_Point]], budget: float) -> None:
        self._network = problem.network
        self._frontiers = frontiers
        self._budget = budget + TIME_TOLERANCE
        self._latencies = [min(point.latency for point in frontier) for frontier in frontiers]
        cheapest = [min(point.cost for point in frontier) for frontier in frontiers]
        self._cost_behind = [sum(cheapest[i:]) for i in range(len(cheapest) + 1)]
        self._chosen: list[Configuration] = []
        self._cost = math.inf
        self.best: tuple[Configuration, ...] | None = None

    def descend(self, module: int, cost: float) -> None:
        """Try every choice for ``module`` with the choices before it fixed, cheapest first."""
        if cost + self._cost_behind[module] >= self._cost or self._network.length(self._latencies) > self._budget:
            return
        if module == len(self._frontiers):
            self._cost, self.best = cost, tuple(self._chosen)
            return
        least = self._latencies[module]
        for point in self._frontiers[module]:
            self._latencies[module] = point.latency
            self._chosen.append(point.configuration)
            self.descend(module + 1, cost + point.cost)
            self._chosen.pop()
        self._latencies[module] = least


def _frontier(module: ModuleProblem, dispatch: Dispatch, running: str | None, change_cost: float) -> list[_Point]:
    """The single machines that keep up and that none beats in both cost and latency, cheapest first."""
    enough = module.rate * (1 - RATE_TOLERANCE)
    points = [
        _Point(
            configuration.price + (0.0 if running in (None, configuration.hardware) else change_cost),
            module_latency([DispatchTuple.full(configuration, 1)], dispatch),
            configuration,
        )
        for configuration in module.configurations
        if configuration.throughput >= enough
    ]
    return pareto_front(points, lambda point: (point.cost, point.latency))
