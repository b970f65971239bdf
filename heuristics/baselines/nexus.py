"""Nexus (SOSP 2019), adapted to this plan space.

The original packs sessions on a cluster of equal GPUs: each session takes the largest batch whose doubled duration
meets its latency budget, fills whole GPUs with it, and shares a last GPU with what is left over (squishy bin packing).
Read in the published scheduler (uwsampl/nexus, ``backend_delegate.cpp``): what is left over takes the largest batch
that still collects in time, and occupies d / min(L - d, b / rate) of a GPU, its duty cycle. The budgets of a query's
stages come from dynamic programming over quantised latencies [R].

Adapted: GPUs are not shared between models. What is left over is one residual tuple that pays its duty cycle under
``fractional`` billing, and one more padded machine under ``whole``. A module takes the hardware type that is cheapest
for its budget, since the original knows one type. The grid of the split is 1 % of the SLO [R], and the programme works
on any DAG (`harpagon.heuristics.harpagon.quantised_splitter`).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harpagon.heuristics.baselines.budgets import schedule_budgets
from harpagon.heuristics.baselines.single_configuration import cheapest_type, partly_used, serve_with_last
from harpagon.heuristics.fleet import plan_fleet
from harpagon.heuristics.harpagon.quantised_splitter import split_on_grid
from harpagon.heuristics.scheduling_rules import ROUNDING
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Billing, Dispatch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harpagon.formulations.problem import ModuleProblem, PipelineProblem
    from harpagon.heuristics.scheduling_rules import ModuleSchedule
    from harpagon.instances.instance import Configuration, Instance
    from harpagon.instances.plan import Plan

GRID = 0.01
"""Step of the latency split as a share of the SLO [R]."""


def plan_nexus(instance: Instance, billing: Billing) -> Plan | None:
    """Plan with Nexus; None where no budgets on the grid suffice, or a hardware limit is in the way."""

    def schedule(problem: PipelineProblem, available: Mapping[str, float] | None) -> list[ModuleSchedule] | None:
        def cost(module: int, budget: float) -> float:
            found = schedule_module_nexus(problem.modules[module], budget, billing)
            return math.inf if found is None else found.cost

        def schedule_module(
            module: ModuleProblem, budget: float, left: Mapping[str, float] | None
        ) -> ModuleSchedule | None:
            return schedule_module_nexus(module, budget, billing, left)

        budgets = split_on_grid(problem.network, problem.slo, GRID, cost)
        return schedule_budgets(problem, budgets, available, schedule_module)

    return plan_fleet(instance, billing, Dispatch.ROUND_ROBIN, schedule)


def schedule_module_nexus(
    module: ModuleProblem, budget: float, billing: Billing, available: Mapping[str, float] | None = None
) -> ModuleSchedule | None:
    """Full machines of the largest batch, then one residual tuple, on the cheapest hardware type.

    Parameters
    ----------
    module
        Rate and configurations.
    budget
        Worst-case latency allowed, seconds.
    billing
        How the last machine is paid for.
    available
        Machines left per limited hardware type.
    """

    def serve(leading: Configuration) -> list[DispatchTuple]:
        def last(rest: float) -> DispatchTuple | None:
            return _residual(module, leading.hardware, rest, budget)

        return serve_with_last(leading, module.rate, billing, last)

    return cheapest_type(module, budget, serve, available)


def _residual(module: ModuleProblem, hardware: str, rest: float, budget: float) -> DispatchTuple | None:
    """Residual of the largest batch that fills in time but for one request; without one, of the least duty cycle."""
    own = (c for c in module.configurations if c.hardware == hardware)
    fitting = [residual for c in own if (residual := partly_used(c, rest, budget))]
    filling = [one for one in fitting if _fills(one.configuration, rest, budget)]
    if filling:
        return max(filling, key=lambda residual: residual.configuration.batch)
    return min(fitting, key=lambda residual: residual.cost, default=None)


def _fills(configuration: Configuration, rest: float, budget: float) -> bool:
    """Whether (b - 1) / rate + d is within the budget: batch = ceil(rate x duty cycle), as in the original."""
    return (configuration.batch - 1) / rest + configuration.duration <= budget + ROUNDING
