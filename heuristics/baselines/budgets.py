"""From latency budgets to schedules, module by module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.heuristics.fleet import left_over

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harpagon.formulations.problem import ModuleProblem, PipelineProblem
    from harpagon.heuristics.scheduling_rules import ModuleSchedule


def schedule_budgets(
    problem: PipelineProblem,
    budgets: Sequence[float] | None,
    available: Mapping[str, float] | None,
    schedule: Callable[[ModuleProblem, float, Mapping[str, float] | None], ModuleSchedule | None],
) -> list[ModuleSchedule] | None:
    """Schedule every module within its budget and the machines that the modules before it leave over.

    Parameters
    ----------
    problem
        The pipeline.
    budgets
        Seconds per module; None where there is no split.
    available
        Machines per limited hardware type.
    schedule
        From a module, its budget and the machines left to its schedule.

    Returns
    -------
    list of ModuleSchedule or None
        None where there is no split, or a module cannot be scheduled.
    """
    if budgets is None:
        return None
    schedules: list[ModuleSchedule] = []
    for module, budget in zip(problem.modules, budgets, strict=True):
        found = schedule(module, budget, left_over(available, schedules))
        if found is None:
            return None
        schedules.append(found)
    return schedules
