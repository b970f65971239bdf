"""Vertical scaling alone: every module on one machine, the cheapest choice of configurations.

This is Sponge's setting carried over to pipelines: one container a module, and cores and batch size to choose. It is
exact in that setting, by depth-first search over the modules' Pareto frontiers with a cost bound.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harpagon.formulations.assembly import assemble_plan, plan_pipeline
from harpagon.formulations.physics import RATE_TOLERANCE, TIME_TOLERANCE, module_latency
from harpagon.formulations.problem import pipeline_problems
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Billing, Dispatch

if TYPE_CHECKING:
    from harpagon.formulations.problem import ModuleProblem, PipelineProblem
    from harpagon.instances.instance import Configuration, Instance
    from harpagon.instances.plan import PipelinePlan, Plan


def plan_vertical(instance: Instance, dispatch: Dispatch = Dispatch.TC) -> Plan | None:
    """Cheapest plan in whole billing with one machine a module; None where there is none.

    Limits of hardware types are not looked at: a core count stands for a size of container, not for a stock.
    """
    pipelines = []
    for problem in pipeline_problems(instance):
        planned = plan_vertical_pipeline(problem, problem.slo, dispatch)
        if planned is None:
            return None
        pipelines.append(planned)
    return assemble_plan(instance, Billing.WHOLE, dispatch, pipelines)


def plan_vertical_pipeline(problem: PipelineProblem, budget: float, dispatch: Dispatch) -> PipelinePlan | None:
    """Cheapest schedules with one machine a module whose longest path takes at most ``budget`` seconds."""
    frontiers = [_frontier(module, dispatch) for module in problem.modules]
    if not all(frontiers):
        return None
    search = _Search(problem, frontiers, budget)
    search.descend(0, 0.0)
    if search.best is None:
        return None
    return plan_pipeline(problem, [[DispatchTuple.full(c, 1)] for c in search.best], dispatch)


class _Search:
    """Depth first over the modules; modules not yet fixed count at their least latency and least cost."""

    def __init__(
        self, problem: PipelineProblem, frontiers: list[list[tuple[float, Configuration]]], budget: float
    ) -> None:
        self._network = problem.network
        self._frontiers = frontiers
        self._budget = budget + TIME_TOLERANCE
        self._latencies = [min(latency for latency, _ in frontier) for frontier in frontiers]
        cheapest = [min(c.price for _, c in frontier) for frontier in frontiers]
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
        for latency, configuration in self._frontiers[module]:
            self._latencies[module] = latency
            self._chosen.append(configuration)
            self.descend(module + 1, cost + configuration.price)
            self._chosen.pop()
        self._latencies[module] = least


def _frontier(module: ModuleProblem, dispatch: Dispatch) -> list[tuple[float, Configuration]]:
    """Latency and configuration of the single machines that keep up, cheapest first, each faster than the last."""
    enough = module.rate * (1 - RATE_TOLERANCE)
    points = [
        (configuration.price, module_latency([DispatchTuple.full(configuration, 1)], dispatch), configuration)
        for configuration in module.configurations
        if configuration.throughput >= enough
    ]
    frontier: list[tuple[float, Configuration]] = []
    for _, latency, configuration in sorted(points, key=lambda point: point[:2]):
        if not frontier or latency < frontier[-1][0]:
            frontier.append((latency, configuration))
    return frontier
