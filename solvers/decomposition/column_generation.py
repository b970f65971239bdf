"""The cheapest plan of many modules together: column generation over module schedules, closed to a proof.

The master problem is the linear relaxation of the pattern model (`harpagon.formulations.pattern`) over the schedules
known so far. Its duals put a surcharge on every machine of a limited hardware type and a price on every second of a
module's latency; `harpagon.solvers.decomposition.schedule` finds the schedule of least reduced cost under them. The
sum of these least reduced costs and the master's value is a lower bound (G. Dantzig, P. Wolfe, "Decomposition
principle for linear programs", Operations Research 8(1), 1960).

The bound does not reach the optimum of whole choices. So, with an upper bound from the known columns, every schedule
with a reduced cost of at most the difference is listed; a plan with any other schedule costs more than the upper
bound. The pattern model over the listed schedules then has the optimum.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from itertools import count, takewhile
from typing import TYPE_CHECKING

from harpagon.formulations.pattern import Column, PatternData, pattern_program
from harpagon.formulations.physics import COST_TOLERANCE, TIME_TOLERANCE, module_latency
from harpagon.formulations.planning_data import PlanningData
from harpagon.solvers.decomposition.frontier import STEP, frontier
from harpagon.solvers.decomposition.pricing import Pricing
from harpagon.solvers.decomposition.schedule import distinct_schedules
from harpagon.solvers.decomposition.selection import picked_columns
from harpagon.solvers.exact import decomposition_info
from harpagon.solvers.highs import solve_linear_program, solve_relaxation
from harpagon.solvers.model_method import Outcome, Task, run_model_method
from harpagon.solvers.result import Termination

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import DispatchTuple
    from harpagon.instances.policies import Billing, Dispatch
    from harpagon.solvers.decomposition.schedule import Point
    from harpagon.solvers.highs import LinearSolution
    from harpagon.solvers.options import SolverOptions
    from harpagon.solvers.result import Result

_IMPROVEMENT = 1e-7
"""Reduced cost, relative to the master's value per module, below which a schedule is worth a column."""
_QUICK_GAP = 1e-4
"""Gap of the first choice among the known columns, whose only purpose is an upper bound."""


def solve_by_columns(instance: Instance, billing: Billing, dispatch: Dispatch, options: SolverOptions) -> Result:
    """Solve an instance of any size, with or without hardware limits.

    Raises
    ------
    SolveInterrupted
        On Ctrl-C during a call of HiGHS.
    """
    return run_model_method("exact", _search, decomposition_info, instance, billing, dispatch, options)


def _search(task: Task) -> Outcome:
    begin = time.perf_counter()
    search = _ColumnGeneration(task)
    built = time.perf_counter()
    bound, interrupted = search.run()
    return Outcome(
        termination=task.stopped(bound) if bound < task.budget or task.incumbent.plan else Termination.INFEASIBLE,
        bound=bound,
        build_time=built - begin,
        solve_time=time.perf_counter() - built,
        interrupted=interrupted,
        details={"columns": sum(map(len, search.columns)), "rounds": search.rounds},
    )


@dataclass(frozen=True, slots=True)
class _Prices:
    """Duals of the master problem.

    ``surcharges`` in dollars per hour per machine of a limited type, ``second`` per module in dollars per hour per
    second of its latency, ``worth`` per module what its choice of a column is worth.
    """

    surcharges: Mapping[str, float]
    second: tuple[float, ...]
    worth: tuple[float, ...]


