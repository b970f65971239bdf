"""From schedules to a plan: latencies by the physics, path latencies by the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.formulations.physics import tuple_latencies
from harpagon.instances.plan import ModulePlan, PipelinePlan, Plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.formulations.problem import ModuleProblem, PipelineProblem
    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import DispatchTuple
    from harpagon.instances.policies import Billing, Dispatch


def plan_module(problem: ModuleProblem, schedule: Sequence[DispatchTuple], dispatch: Dispatch) -> ModulePlan:
    """Plan of one module from its schedule in dispatch order."""
    latencies = tuple_latencies(schedule, dispatch)
    return ModulePlan(
        rate=problem.rate,
        tuples=tuple(schedule),
        tuple_latencies=latencies,
        latency=max(latencies),
        dummy_rate=max(0.0, sum(part.rate for part in schedule) - problem.rate),
        cost=sum(part.cost for part in schedule),
    )


def plan_pipeline(
    problem: PipelineProblem, schedules: Sequence[Sequence[DispatchTuple]], dispatch: Dispatch
) -> PipelinePlan:
    """Plan of one pipeline from one schedule per module, in the order of ``problem.modules``."""
    modules = {
        module.name: plan_module(module, schedule, dispatch)
        for module, schedule in zip(problem.modules, schedules, strict=True)
    }
    latency = problem.network.length([modules[name].latency for name in problem.network.modules])
    return PipelinePlan(problem.name, problem.slo, latency, modules)


def assemble_plan(instance: Instance, billing: Billing, dispatch: Dispatch, pipelines: Sequence[PipelinePlan]) -> Plan:
    """Plan of an instance from the plans of its pipelines."""
    return Plan(instance.name, billing, dispatch, tuple(pipelines), sum(pipeline.cost for pipeline in pipelines))
