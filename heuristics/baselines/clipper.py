"""Clipper (NSDI 2017), adapted to this plan space [R].

The original serves single models: each container grows its batch, by additive increase and multiplicative decrease,
to the largest that meets the latency objective, and replicas take requests in turn. It knows no pipelines, and no bill.

Adapted: the SLO, less the transfer times, is split evenly; a module's share is that of the longest path through it in
number of modules, so that no path exceeds the SLO. A module takes one configuration: the largest batch with 2 d within
its share, on the hardware type where that is cheapest. Under ``fractional`` billing the last machine pays its
occupancy (``clipper``) or is bought whole (``clipper-whole``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.graphs import PathNetwork
from harpagon.heuristics.baselines.budgets import schedule_budgets
from harpagon.heuristics.baselines.single_configuration import cheapest_type, serve_alone
from harpagon.heuristics.fleet import plan_fleet
from harpagon.instances.policies import Billing, Dispatch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harpagon.formulations.problem import ModuleProblem, PipelineProblem
    from harpagon.heuristics.scheduling_rules import ModuleSchedule
    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan


def plan_clipper(instance: Instance, billing: Billing, *, occupancy: bool = True) -> Plan | None:
    """Plan with Clipper; None where an even share is too small for every batch, or a hardware limit is in the way.

    Parameters
    ----------
    instance, billing
        What to plan, and how machines are paid for.
    occupancy
        Whether the last machine may be partly used; else it is bought whole in every billing.
    """
    paid = billing if occupancy else Billing.WHOLE

    def schedule_module(
        module: ModuleProblem, budget: float, left: Mapping[str, float] | None
    ) -> ModuleSchedule | None:
        return cheapest_type(module, budget, lambda c: serve_alone(c, module.rate, budget, paid), left)

    def schedule(problem: PipelineProblem, available: Mapping[str, float] | None) -> list[ModuleSchedule] | None:
        return schedule_budgets(problem, split_evenly(problem.network, problem.slo), available, schedule_module)

    return plan_fleet(instance, billing, Dispatch.ROUND_ROBIN, schedule)


def split_evenly(network: PathNetwork, slo: float) -> list[float]:
    """Seconds per module: (SLO - longest sum of transfer times) / modules on the longest path through it."""
    transfers = network.length([0.0] * len(network.modules))
    counting = PathNetwork(
        network.modules, _without_transfers(network.predecessors), _without_transfers(network.successors)
    )
    return [(slo - transfers) / modules for modules in counting.path_lengths([1.0] * len(network.modules))]


def _without_transfers(
    neighbours: tuple[tuple[tuple[int, float], ...], ...],
) -> tuple[tuple[tuple[int, float], ...], ...]:
    return tuple(tuple((module, 0.0) for module, _ in pairs) for pairs in neighbours)
