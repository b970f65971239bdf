"""Every schedule that Harpagon's module scheduler can make of a module, by the budgets at which its answer turns.

The scheduler looks at its budget in one way only: it asks whether a latency is within it (`SchedulingRules.keeps`). Its
answer is therefore the same for all budgets between two neighbouring latencies that it asked about. It is asked at the
loosest budget, then just below the largest latency it asked about there, and so on down: that misses no schedule but
those of intervals shorter than `_STEP`. On the suite ``paper`` that takes about ten calls a module.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harpagon.heuristics.harpagon.module_scheduler import schedule_module
from harpagon.heuristics.scheduling_rules import SchedulingRules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harpagon.formulations.problem import ModuleProblem, PipelineProblem
    from harpagon.heuristics.scheduling_rules import ModuleSchedule

_STEP = 1e-9
"""Seconds by which the next budget lies below a latency that was asked about."""


@dataclass(frozen=True, slots=True)
class _TracedRules(SchedulingRules):
    """Rules that remember the latencies they were asked about."""

    asked: list[float] = field(default_factory=list)

    def keeps(self, latency: float, budget: float) -> bool:
        self.asked.append(latency)
        return latency <= budget


def loosest_budgets(problem: PipelineProblem) -> list[float]:
    """Seconds that each module may take when all others take their shortest batch durations."""
    shortest = [min(c.duration for c in module.configurations) for module in problem.modules]
    lengths = problem.network.path_lengths(shortest)
    return [duration + problem.slo - length for duration, length in zip(shortest, lengths, strict=True)]


def schedule_frontier(module: ModuleProblem, rules: SchedulingRules, loosest: float) -> list[ModuleSchedule]:
    """Schedules that no other one of the scheduler's beats in cost and latency.

    Parameters
    ----------
    module
        Rate and configurations in ``tc`` order.
    rules
        Of the module scheduler.
    loosest
        Largest budget, seconds.

    Returns
    -------
    list of ModuleSchedule
        Cost ascending and latency descending; empty where the scheduler makes none.
    """
    frontier: list[ModuleSchedule] = []
    for schedule in sorted(every_schedule(module, rules, loosest), key=lambda one: (one.cost, one.latency)):
        if not frontier or schedule.latency < frontier[-1].latency:
            frontier.append(schedule)
    return frontier


def every_schedule(module: ModuleProblem, rules: SchedulingRules, loosest: float) -> Iterator[ModuleSchedule]:
    """Schedules for all budgets up to ``loosest`` seconds, the loosest budget first."""
    budget = loosest
    while budget > 0:
        traced = _TracedRules(rules.billing, rules.dispatch, rules.max_configurations, rules.dummies, rules.deadline)
        schedule = schedule_module(module, budget, traced)
        if schedule is not None:
            yield schedule
        turns = (latency for latency in traced.asked if latency <= budget + _STEP / 2)
        budget = max(turns, default=0.0) - _STEP
