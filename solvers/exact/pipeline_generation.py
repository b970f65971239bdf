"""Column generation over pipeline plans: many pipelines that share limited hardware.

As `harpagon.solvers.exact.module_generation`, one level up: a column is a whole pipeline's plan, found by
`PipelineSearch` under the surcharges, so that the bound knows what whole choices within each pipeline cost. The
upper bound comes from the master with whole choices. What is left between the two is closed by listing: with surcharges
at hand, a pipeline's plan can only be part of an optimal one if it is charged at most as much as the pipeline's best
plan and the difference. The master over all of these (`harpagon.solvers.exact.plan_listing`) has the optimum.
"""

from __future__ import annotations

import math
from dataclasses import replace
from operator import itemgetter
from typing import TYPE_CHECKING, TypeAlias

from harpagon.formulations.physics import COST_TOLERANCE, TIME_TOLERANCE
from harpagon.formulations.planning.pattern import Column, PatternData, pattern_program
from harpagon.formulations.residual import has_curves
from harpagon.solvers.exact.covers import Covers
from harpagon.solvers.exact.effort import OutOfEffortError
from harpagon.solvers.exact.frontier import frontier
from harpagon.solvers.exact.gap_closing import close_gap
from harpagon.solvers.exact.module_generation import limit_surcharges
from harpagon.solvers.exact.pipeline import PipelineChoice, PipelineSearch, proof_tolerance
from harpagon.solvers.exact.plan_listing import plan_caps, plans_within
from harpagon.solvers.exact.pricing import Pricing
from harpagon.solvers.exact.schedule import Point
from harpagon.solvers.exact.schedule_pool import QUICK_GAP, SMALL_GAP, SchedulePool
from harpagon.solvers.models.choices import choose_columns
from harpagon.solvers.models.highs import solve_relaxation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harpagon.instances.instance import Hardware
    from harpagon.instances.plan import DispatchTuple
    from harpagon.solvers.exact.plan_listing import Caps
    from harpagon.solvers.models.highs import Values
    from harpagon.solvers.models.model_method import Task
    from harpagon.solvers.result import Solution

_IMPROVEMENT = 1e-7
"""Reduced cost, relative to the master's value per pipeline, below which a plan is worth a column."""
_WORTH_A_CHOICE = 1e-3
"""Share of its cost by which a plan on curves is above the master where the plans known are chosen from once more."""
_AROUND = (0.97, 1.03, 0.9, 1.1)
"""Times the last surcharges, at which plans on curves are looked for as well."""
_MOST_PAIRS = 50_000
"""Pairs of partial plans to look at at a time, above which plans of a pipeline are not listed."""

_Plan: TypeAlias = "tuple[Column, Sequence[tuple[DispatchTuple, ...]]]"
"""Cost and use of a pipeline's plan, and its schedules, one per module."""
_Priced: TypeAlias = "tuple[PipelineChoice, float]"
"""Best plan of a pipeline under surcharges, with all its frontiers or none, and the bound on its charge."""


