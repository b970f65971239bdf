"""``harpagon+``, ours: Harpagon with its two weak places replaced, as quick and closer to the optimum.

Harpagon loses cost in two places: its module scheduler takes each configuration as far as the rate goes, and its
splitter prices a module by one configuration at a time. Here

1. modules are scheduled by `harpagon.heuristics.harpagon_plus.group_search`, in any dispatch order (``free``);
2. each module gets a frontier of schedules, from the loosest budget that the other modules leave it downwards, as long
   as a point can still be part of a plan cheaper than the first one found; where residuals are padded its cost is a
   curve, and points are taken in steps;
3. one schedule per module is selected from the frontiers by `harpagon.heuristics.point_selection`;
4. where residuals are padded, the structures and latencies of all modules are improved together
   (`harpagon.heuristics.harpagon_plus.joint_search`);
5. the plan is polished: every module is searched once more, with more groups and the latency left over.

Harpagon's greedy split gives the first plan. If the schedules at the loosest budgets meet the SLO together, they are
the selection.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from harpagon.formulations.physics import COST_TOLERANCE, TIME_TOLERANCE
from harpagon.heuristics.fleet import plan_fleet
from harpagon.heuristics.harpagon.latency_splitter import latency_cost_efficiency, parallel_groups, split_latency
from harpagon.heuristics.harpagon.module_scheduler import schedule_module
from harpagon.heuristics.harpagon.operating_points import estimated_points
from harpagon.heuristics.harpagon.plan import HarpagonOptions, schedule_pipeline
from harpagon.heuristics.harpagon.schedule_frontier import budget_below
from harpagon.heuristics.harpagon_plus.curves import Frontier
from harpagon.heuristics.harpagon_plus.group_search import SearchEffort, search_groups
from harpagon.heuristics.harpagon_plus.joint_search import JointSearch
from harpagon.heuristics.point_selection import select_points
from harpagon.heuristics.scheduling_rules import ModuleSchedule, SchedulingRules
from harpagon.instances.policies import Billing, Dispatch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harpagon.formulations.problem import PipelineProblem
    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan

_DEARER = 0.01
"""Share of the cost at the loosest budgets by which a padded residual costs more at the next budget, at least."""
_PACE = 0.85
"""Next budget over the latency of a padded residual, at most."""
_FRONTIER_EFFORT = SearchEffort(groups=1, width=10)
_POLISH_EFFORT = SearchEffort()


@dataclass(frozen=True, slots=True)
class PlusOptions:
    """One field per idea; the defaults are the whole heuristic.

    Attributes
    ----------
    free_order
        Dispatch orders other than ``tc``.
    group_search
        `search_groups` as module scheduler; else Harpagon's.
    points
        Schedules on a module's frontier at most; 0 keeps the greedy split.
    choices
        Partial selections looked at.
    effort
        Of the module scheduler on frontiers.
    polish
        Of the module scheduler that goes over the selected plan again, with the latency it leaves over; None for none,
        and no joint search either.
    """

    free_order: bool = True
    group_search: bool = True
    points: int = 60
    choices: int = 3000
    effort: SearchEffort = _FRONTIER_EFFORT
    polish: SearchEffort | None = _POLISH_EFFORT

    @property
    def dispatch(self) -> Dispatch:
        """Dispatch policy of the plans."""
        return Dispatch.FREE if self.free_order else Dispatch.TC


PLUS_ABLATIONS: Final[Mapping[str, PlusOptions]] = {
    "plus-tc": PlusOptions(free_order=False),
    "plus-ms": PlusOptions(group_search=False),
    "plus-gs": PlusOptions(points=0),
    "plus-np": PlusOptions(polish=None),
    "plus-0g": PlusOptions(effort=SearchEffort(groups=0), polish=SearchEffort(groups=0)),
}
"""Name to options: ``tc`` order; Harpagon's module scheduler; greedy split; no polish; one group, and in
fractional billing a residual."""


def plan_harpagon_plus(instance: Instance, billing: Billing, options: PlusOptions = PlusOptions()) -> Plan | None:
    """Plan every pipeline of an instance.

    Pipelines of an instance with hardware limits are left to Harpagon's own scheduler, which keeps them.

    Parameters
    ----------
    instance
        Hardware, profiles, pipelines.
    billing
        How machines are paid for.
    options
        Ideas to switch off.

    Returns
    -------
    Plan or None
        None where the heuristic finds no plan; that is no proof that there is none.
    """

    def schedule(problem: PipelineProblem, available: Mapping[str, float] | None) -> Sequence[ModuleSchedule] | None:
        if available is not None:
            rules = SchedulingRules(billing, Dispatch.TC)
            return schedule_pipeline(problem, rules, HarpagonOptions(), available)
        return _PlusPlanner(problem, billing, options).run()

    return plan_fleet(instance, billing, options.dispatch, schedule)


def plan_plus_ablation(instance: Instance, billing: Billing, name: str) -> Plan | None:
    """Plan with one of `PLUS_ABLATIONS`."""
    return plan_harpagon_plus(instance, billing, PLUS_ABLATIONS[name])


class _PlusPlanner:
    def __init__(self, problem: PipelineProblem, billing: Billing, options: PlusOptions) -> None:
        self.problem = problem
        self.options = options
        self.rules = SchedulingRules(billing, Dispatch.TC)
        self.slo = problem.slo + TIME_TOLERANCE / 2
        self.frontiers = [
            Frontier(module, options.dispatch, partial(self._schedule, m)) for m, module in enumerate(problem.modules)
        ]

    def run(self) -> list[ModuleSchedule] | None:
        """One schedule per module, or None."""
        least = [min(c.duration for c in module.configurations) for module in self.problem.modules]
        lengths = self.problem.network.path_lengths(least)
        loosest = [d + self.slo - length for d, length in zip(least, lengths, strict=True)]
        cheapest = [self._schedule(i, budget) for i, budget in enumerate(loosest)]
        if any(schedule is None for schedule in cheapest):
            return None
        found = [schedule for schedule in cheapest if schedule is not None]
        if self._length(found) <= self.slo:
            return self._polish(found)
        first = self._first_plan()
        selected = self._select(found, first) if self.options.points else None
        return self._polish(selected or first)

    def _schedule(
        self, module: int, budget: float, cap: float = math.inf, effort: SearchEffort | None = None
    ) -> ModuleSchedule | None:
        problem = self.problem.modules[module]
        if self.options.group_search:
            options = self.options
            return search_groups(problem, budget, self.rules.billing, options.dispatch, effort or options.effort, cap)
        schedule = schedule_module(problem, budget, self.rules)
        return schedule if schedule is not None and schedule.cost <= cap * (1 + COST_TOLERANCE) else None

    def _length(self, schedules: Sequence[ModuleSchedule]) -> float:
        return self.problem.network.length([schedule.latency for schedule in schedules])

    def _first_plan(self) -> list[ModuleSchedule] | None:
        """Plan of the greedy split, each module offered what the others leave over; None where the split fails."""
        network = self.problem.network
        points = [estimated_points(module, self.rules) for module in self.problem.modules]
        budgets = split_latency(network, self.problem.slo, points, latency_cost_efficiency, parallel_groups(network))
        if budgets is None:
            return None
        schedules = []
        for module in range(len(budgets)):
            room = self.slo - network.path_lengths(budgets)[module]
            schedule = self._schedule(module, budgets[module] + max(0.0, room))
            if schedule is None:
                return None
            budgets[module] = schedule.latency
            schedules.append(schedule)
        return schedules

    def _polish(self, schedules: list[ModuleSchedule] | None) -> list[ModuleSchedule] | None:
        """Schedule every module again with more effort and the latency that the others leave over."""
        if schedules is None or self.options.polish is None:
            return schedules
        if self.rules.pads and all(frontier.points for frontier in self.frontiers):
            schedules = JointSearch(self.problem.network, self.slo, self.frontiers).improve(schedules)
        improved = True
        while improved:
            improved = False
            for module, schedule in enumerate(schedules):
                room = self.slo - self.problem.network.path_lengths([one.latency for one in schedules])[module]
                again = self._schedule(module, schedule.latency + room, schedule.cost, self.options.polish)
                if again is not None and again.cost < schedule.cost * (1 - COST_TOLERANCE):
                    schedules[module] = again
                    improved = True
        return schedules

    def _select(
        self, cheapest: Sequence[ModuleSchedule], first: Sequence[ModuleSchedule] | None
    ) -> list[ModuleSchedule] | None:
        ceiling = math.inf if first is None else _cost(first)
        excess = ceiling - _cost(cheapest)
        dearer = _DEARER * _cost(cheapest)
        frontiers = [self._frontier(i, schedule, schedule.cost + excess, dearer) for i, schedule in enumerate(cheapest)]
        return select_points(self.problem.network, frontiers, self.slo, ceiling, self.options.choices)

    def _frontier(self, module: int, point: ModuleSchedule, cap: float, dearer: float) -> list[ModuleSchedule]:
        """Schedules below ``point``, cost ascending and latency descending."""
        points, rate = [point], self.problem.modules[module].rate
        if self.rules.pads:
            self.frontiers[module].add(point, math.inf)
        while len(points) < self.options.points:
            below = budget_below(points[-1], rate, self.options.dispatch, dearer, _PACE)
            quicker = self._schedule(module, below, cap)
            if quicker is None:
                break
            if quicker.cost <= points[-1].cost * (1 + COST_TOLERANCE):
                points.pop()
            points.append(quicker)
            if self.rules.pads:
                self.frontiers[module].add(quicker, below)
        return points


def _cost(schedules: Sequence[ModuleSchedule]) -> float:
    return sum(schedule.cost for schedule in schedules)
