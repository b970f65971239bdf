"""Schedules known for every module of an instance, and the best plan among them."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cached_property
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING

from harpagon.formulations.pareto import pareto_front
from harpagon.formulations.physics import TIME_TOLERANCE
from harpagon.formulations.planning.data import PlanningData
from harpagon.formulations.planning.pattern import Column, PatternData
from harpagon.formulations.problem import module_spans
from harpagon.graphs import decompose
from harpagon.instances.plan import machines_used
from harpagon.solvers.exact.composition import Composition
from harpagon.solvers.exact.effort import Effort, OutOfEffortError
from harpagon.solvers.exact.frontier import STEP, step_below
from harpagon.solvers.exact.gap_closing import close_gap
from harpagon.solvers.exact.moment_prices import MomentPrices
from harpagon.solvers.exact.pricing import Pricing
from harpagon.solvers.exact.schedule import Point, distinct_schedules
from harpagon.solvers.models.choices import choose_columns
from harpagon.solvers.result import Solution, Termination

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from harpagon.formulations.problem import ModuleProblem
    from harpagon.graphs import Node
    from harpagon.instances.plan import DispatchTuple
    from harpagon.solvers.models.highs import Values
    from harpagon.solvers.models.model_method import Task

_cost_and_latency, _latency_and_cost = attrgetter("cost", "latency"), attrgetter("latency", "cost")

QUICK_GAP = 1e-4
"""Gap of a choice whose only purpose is an upper bound."""
_MOST_COMPOSED = 300_000
"""Rows of partial choices after which a composition is given up."""
_SHARES = (1 / 64, 1 / 8, 1)
"""Shares of the gap above a bound by prices of moments within which points are left to HiGHS, one after the other."""
_NO_PRICES: Mapping[tuple[int, int], float] = MappingProxyType({})
_NOTHING: Solution[Values] = Solution("", Termination.LIMIT, None, -math.inf)
SMALL_GAP = 1e-2
"""Relative gap that is closed in one step."""


class SchedulePool:
    """Columns of the pattern model, the modules of all pipelines in one list.

    Parameters
    ----------
    task
        The case; its incumbent's schedules are in the pool from the start, and plans found are offered to it.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self.effort = Effort(task.deadline)
        self.data = PlanningData.compile(task.instance, task.problems, task.billing, task.dispatch, task.budget)
        self.spans = module_spans(task.problems)
        self.excluded: tuple[tuple[int, ...], ...] = ()
        self.columns: list[dict[tuple[float, ...], Column]] = [{} for _ in self.data.modules]
        if task.incumbent.plan is not None:
            modules = (module for pipeline in task.incumbent.plan.pipelines for module in pipeline.modules.values())
            for m, module in enumerate(modules):
                self.add(m, self.column(m, module.tuples))

    @property
    def size(self) -> int:
        """Columns of all modules."""
        return sum(map(len, self.columns))

    def add(self, m: int, column: Column) -> bool:
        """Add a column of module ``m``; whether it is new."""
        key = (column.cost, column.latency, *column.usage)
        return self.columns[m].setdefault(key, column) is column

    def column(self, m: int, schedule: tuple[DispatchTuple, ...]) -> Column:
        """Column of a schedule of module ``m``."""
        cost = sum(part.cost for part in schedule)
        return Column(cost, self.data.modules[m].latency(schedule, self.task.dispatch), self.usage(schedule), schedule)

    def usage(self, schedule: Sequence[DispatchTuple]) -> tuple[float, ...]:
        """Machines of each limited type in a schedule."""
        used = machines_used(schedule)
        return tuple(used.get(hardware, 0.0) for hardware in self.data.limits)

    def is_limited(self, m: int) -> bool:
        """Whether module ``m`` may run on hardware with a limit."""
        return any(c.hardware in self.data.limits for c in self.data.modules[m].configurations)

    def latest(self, m: int) -> float:
        """Loosest budget of module ``m`` in seconds."""
        return self.data.bounds[m].latest + TIME_TOLERANCE / 2

    @cached_property
    def kinds(self) -> list[int]:
        """Per module the first that is equal to it but for its name."""
        first: dict[ModuleProblem, int] = {}
        return [first.setdefault(replace(module, name=""), m) for m, module in enumerate(self.data.modules)]

    def distinct_points(
        self, m: int, surcharges: Mapping[str, float], caps: Sequence[tuple[float, float]]
    ) -> Iterator[Point]:
        """Schedules of module ``m`` that none beats in cost, latency and use of every limited type.

        ``caps`` are latencies in seconds, falling to 0, with the largest charge of interest of schedules slower than
        that, dollars per hour.
        """
        bundled = {name: hardware.price for name, hardware in self.data.bundles.items()}
        task, pricing = self.task, Pricing(surcharges, tuple(self.data.limits), bundled)
        budget = self.latest(m)
        for latency, cap in caps:
            end = latency + STEP  # a schedule as quick as that must not fall between two caps by rounding
            while budget > end:
                module, effort = self.data.modules[m], self.effort
                points = distinct_schedules(module, budget, task.billing, task.dispatch, cap, pricing, effort)
                yield from points
                slowest = max((point.latency for point in points), default=0.0)
                budget = max(end, min(step_below(slowest), step_below(budget)))

    def pattern(self, known: Sequence[Sequence[Column]] | None = None) -> PatternData:
        """Data of the pattern model over all columns, or those given."""
        columns = known or [list(own.values()) for own in self.columns]
        return PatternData(
            columns=tuple(map(tuple, columns)),
            slo=tuple(slo + TIME_TOLERANCE / 2 for slo in self.data.slo),
            edges=self.data.edges,
            sinks=self.data.sinks,
            limits=self.data.limits,
            excluded=self.excluded,
            bundles=self.data.bundles,
        )

    def round(self, known: Sequence[Sequence[Column]], mixtures: Sequence[Sequence[tuple[float, Column]]]) -> None:
        """Offer the plan that a solution of the master is rounded to, every module to the quickest it mixes.

        No path gets longer by that. Modules that mixed in turn then get the slack on their paths. ``known`` are the
        columns of every module, ``mixtures`` those that the solution has, with their shares.
        """
        chosen = [min((column for _, column in own), key=_latency_and_cost) for own in mixtures]
        for problem, (begin, end) in zip(self.task.problems, self.spans, strict=True):
            # In topological order what changes is before a module, so one pass says what is left on its paths.
            tails = problem.network.tails([column.latency for column in chosen[begin:end]])
            ends: list[float] = []
            for m, tail, pairs in zip(range(begin, end), tails, problem.network.predecessors, strict=True):
                start = max((ends[before] + transfer for before, transfer in pairs), default=0.0)
                if len(mixtures[m]) > 1:
                    within = [column for column in known[m] if start + column.latency + tail <= problem.slo]
                    chosen[m] = min(within, key=_cost_and_latency, default=chosen[m])
                ends.append(start + chosen[m].latency)
        schedules = [column.schedule for column in chosen]
        if all(schedules) and sum(column.cost for column in chosen) < self.task.incumbent.cost:
            self.task.incumbent.offer(self.task.incumbent.assemble(schedules))

    def close(
        self,
        floor: float,
        list_columns: Callable[[float], None],
        second: Sequence[float] = (),
        passing: Mapping[tuple[int, int], float] = _NO_PRICES,
    ) -> tuple[float, bool]:
        """As `close_gap`; ``list_columns`` adds every schedule that a plan within so much of the floor may have.

        ``second`` is, per module, the price of a second of its latency that the floor was found with, ``passing`` that
        of every edge.
        """

        by_moments = self.task.ceiling - floor > SMALL_GAP * self.task.ceiling and self.moments is not None

        def choose(_: float, is_whole: bool) -> Solution[Values]:
            gap = 0.0 if is_whole else QUICK_GAP
            return self._chosen_at_moments(gap, passing) if by_moments else self.choose(gap, second)

        if by_moments:  # their bound counts where all is listed
            return close_gap(self.task, floor, math.inf, _NOTHING, list_columns, choose)
        return close_gap(self.task, floor, SMALL_GAP, self.choose(QUICK_GAP, second), list_columns, choose)

    def choose(self, gap: float, second: Sequence[float] = ()) -> Solution[Values]:
        """Offer the cheapest choice of columns as a plan; it costs at most ``gap`` of it too much."""
        composed = self._composed(second) if second and not self.data.limits else None
        return composed or self._chosen_by_highs(gap)

    @cached_property
    def trees(self) -> list[Node | None]:
        """Per pipeline its series-parallel expression, None where it has none."""
        return [decompose(problem.network) for problem in self.task.problems]

    @cached_property
    def moments(self) -> MomentPrices | None:
        """Prices of moments, of one pipeline that no limit couples and that is not series-parallel."""
        problem = self.task.problems[0]
        if len(self.task.problems) > 1 or self.data.limits or self.trees[0] is not None:
            return None
        return MomentPrices(problem.network, problem.slo + TIME_TOLERANCE / 2)

    def _chosen_at_moments(self, gap: float, passing: Mapping[tuple[int, int], float]) -> Solution[Values]:
        """The cheapest choice by prices of moments, and by HiGHS among the points that these leave.

        A choice with a point left out costs more than the bound and what the point costs beyond it, so first few points
        are left.
        """
        points = [[Point(c.latency, c.cost, c.schedule) for c in own.values()] for own in self.columns]
        task = self.task
        tolerance = max(task.options.gap, QUICK_GAP)
        assert self.moments is not None, "asked where moments have prices"
        narrowed = self.moments.narrow(points, passing, task.ceiling, tolerance, self.effort)
        bound, solution = narrowed.bound, replace(_NOTHING, interrupted=narrowed.interrupted)
        try:
            if narrowed.choice is not None:
                schedules = [own[k].schedule for own, k in zip(points, narrowed.choice, strict=True)]
                if not all(schedules) or task.incumbent.offer(task.incumbent.assemble(schedules)) is not None:
                    return solution if solution.interrupted else self._chosen_by_highs(gap)
            for share in _SHARES:
                if task.is_proven(bound) or solution.interrupted or task.late():
                    break
                width = share * (narrowed.ceiling - narrowed.bound)
                left = [
                    [column for column, beyond in zip(own.values(), costs, strict=True) if beyond <= width]
                    for own, costs in zip(self.columns, narrowed.beyond, strict=True)
                ]
                solution = self._chosen_by_highs(gap if share == 1 else max(gap, QUICK_GAP), left)
                bound = max(bound, min(solution.dual_bound, narrowed.bound + width))
        except KeyboardInterrupt:
            solution = replace(solution, interrupted=True)
        return replace(solution, dual_bound=bound)

    def _composed(self, second: Sequence[float]) -> Solution[Values] | None:
        """The cheapest choice by composition; None where a pipeline is not series-parallel or it takes too much."""
        compositions, effort = [], Effort(self.task.deadline, _MOST_COMPOSED)
        for problem, tree, (begin, end) in zip(self.task.problems, self.trees, self.spans, strict=True):
            if tree is None:
                return None
            own = [pareto_front(columns.values(), _cost_and_latency) for columns in self.columns[begin:end]]
            points = [[Point(one.latency, one.cost, one.schedule) for one in columns] for columns in own]
            slo = problem.slo + TIME_TOLERANCE / 2
            compositions.append(Composition(tree, points, slo, second[begin:end], effort))
        schedules, cost, floor = [], 0.0, sum(composition.floor for composition in compositions)
        for composition in compositions:
            try:
                chosen = composition.cheapest(self.task.ceiling - floor + composition.floor)
            except OutOfEffortError:
                return None
            if chosen is None:
                return Solution("composition", Termination.INFEASIBLE, None, math.inf)
            schedules += [point.schedule for point in chosen]
            cost += sum(point.cost for point in chosen)
        incumbent = self.task.incumbent
        if not all(schedules) or incumbent.offer(incumbent.assemble(schedules)) is not None:
            return None
        return Solution("composition", Termination.OPTIMAL, {}, cost)

    def _chosen_by_highs(self, gap: float, known: Sequence[Sequence[Column]] | None = None) -> Solution[Values]:
        """The cheapest choice of all columns, or those given, by HiGHS."""

        def is_faulty(choice: tuple[int, ...]) -> bool:
            schedules = [data.columns[m][k].schedule for m, k in enumerate(choice)]
            incumbent = self.task.incumbent
            if not all(schedules) or incumbent.offer(incumbent.assemble(schedules)) is None:
                return False
            if known is None:
                self.excluded = (*self.excluded, choice)
            return True

        data, options = self.pattern(known), self.task.remaining()
        if known is not None:  # excluded choices are positions among all columns
            data = replace(data, excluded=())
        options = replace(options, gap=max(options.gap, gap))
        return choose_columns(data, lambda: options, is_faulty)[0]
