"""What a whole system runs: the configurations of its own offline planner.

A planner plans the first pipeline of an instance at a rate, every machine bought whole. A module of the engine runs one
configuration, so of a schedule of several tuples the one that serves most requests stands for the module, and its
machines are those that the module's whole rate takes.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from harpagon.formulations.problem import pipeline_problem
from harpagon.heuristics.baselines.clipper import plan_clipper
from harpagon.heuristics.baselines.inferline import plan_inferline
from harpagon.heuristics.baselines.nexus import plan_nexus
from harpagon.instances.policies import Billing
from harpagon.simulation.slopt.engine import Assignment
from harpagon.simulation.slopt.run import NoPlanError
from harpagon.solvers.methods import solve

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import ModulePlan, Plan

    Planner: TypeAlias = Callable[[Instance], Plan | None]


def nexus(instance: Instance) -> Plan | None:
    """Nexus: `harpagon.heuristics.baselines.nexus`."""
    return plan_nexus(instance, Billing.WHOLE)


def clipper(instance: Instance) -> Plan | None:
    """Clipper: `harpagon.heuristics.baselines.clipper`."""
    return plan_clipper(instance, Billing.WHOLE)


def inferline(instance: Instance) -> Plan | None:
    """InferLine: `harpagon.heuristics.baselines.inferline`."""
    return plan_inferline(instance, Billing.WHOLE)


def scrooge(instance: Instance) -> Plan | None:
    """Scrooge: the exact method under its dispatch policy, the method ``scrooge``."""
    return solve(instance, "scrooge", Billing.WHOLE).plan


def plan_assignments(instance: Instance, rate: float, planner: Planner) -> list[Assignment]:
    """Configuration, machines and latency of every module at ``rate`` requests per second, in topological order.

    Raises
    ------
    NoPlanError
        Where the planner has no plan.
    """
    pipeline = replace(instance.pipelines[0], rate=rate)
    alone = replace(instance, pipelines=(pipeline,))
    plan = planner(alone)
    if plan is None:
        raise NoPlanError(f"{instance.name}: {planner.__name__} has no plan at {rate:.6g} req/s")
    modules = pipeline_problem(alone, pipeline).network.modules
    return [_leading(plan.pipelines[0].modules[name]) for name in modules]


def _leading(module: ModulePlan) -> Assignment:
    configuration = max(module.tuples, key=lambda part: part.rate).configuration
    return Assignment(configuration, math.ceil(module.rate / configuration.throughput - 1e-9), module.latency)