class PipelineGeneration:
    """Search for the cheapest plan within a task's budget, pipeline by pipeline."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.pool = SchedulePool(task)
        self.rounds = 0
        self.bound = -math.inf
        self.spans = self.pool.spans
        self.trees = self.pool.trees
        self.has_curves = has_curves(task.billing, task.dispatch)
        self.by_plans = True
        nothing = (0.0,) * len(self.pool.data.limits)
        stand_in = Column(task.budget * len(task.problems), 0.0, nothing, ())
        self.plans: list[dict[tuple[float, ...], _Plan]] = [{(): (stand_in, [()])} for _ in task.problems]
        if task.incumbent.plan is not None:
            for q, pipeline in enumerate(task.incumbent.plan.pipelines):
                self._add_plan(q, [module.tuples for module in pipeline.modules.values()])
        self.surcharges: dict[str, float] = dict.fromkeys(self.pool.data.limits, 0.0)
        self.priced: list[_Priced] = []
        self.known: dict[float, list[_Priced]] = {}

    @property
    def size(self) -> int:
        """Columns of all modules."""
        return self.pool.size

    def run(self) -> tuple[float, bool]:
        """Lower bound on the cost of any plan within the budget, and whether the user stopped the search."""
        try:
            self._generate()
            if self.has_curves:  # plans on curves cannot be listed
                return self.bound, self._choose_around()
        except OutOfEffortError:
            return max(self.bound, self.task.floor), False
        return close_gap(self.task, self.bound, SMALL_GAP, self._choose(QUICK_GAP), self._list, self._choose_within)

    def _generate(self) -> None:
        """Rounds of pricing and master until no plan improves the master; the bound, with its surcharges kept."""
        surcharges = dict(self.surcharges)
        worths = [math.inf] * len(self.plans)
        value = math.inf
        while not self.task.late():
            self.rounds += 1
            priced = self._price_all(surcharges)
            charges = [charge for _, charge in priced]
            limits = self.pool.data.limits
            here = sum(charges) - sum(surcharges[hardware] * limit for hardware, limit in limits.items())
            if here > self.bound:
                self.bound, self.surcharges, self.priced = here, surcharges, priced
            self.task.report(self.bound)
            threshold = -_IMPROVEMENT * min(abs(value), self.task.budget) / len(charges)
            improving = [charge - worth < threshold for charge, worth in zip(charges, worths, strict=True)]
            for q, (choice, _) in enumerate(priced):
                if choice.frontiers or self.has_curves:
                    self._add(q, choice)
            if not any(improving) or self.task.is_proven(self.bound):
                break
            relaxation = solve_relaxation(pattern_program(self._master()), self.task.remaining())
            if relaxation is None:
                break
            value = relaxation.value
            if self.has_curves and value < self.task.incumbent.cost * (1 - _WORTH_A_CHOICE):
                self._choose(QUICK_GAP)
            surcharges = limit_surcharges(limits, relaxation.duals)
            worths = [relaxation.duals[f"select[{q}]"] for q in range(len(self.plans))]

    def _price_all(self, surcharges: Mapping[str, float]) -> list[_Priced]:
        """Every pipeline under ``surcharges``, searched anew where other rounds do not tell."""
        covers = Covers(Pricing(surcharges))
        priced = [known or self._price_out(q, covers) for q, known in enumerate(self._known(covers.pricing))]
        if len(surcharges) == 1:
            self.known[sum(surcharges.values())] = priced
        return priced

    def _known(self, pricing: Pricing) -> list[_Priced | None]:
        """What rounds of a smaller and a larger surcharge tell of every pipeline, without its frontiers.

        The least charge of a pipeline is concave in the surcharge, so between two rounds it is no less than on the line
        between their bounds. A plan of one of the rounds that is charged as little is the best.
        """
        price = sum(pricing.surcharges.values())
        below, above = [one for one in self.known if one <= price], [one for one in self.known if one >= price]
        if not below or not above:
            return [None] * len(self.plans)
        low, high = max(below), min(above)
        share = (price - low) / (high - low) if high > low else 0.0
        found: list[_Priced | None] = []
        tolerance = proof_tolerance(self.task.billing, self.task.dispatch)
        for (left, least), (right, most) in zip(self.known[low], self.known[high], strict=True):
            bound = (1 - share) * least + share * most
            charge, points = min(
                ((sum(pricing.charge_of(point.schedule) for point in one.points), one.points) for one in (left, right)),
                key=itemgetter(0),
            )
            found.append((PipelineChoice(points), bound) if charge - bound <= tolerance * charge else None)
        return found

    def _price_out(self, q: int, covers: Covers) -> _Priced:
        """Plan of pipeline ``q`` of least charge, with all its frontiers, and the bound on that charge."""
        found = self._search(q, covers).run()
        if found.plan is None or not (found.plan.frontiers or self.has_curves):
            raise OutOfEffortError
        return found.plan, found.dual_bound

    def _search(self, q: int, covers: Covers) -> PipelineSearch:
        task, effort, start = self.task, self.pool.effort, self._known_points(q, covers.pricing)
        problem, options = task.problems[q], task.remaining()
        return PipelineSearch(problem, task.billing, task.dispatch, options, effort, covers, start=start)

    def _known_points(self, q: int, pricing: Pricing) -> list[Point]:
        """Points of the plan of pipeline ``q`` that is charged least of those known; none where none is known."""

        def charge(schedules: Sequence[tuple[DispatchTuple, ...]]) -> float:
            return sum(map(pricing.charge_of, schedules)) if all(schedules) else math.inf

        schedules = min((schedules for _, schedules in self.plans[q].values()), key=charge)
        if not all(schedules):
            return []
        modules, dispatch = self.task.problems[q].modules, self.task.dispatch
        return [
            Point(module.latency(schedule, dispatch), pricing.charge_of(schedule), schedule)
            for module, schedule in zip(modules, schedules, strict=True)
        ]

    def _add(self, q: int, choice: PipelineChoice) -> None:
        """Add the plan, and to the pool all points looked at on the way."""
        for m, points in enumerate(choice.frontiers, self.spans[q][0]):
            for point in points:
                self.pool.add(m, self.pool.column(m, point.schedule))
        for m, point in enumerate(choice.points, self.spans[q][0]):
            self.pool.add(m, self.pool.column(m, point.schedule))
        self._add_plan(q, [point.schedule for point in choice.points])

    def _add_plan(self, q: int, schedules: Sequence[tuple[DispatchTuple, ...]]) -> None:
        parts = [part for schedule in schedules for part in schedule]
        column = Column(sum(part.cost for part in parts), 0.0, self.pool.usage(parts), ())
        self.plans[q].setdefault((column.cost, *column.usage), (column, schedules))

    def _master(self, bundles: Mapping[str, Hardware] | None = None) -> PatternData:
        """One plan per pipeline within the limits: the pattern model without latencies."""
        columns = tuple(tuple(column for column, _ in plans.values()) for plans in self.plans)
        return PatternData(columns, slo=(), edges={}, sinks=(), limits=self.pool.data.limits, bundles=bundles or {})

    # Closing the gap

    def _choose_around(self) -> bool:
        """Choose from plans known and from the best at surcharges near the last; whether the user stopped that."""
        solution, best = self._choose(QUICK_GAP), self.surcharges
        for share in _AROUND:
            if solution.interrupted or self.task.is_proven(self.bound) or self.task.late():
                break
            priced = self._price_all({name: share * charge for name, charge in best.items()})
            for q, (choice, _) in enumerate(priced):
                self._add(q, choice)
            solution = self._choose(QUICK_GAP)
        return solution.interrupted

    def _choose_within(self, _: float, is_whole: bool) -> Solution[Values]:
        gap = 0.0 if is_whole else QUICK_GAP
        return self._choose(gap) if self.by_plans else self.pool.choose(gap)

    def _choose(self, gap: float) -> Solution[Values]:
        """Offer the cheapest choice of one plan per pipeline; it costs at most ``gap`` of it too much."""
        known = [list(plans.values()) for plans in self.plans]

        def is_faulty(choice: tuple[int, ...]) -> bool:
            schedules = [schedule for q, k in enumerate(choice) for schedule in known[q][k][1]]
            incumbent = self.task.incumbent
            return all(schedules) and incumbent.offer(incumbent.assemble(schedules)) is not None

        options = self.task.remaining()
        options = replace(options, gap=max(options.gap, gap))
        return choose_columns(self._master(self.pool.data.bundles), lambda: options, is_faulty)[0]

    def _list(self, gap: float) -> None:
        """Add what a plan within ``gap`` of the bound may have: plans, or schedules where plans are too many."""
        self._list_columns(gap)
        plans = [self._plans_within(q, gap) for q in range(len(self.plans))] if self.by_plans else [None]
        self.by_plans = None not in plans
        for q, found in enumerate(plans):
            for plan in found or ():
                self._add_plan(q, [column.schedule for column in plan])

    def _plans_within(self, q: int, gap: float) -> list[list[Column]] | None:
        """Plans of pipeline ``q`` from schedules in the pool; None where they are too many to list."""
        tree = self.trees[q]
        if tree is None:
            return None
        bundled = {name: hardware.price for name, hardware in self.pool.data.bundles.items()}
        pricing = Pricing(self.surcharges, tuple(self.pool.data.limits), bundled)
        columns = [list(self.pool.columns[m].values()) for m in range(*self.spans[q])]
        most, slo = self._most(q, gap), self.task.problems[q].slo + TIME_TOLERANCE / 2
        try:
            return plans_within(tree, columns, pricing, slo, self._caps(q, gap).prices, most, _MOST_PAIRS)
        except OutOfEffortError:
            return None

    def _list_columns(self, gap: float) -> None:
        """Add every schedule that a plan within ``gap`` of the bound may have."""
        covers = Covers(Pricing(self.surcharges))
        for q, (choice, _) in enumerate(self.priced):
            if not choice.frontiers:
                self.priced[q] = self._price_out(q, covers)
            caps = self._caps(q, gap)
            for own, m in enumerate(range(*self.spans[q])):
                earliest, latest = self.pool.data.bounds[m].earliest, self.pool.latest(m)
                for point in self._points_within(m, caps.of(own, earliest, latest)):
                    self.pool.add(m, self.pool.column(m, point.schedule))

    def _caps(self, q: int, gap: float) -> Caps:
        """Caps on the schedules of pipeline ``q``; its frontiers leave out what is dearer than its excess allows."""
        (choice, charge), bounds = self.priced[q], self.pool.data.bounds[slice(*self.spans[q])]
        excess = charge - sum(points[0].cost for points in choice.frontiers)
        envelopes = [
            [*points, Point(bound.earliest, points[0].cost + excess, ())]
            for points, bound in zip(choice.frontiers, bounds, strict=True)
        ]
        return plan_caps(self.trees[q], envelopes, self.task.problems[q].slo + TIME_TOLERANCE / 2, self._most(q, gap))

    def _most(self, q: int, gap: float) -> float:
        """Charge of pipeline ``q`` in a plan within ``gap`` of the bound, which has the least charges of the others."""
        _, charge = self.priced[q]
        return charge + gap + COST_TOLERANCE * (charge + gap)

    def _points_within(self, m: int, caps: Sequence[tuple[float, float]]) -> Iterator[Point]:
        if self.pool.is_limited(m):
            return self.pool.distinct_points(m, self.surcharges, caps)
        module = self.pool.data.modules[m]
        task, cap = self.task, caps[-1][1]
        return frontier(module, self.pool.latest(m), task.billing, task.dispatch, cap, effort=self.pool.effort)
