"""Every schedule that Harpagon's module scheduler can make of a module, by the budgets at which its answer turns.

The scheduler looks at its budget in one way only: it asks whether a latency is within it (`SchedulingRules.keeps`). Its
answer is therefore the same for all budgets between two neighbouring latencies that it asked about. It is asked at the
loosest budget, then just below the largest latency it asked about there, and so on down: that misses no schedule but
those of intervals shorter than `_STEP`. On the suite ``paper`` that takes about ten calls a module.

Where residuals are padded their rate follows the budget, so there is a schedule for every budget: they are sampled at
those turns and in steps of latency between them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harpagon.formulations.residual import structure_of
from harpagon.heuristics.harpagon.module_scheduler import schedule_module
from harpagon.heuristics.scheduling_rules import SchedulingRules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harpagon.formulations.problem import ModuleProblem, PipelineProblem
    from harpagon.heuristics.scheduling_rules import ModuleSchedule
    from harpagon.instances.policies import Dispatch

_STEP = 1e-9
"""Seconds by which the next budget lies below a latency that was asked about."""
_APART = 1 - 1e-6
"""A padded residual takes its whole budget: a latency as near to it as that is no turn."""
_PACE = 0.96
"""Next budget over the latency of a padded residual, at most."""


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


def budget_below(
    schedule: ModuleSchedule, rate: float, dispatch: Dispatch, dearer: float = 0.0, pace: float = _PACE
) -> float:
    """Next budget to look at below the latency of a schedule that serves ``rate``, seconds.

    Just below that latency; where a residual is last, whose cost rises continuously, where it has risen by ``dearer``
    ($/hour) and latency fallen to ``pace``, or where the residual has to work all the time, if this comes first.
    """
    if not schedule.tuples[-1].is_residual:
        return schedule.latency - _STEP
    structure = structure_of(schedule.tuples, rate, dispatch)
    last = schedule.tuples[-1]
    rates = dearer / last.configuration.price * last.configuration.throughput
    paced = min(schedule.latency * pace, structure.latency(last.rate + rates))
    quickest = structure.quickest
    return quickest if paced < quickest < schedule.latency - _STEP else paced


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
        if rules.pads and schedule is not None:
            paced = budget_below(schedule, module.rate, rules.dispatch)
            budget = max([paced, *(latency - _STEP for latency in traced.asked if latency < budget * _APART)])
        else:
            budget = max((latency for latency in traced.asked if latency <= budget + _STEP / 2), default=0.0) - _STEP
