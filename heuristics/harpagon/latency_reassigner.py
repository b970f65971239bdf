"""Harpagon's latency reassigner [R]: hand leftover latency to the module that gains most from it.

A schedule often stays below its budget, and the split seldom uses the whole SLO. Each round offers every module its
own latency plus the slack of the longest path through it, schedules it anew, and keeps the one change that saves
most; rounds go on until nothing improves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.formulations.physics import COST_TOLERANCE
from harpagon.heuristics.fleet import left_over
from harpagon.heuristics.harpagon.module_scheduler import schedule_module
from harpagon.heuristics.scheduling_rules import ROUNDING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harpagon.formulations.problem import PipelineProblem
    from harpagon.heuristics.scheduling_rules import ModuleSchedule, SchedulingRules


def reassign_latency(
    problem: PipelineProblem,
    schedules: Sequence[ModuleSchedule],
    rules: SchedulingRules,
    rounds: int | None = None,
    available: Mapping[str, float] | None = None,
) -> list[ModuleSchedule]:
    """Improve the schedules of a pipeline with the latency they leave over.

    Parameters
    ----------
    problem
        The pipeline.
    schedules
        One per module, together within the SLO.
    rules
        Of the module scheduler.
    rounds
        Changes to make at most; None for as many as improve.
    available
        Machines per limited hardware type for the whole pipeline.

    Returns
    -------
    list of ModuleSchedule
        Never dearer than ``schedules``.
    """
    improved = list(schedules)
    done = 0
    while rounds is None or done < rounds:
        change = _best_change(problem, improved, rules, available)
        if change is None:
            break
        module, schedule = change
        improved[module] = schedule
        done += 1
    return improved


def _best_change(
    problem: PipelineProblem,
    schedules: Sequence[ModuleSchedule],
    rules: SchedulingRules,
    available: Mapping[str, float] | None,
) -> tuple[int, ModuleSchedule] | None:
    lengths = problem.network.path_lengths([schedule.latency for schedule in schedules])
    best, best_gain = None, 0.0
    for i, (module, schedule, length) in enumerate(zip(problem.modules, schedules, lengths, strict=True)):
        slack = problem.slo - length
        if slack <= ROUNDING:
            continue
        free = left_over(available, [*schedules[:i], *schedules[i + 1 :]])
        changed = schedule_module(module, schedule.latency + slack, rules, free)
        gain = schedule.cost - changed.cost if changed else 0.0
        if changed and gain > max(best_gain, COST_TOLERANCE * schedule.cost):
            best, best_gain = (i, changed), gain
    return best
