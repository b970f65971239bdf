"""From schedules to a plan: latencies by the physics, path latencies by the graph."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harpagon.formulations.physics import keeps_streams
from harpagon.formulations.problem import pipeline_problem
from harpagon.instances.checks import expect
from harpagon.instances.errors import InputError
from harpagon.instances.instance import Instance
from harpagon.instances.plan import ModulePlan, Pace, PipelinePlan, Plan
from harpagon.instances.policies import Dispatch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harpagon.formulations.problem import ModuleProblem, PipelineProblem
    from harpagon.instances.plan import DispatchTuple
    from harpagon.instances.policies import Billing


def plan_module(problem: ModuleProblem, schedule: Sequence[DispatchTuple], dispatch: Dispatch) -> ModulePlan:
    """Plan of one module from its schedule in dispatch order; when a paced one starts is for its pipeline to say."""
    service, latencies = problem.served(schedule, dispatch)
    return ModulePlan(
        rate=problem.rate,
        tuples=tuple(schedule),
        tuple_latencies=latencies,
        latency=max(latencies),
        dummy_rate=max(0.0, sum(part.rate for part in schedule) - problem.rate),
        cost=sum(part.cost for part in schedule),
        pace=None if service is None else Pace(service.dispatcher.value, 0.0, service.close_after),
    )


def plan_pipeline(
    problem: PipelineProblem, schedules: Sequence[Sequence[DispatchTuple]], dispatch: Dispatch
) -> PipelinePlan:
    """Plan of one pipeline from one schedule per module, in the order of ``problem.modules``."""
    planned = [plan_module(module, own, dispatch) for module, own in zip(problem.modules, schedules, strict=True)]
    return plan_of_modules(problem, planned, dispatch)


def plan_of_modules(problem: PipelineProblem, planned: Sequence[ModulePlan], dispatch: Dispatch) -> PipelinePlan:
    """Plan of one pipeline from the plans of its modules, in the order of ``problem.modules``."""
    modules = {module.name: plan for module, plan in zip(problem.modules, planned, strict=True)}
    latencies = [modules[name].latency for name in problem.network.modules]
    if keeps_streams(dispatch):
        starts = zip(problem.network.modules, problem.network.heads(latencies), strict=True)
        modules = {name: _starting(modules[name], problem.entry + start) for name, start in starts}
    entry = problem.entry
    return PipelinePlan(problem.name, problem.slo + entry, problem.network.length(latencies) + entry, modules)


def _starting(module: ModulePlan, start: float) -> ModulePlan:
    return module if module.pace is None else replace(module, pace=replace(module.pace, start=start))


def assemble_plan(instance: Instance, billing: Billing, dispatch: Dispatch, pipelines: Sequence[PipelinePlan]) -> Plan:
    """Plan of an instance from the plans of its pipelines; machines that fill up bundles cost as much as others."""
    cost, spare = sum(pipeline.cost for pipeline in pipelines), min(pipeline.spare for pipeline in instance.pipelines)
    plan = Plan(instance.name, billing, dispatch, tuple(pipelines), cost, spare=spare)
    idle = idle_machines(instance, plan)
    return replace(plan, cost=cost + sum(instance.hardware[name].price * count for name, count in idle.items()))


def idle_machines(instance: Instance, plan: Plan) -> dict[str, float]:
    """Machines of each hardware type that stand idle because it is sold in bundles; types without any are left out."""
    if all(hardware.bundle == 1 for hardware in instance.hardware.values()):
        return {}
    used = plan.usage()
    idle = {name: hardware.idle(used.get(name, 0.0)) for name, hardware in instance.hardware.items()}
    return {name: count for name, count in idle.items() if count}


def assemble(
    instance: Instance,
    schedules: Mapping[str, Mapping[str, Sequence[DispatchTuple]]],
    billing: Billing | None = None,
    dispatch: Dispatch = Dispatch.TC,
) -> Plan:
    """Plan of an instance from its schedules by name; it may miss an SLO or a limit, which `check` tells.

    Parameters
    ----------
    instance
        What is planned.
    schedules
        Pipeline name to module name to tuples in dispatch order.
    billing
        How machines are billed; None for the billing of the instance.
    dispatch
        Policy that latencies are computed for.

    Raises
    ------
    InputError
        Where a pipeline or a module has no tuples.
    """
    expect(Instance, instance=instance)
    pipelines = []
    for pipeline in instance.pipelines:
        problem, given = pipeline_problem(instance, pipeline), schedules.get(pipeline.name, {})
        for module in problem.modules:
            if not given.get(module.name):
                place = f"{pipeline.name}.{module.name}"
                raise InputError("schedules", place, "has no tuples", "Give every module at least one tuple")
        pipelines.append(plan_pipeline(problem, [given[module.name] for module in problem.modules], dispatch))
    plan = assemble_plan(instance, billing or instance.billing, dispatch, pipelines)
    return replace(plan, instance_digest=instance.digest())