class _ColumnGeneration:
    def __init__(self, task: Task) -> None:
        self.task = task
        self.data = PlanningData.compile(task.instance, task.problems, task.billing, task.dispatch, task.budget)
        self.rounds = 0
        self.excluded: tuple[tuple[int, ...], ...] = ()
        self.columns: list[dict[tuple[float, ...], Column]] = [{} for _ in self.data.modules]
        self.frontiers: dict[tuple[int, tuple[float, ...]], _LazyFrontier] = {}
        if task.incumbent.plan is None:
            self._add_stand_ins()
        else:
            modules = (module for pipeline in task.incumbent.plan.pipelines for module in pipeline.modules.values())
            for m, module in enumerate(modules):
                self._add(m, self._column(module.tuples))

    def _add_stand_ins(self) -> None:
        """Columns beyond the budget without machines: the master has a solution before there is a plan."""
        cost = self.task.budget * len(self.columns)
        for m, bounds in enumerate(self.data.bounds):
            self._add(m, Column(cost, bounds.earliest, (0.0,) * len(self.data.limits), ()))

    def run(self) -> tuple[float, bool]:
        """Lower bound on the cost of any plan within the budget, and whether the user stopped the search."""
        bound, prices = self._generate()
        if self._done(bound) or prices is None:
            return bound, False
        quick = replace(self.task.remaining(), gap=max(self.task.options.gap, _QUICK_GAP))
        solution = self._choose(quick)
        if solution.interrupted or self._done(bound):
            return bound, solution.interrupted
        if not self._list_columns(prices, min(self.task.incumbent.cost, self.task.budget) - bound):
            return bound, False
        solution = self._choose(self.task.remaining())
        return max(bound, min(solution.bound, self.task.incumbent.cost, self.task.budget)), solution.interrupted

    def _done(self, bound: float) -> bool:
        return self.task.is_proven(bound) or self._late()

    def _late(self) -> bool:
        return time.perf_counter() > self.task.deadline

    def _generate(self) -> tuple[float, _Prices | None]:
        """Rounds of master and pricing until no schedule has a negative reduced cost; the bound, and the last duals."""
        bound = self.task.floor
        while not self._late():
            self.rounds += 1
            relaxation = solve_relaxation(pattern_program(self._pattern()), self.task.remaining())
            if relaxation is None:
                break
            value, duals = relaxation
            prices = self._prices(duals)
            found = [self._price_out(m, prices) for m in range(len(self.columns))]
            bound = max(bound, value + sum(min(0.0, reduced) for reduced, _ in found))
            threshold = -_IMPROVEMENT * abs(value) / len(self.columns)
            fresh = [self._add(m, column) for m, (reduced, column) in enumerate(found) if reduced < threshold]
            if not any(fresh) or self.task.is_proven(bound):
                return bound, prices
        return bound, None

    def _prices(self, duals: Mapping[str, float]) -> _Prices:
        second = [0.0] * len(self.columns)
        for tail, head in self.data.edges:
            second[tail] -= min(0.0, duals[f"precedence[{tail},{head}]"])
        for m in self.data.sinks:
            second[m] -= min(0.0, duals[f"deadline[{m}]"])
        surcharges = {h: max(0.0, -duals.get(f"limit[{h}]", 0.0)) for h in self.data.limits}
        worth = tuple(duals[f"select[{m}]"] for m in range(len(self.columns)))
        return _Prices(surcharges, tuple(second), worth)

    def _price_out(self, m: int, prices: _Prices) -> tuple[float, Column]:
        """Least reduced cost of any schedule of module ``m``, and its column."""
        second, earliest = prices.second[m], self.data.bounds[m].earliest
        best, cheapest = math.inf, None
        for point in self._frontier(m, prices):
            if point.cost + second * point.latency < best:
                best, cheapest = point.cost + second * point.latency, point
            if point.cost + second * earliest >= best:
                break
        if cheapest is None:
            return math.inf, next(iter(self.columns[m].values()))
        return best - prices.worth[m], self._column(cheapest.schedule)

    def _frontier(self, m: int, prices: _Prices) -> Iterator[Point]:
        """Points of module ``m`` under the surcharges, kept between rounds that charge it the same."""
        hardware = sorted({c.hardware for c in self.data.modules[m].configurations} & prices.surcharges.keys())
        surcharges = {h: prices.surcharges[h] for h in hardware}
        key = (m, tuple(surcharges.values()))
        if key not in self.frontiers:
            task, latest = self.task, self.data.bounds[m].latest + TIME_TOLERANCE / 2
            points = frontier(self.data.modules[m], latest, task.billing, task.dispatch, pricing=Pricing(surcharges))
            self.frontiers[key] = _LazyFrontier(points)
        return iter(self.frontiers[key])

    def _list_columns(self, prices: _Prices, gap: float) -> bool:
        """Add every schedule with a reduced cost of at most ``gap``; False where time ran out."""
        for m in range(len(self.columns)):
            for point in self._points_within(m, prices, gap * (1 + COST_TOLERANCE)):
                if self._late():
                    return False
                self._add(m, self._column(point.schedule))
        return True

    def _points_within(self, m: int, prices: _Prices, gap: float) -> Iterator[Point]:
        second, earliest, worth = prices.second[m], self.data.bounds[m].earliest, prices.worth[m]
        cap = worth + gap - second * earliest
        if any(c.hardware in self.data.limits for c in self.data.modules[m].configurations):
            candidates = self._distinct_points(m, prices, cap)
        else:
            candidates = takewhile(lambda point: point.cost <= cap, self._frontier(m, prices))
        return (p for p in candidates if p.cost + second * p.latency - worth <= gap)

    def _distinct_points(self, m: int, prices: _Prices, cap: float) -> Iterator[Point]:
        """Schedules of module ``m`` that no other beats in cost, latency and use of every limited type."""
        task, pricing = self.task, Pricing(prices.surcharges, tuple(self.data.limits))
        budget = self.data.bounds[m].latest + TIME_TOLERANCE / 2
        while not self._late():
            points = distinct_schedules(self.data.modules[m], budget, task.billing, task.dispatch, cap, pricing)
            if not points:
                return
            yield from points
            budget = max(point.latency for point in points) - STEP

    def _choose(self, options: SolverOptions) -> LinearSolution:
        """Offer the cheapest choice of known columns as a plan; one that misses an SLO by rounding is cut off."""
        while True:
            data = self._pattern()
            solution = solve_linear_program(pattern_program(data), options)
            if solution.values is None:
                return solution
            choice = picked_columns(data, solution.values)
            schedules = [data.columns[m][k].schedule for m, k in enumerate(choice)]
            incumbent = self.task.incumbent
            if not all(schedules) or incumbent.offer(incumbent.assemble(schedules)) is None:
                return solution
            self.excluded = (*self.excluded, choice)

    def _pattern(self) -> PatternData:
        return PatternData(
            columns=tuple(tuple(columns.values()) for columns in self.columns),
            slo=tuple(slo + TIME_TOLERANCE / 2 for slo in self.data.slo),
            edges=self.data.edges,
            sinks=self.data.sinks,
            limits=self.data.limits,
            excluded=self.excluded,
        )

    def _add(self, m: int, column: Column) -> bool:
        """Whether the column is new."""
        key = (column.cost, column.latency, *column.usage)
        return self.columns[m].setdefault(key, column) is column

    def _column(self, schedule: tuple[DispatchTuple, ...]) -> Column:
        usage = dict.fromkeys(self.data.limits, 0.0)
        for part in schedule:
            if part.configuration.hardware in usage:
                usage[part.configuration.hardware] += part.machines
        latency = module_latency(schedule, self.task.dispatch)
        return Column(sum(part.cost for part in schedule), latency, tuple(usage.values()), schedule)


class _LazyFrontier:
    """Points of a frontier, computed when first asked for."""

    def __init__(self, points: Iterator[Point]) -> None:
        self._points = points
        self._known: list[Point] = []

    def __iter__(self) -> Iterator[Point]:
        for position in count():
            if position == len(self._known):
                point = next(self._points, None)
                if point is None:
                    return
                self._known.append(point)
            yield self._known[position]
