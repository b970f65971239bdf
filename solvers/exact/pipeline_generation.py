"""Column generation over pipeline plans: many pipelines that share limited hardware.

As `harpagon.solvers.exact.module_generation`, one level up: a column is a whole pipeline's plan, found by
`PipelineSearch` under the surcharges, so that the bound knows what whole choices within each pipeline cost. The
upper bound comes from mixing the schedules of all plans found. What is left between the two is closed by listing:
with surcharges at hand, a schedule of module m can only be part of an optimal plan if its charge is at most the
charge of its pipeline's best plan, plus the difference, less what the pipeline's other modules are charged at least in
the time that the schedule leaves them.
"""

from __future__ import annotations

import math
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, TypeAlias

from harpagon.formulations.physics import COST_TOLERANCE
from harpagon.formulations.planning.pattern import Column, PatternData, pattern_program
from harpagon.solvers.exact.effort import OutOfEffortError
from harpagon.solvers.exact.frontier import frontier
from harpagon.solvers.exact.module_generation import limit_surcharges
from harpagon.solvers.exact.pipeline import PipelineSearch
from harpagon.solvers.exact.pricing import Pricing
from harpagon.solvers.exact.schedule_pool import SchedulePool
from harpagon.solvers.models.highs import solve_relaxation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harpagon.solvers.exact.pipeline import PipelineChoice
    from harpagon.solvers.exact.schedule import Point
    from harpagon.solvers.models.model_method import Task

_IMPROVEMENT = 1e-7
"""Reduced cost, relative to the master's value per pipeline, below which a plan is worth a column."""
_PROBES = 12
"""Latencies of a module at which the other modules of its pipeline are bounded from below."""


_Priced: TypeAlias = "tuple[PipelineChoice, float]"
"""Best plan of a pipeline under surcharges, with all its frontiers, and the bound on its charge."""


class PipelineGeneration:
    """Search for the cheapest plan within a task's budget, pipeline by pipeline."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.pool = SchedulePool(task)
        self.rounds = 0
        self.bound = -math.inf
        ends = [0, *accumulate(len(problem.modules) for problem in task.problems)]
        self.spans = list(pairwise(ends))
        nothing = (0.0,) * len(self.pool.data.limits)
        stand_in = Column(task.budget * len(task.problems), 0.0, nothing, ())
        self.plans: list[list[Column]] = [[stand_in] for _ in task.problems]
        self.surcharges: dict[str, float] = dict.fromkeys(self.pool.data.limits, 0.0)
        self.priced: list[_Priced] = []
        self.probes: list[list[tuple[float, float]]] = []

    @property
    def size(self) -> int:
        """Columns of all modules."""
        return self.pool.size

    def run(self) -> tuple[float, bool]:
        """Lower bound on the cost of any plan within the budget, and whether the user stopped the search."""
        try:
            self._generate()
        except OutOfEffortError:
            return max(self.bound, self.task.floor), False
        return self.pool.close(self.bound, self._list_columns)

    def _generate(self) -> None:
        """Rounds of pricing and master until no plan improves the master; the bound, with its surcharges kept."""
        surcharges = dict(self.surcharges)
        worths = [math.inf] * len(self.plans)
        value = math.inf
        while not self.task.late():
            self.rounds += 1
            priced = [self._price_out(q, surcharges) for q in range(len(self.plans))]
            charges = [charge for _, charge in priced]
            limits = self.pool.data.limits
            here = sum(charges) - sum(surcharges[hardware] * limit for hardware, limit in limits.items())
            if here > self.bound:
                self.bound, self.surcharges, self.priced = here, surcharges, priced
            self.task.report(self.bound)
            threshold = -_IMPROVEMENT * min(abs(value), self.task.budget) / len(charges)
            improving = [charge - worth < threshold for charge, worth in zip(charges, worths, strict=True)]
            for q, (choice, _) in enumerate(priced):
                self._add(q, choice)
            if not any(improving) or self.task.is_proven(self.bound):
                break
            relaxation = solve_relaxation(pattern_program(self._master()), self.task.remaining())
            if relaxation is None:
                break
            value = relaxation.value
            surcharges = limit_surcharges(limits, relaxation.duals)
            worths = [relaxation.duals[f"select[{q}]"] for q in range(len(self.plans))]

    def _price_out(self, q: int, surcharges: Mapping[str, float]) -> _Priced:
        """Plan of pipeline ``q`` of least charge, with all its frontiers, and the bound on that charge."""
        found = self._search(q, surcharges).run()
        if found.plan is None or not found.plan.frontiers:
            raise OutOfEffortError
        return found.plan, found.dual_bound

    def _search(self, q: int, surcharges: Mapping[str, float]) -> PipelineSearch:
        task = self.task
        options, pricing = task.remaining(), Pricing(surcharges)
        return PipelineSearch(task.problems[q], task.billing, task.dispatch, options, self.pool.effort, pricing)

    def _add(self, q: int, choice: PipelineChoice) -> None:
        """Add the plan, and to the pool all points looked at on the way."""
        for m, points in enumerate(choice.frontiers, self.spans[q][0]):
            for point in points:
                self.pool.add(m, self.pool.column(m, point.schedule))
        for m, point in enumerate(choice.points, self.spans[q][0]):
            self.pool.add(m, self.pool.column(m, point.schedule))
        schedule = tuple(part for point in choice.points for part in point.schedule)
        column = Column(sum(part.cost for part in schedule), 0.0, self.pool.usage(schedule), schedule)
        if column not in self.plans[q]:
            self.plans[q].append(column)

    def _master(self) -> PatternData:
        """One plan per pipeline within the limits: the pattern model without latencies."""
        columns = tuple(map(tuple, self.plans))
        return PatternData(columns, slo=(), edges={}, sinks=(), limits=self.pool.data.limits)

    def _list_columns(self, gap: float) -> None:
        """Add every schedule that a plan within ``gap`` of the bound may have."""
        if not self.probes:
            self.probes = [probe for q in range(len(self.spans)) for probe in self._probed(q)]
        for q, (_, charge) in enumerate(self.priced):
            budget = charge + gap * (1 + COST_TOLERANCE)
            for m in range(*self.spans[q]):
                caps = [(latency, budget - others) for latency, others in self.probes[m]]
                for point in self._points_within(m, caps):
                    self.pool.add(m, self.pool.column(m, point.schedule))

    def _probed(self, q: int) -> Iterator[list[tuple[float, float]]]:
        """Per module of pipeline ``q``: latencies, falling to 0, and what the others are charged if it is slower."""
        search, (choice, charge) = self._search(q, self.surcharges), self.priced[q]
        for module, m in enumerate(range(*self.spans[q])):
            frontiers = choice.frontiers
            points = frontiers[module]
            latest, span = self.pool.latest(m), self.pool.latest(m) - points[-1].latency
            steps = _PROBES if len(points) > 1 else 0
            latencies = [*(latest - span * step / steps for step in range(1, steps + 1)), 0.0]
            yield [(latency, search.cost_of_others(module, latency, frontiers, charge)) for latency in latencies]

    def _points_within(self, m: int, caps: Sequence[tuple[float, float]]) -> Iterator[Point]:
        if self.pool.is_limited(m):
            return self.pool.distinct_points(m, self.surcharges, caps)
        module = self.pool.data.modules[m]
        task, cap = self.task, caps[-1][1]
        return frontier(module, self.pool.latest(m), task.billing, task.dispatch, cap, effort=self.pool.effort)
