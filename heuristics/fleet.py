"""Pipelines planned one after another under shared hardware limits: the frame of every heuristic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.formulations.assembly import assemble_plan, plan_pipeline
from harpagon.formulations.problem import pipeline_problems
from harpagon.instances.plan import machines_used

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harpagon.formulations.problem import PipelineProblem
    from harpagon.heuristics.scheduling_rules import ModuleSchedule
    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan
    from harpagon.instances.policies import Billing, Dispatch


def plan_fleet(
    instance: Instance,
    billing: Billing,
    dispatch: Dispatch,
    schedule: Callable[[PipelineProblem, Mapping[str, float] | None], Sequence[ModuleSchedule] | None],
) -> Plan | None:
    """Plan every pipeline of an instance, the one with the least room in its SLO first.

    Each pipeline leaves the limited machines it takes out of the next one's reach.

    Parameters
    ----------
    instance
        Hardware, profiles, pipelines.
    billing, dispatch
        What the plan says of itself.
    schedule
        From a pipeline and the machines left per limited type (None without limits) to one schedule per module, or
        None where it finds none.

    Returns
    -------
    Plan or None
        None where one pipeline finds no schedules; that is no proof that there is no plan.
    """
    problems = pipeline_problems(instance)
    available: Mapping[str, float] | None = machine_limits(instance)
    planned = {}
    for problem in by_tightness(problems):
        schedules = schedule(problem, available)
        if schedules is None:
            return None
        available = left_over(available, schedules)
        planned[problem.name] = plan_pipeline(problem, [one.tuples for one in schedules], dispatch)
    return assemble_plan(instance, billing, dispatch, [planned[problem.name] for problem in problems])


def machine_limits(instance: Instance) -> dict[str, float] | None:
    """Machines of every limited hardware type; None without limits."""
    limits = {name: float(kind.limit) for name, kind in instance.hardware.items() if kind.limit is not None}
    return limits or None


def left_over(available: Mapping[str, float] | None, schedules: Sequence[ModuleSchedule]) -> dict[str, float] | None:
    """Machines of every limited hardware type that ``schedules`` leave over, a residual counted by its fraction."""
    if available is None:
        return None
    used = machines_used(part for schedule in schedules for part in schedule.tuples)
    return {hardware: limit - used.get(hardware, 0.0) for hardware, limit in available.items()}


def by_tightness(problems: Sequence[PipelineProblem]) -> list[PipelineProblem]:
    """Pipelines by how much of the SLO their shortest batch durations take, most first."""

    def taken(problem: PipelineProblem) -> float:
        shortest = [min(c.duration for c in module.configurations) for module in problem.modules]
        return problem.network.length(shortest) / problem.slo

    return sorted(problems, key=taken, reverse=True)
