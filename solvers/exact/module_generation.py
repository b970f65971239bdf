"""Column generation over module schedules: pipelines of any length.

The master problem is the linear relaxation of the pattern model (`harpagon.formulations.planning.pattern`) over the
schedules known so far. Its duals put a surcharge on every machine of a limited hardware type and a price on every
second of a module's latency; the schedule of least reduced cost under them is a point of the module's frontier. The
sum of these least reduced costs and the master's value is a lower bound (G. Dantzig, P. Wolfe, "Decomposition
principle for linear programs", Operations Research 8(1), 1960).

The bound does not reach the optimum of whole choices. So, with an upper bound from the known columns, every schedule
with a reduced cost of at most the difference is listed; a plan with any other schedule costs more than the upper
bound. The pattern model over the listed schedules then has the optimum. Where frontiers are long, as they are where
modules have many machines, that is too many schedules; then the master branches (`harpagon.solvers.exact.branching`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from harpagon.formulations.bounds import least_machines
from harpagon.formulations.physics import COST_TOLERANCE, TIME_TOLERANCE, in_dispatch_order
from harpagon.formulations.planning.pattern import Column, pattern_program
from harpagon.formulations.problem import module_spans
from harpagon.instances.plan import DispatchTuple
from harpagon.solvers.exact.branching import Node, Range, branch, mixtures
from harpagon.solvers.exact.climb import climb
from harpagon.solvers.exact.effort import OutOfEffortError
from harpagon.solvers.exact.pricing import Pricing
from harpagon.solvers.exact.sampled_frontier import SampledFrontier
from harpagon.solvers.exact.schedule import ScheduleSearch
from harpagon.solvers.exact.schedule_pool import SchedulePool
from harpagon.solvers.models.highs import solve_relaxation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from harpagon.formulations.planning.data import PlanningData
    from harpagon.solvers.exact.schedule import Point
    from harpagon.solvers.models.model_method import Task

_IMPROVEMENT = 1e-7
"""Reduced cost, relative to the master's value per module, below which a schedule is worth a column."""
_ROUGHLY, _NEARLY = 1e-2, 1e-9
"""How far from the least reduced cost a schedule may be, relative to the same: at first, and for the last bound."""
_LONG = 1_000
"""Machines of a module above which its frontier has thousands of points, and is not listed."""
_SEEDS, _MOST_SEEDS = 8, 200
"""Budgets of a module at which the cheapest schedule in free order is a first column, and of all modules together."""


@dataclass(frozen=True, slots=True)
class _Prices:
    """Duals of the master problem.

    ``surcharges`` in dollars per hour per machine of a limited type, ``second`` per module in dollars per hour per
    second of its latency, ``worth`` per module what its choice of a column is worth, ``passing`` per edge what a second
    is worth there.
    """

    surcharges: Mapping[str, float]
    second: tuple[float, ...]
    worth: tuple[float, ...]
    passing: Mapping[tuple[int, int], float]


class ModuleGeneration:
    """Search for the cheapest plan within a task's budget, module by module."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.pool = SchedulePool(task)
        self.rounds = 0
        self.bound = task.floor
        self.frontiers: dict[tuple[int, tuple[float, ...]], SampledFrontier] = {}
        self.stand_ins = [] if task.incumbent.plan is not None else self._stand_ins()

    @property
    def size(self) -> int:
        """Columns of all modules."""
        return self.pool.size

    def run(self) -> tuple[float, bool]:
        """Lower bound on the cost of any plan within the budget, and whether the user stopped the search."""
        try:
            self._seed()
            root = Node(self.bound, tuple(Range(-math.inf, math.inf) for _ in self.pool.columns))
            prices = self._generate(root, self._raise)
            if prices is not None and not self.task.is_proven(self.bound) and self._has_long_frontiers():
                self.stand_ins = self._stand_ins()
                if branch(self.task, root, self._price_node, self._raise) or self.task.late():
                    return self.bound, False
        except OutOfEffortError:
            prices = None
        if prices is None or self.task.is_proven(self.bound):
            return self.bound, False
        return self.pool.close(self.bound, partial(self._list_columns, prices), prices.second, prices.passing)

    def _raise(self, bound: float) -> None:
        self.bound = max(self.bound, bound)
        self.task.report(self.bound)

    def _has_long_frontiers(self) -> bool:
        """Whether listing would take long: hundreds of points of a module, none of which hangs on a limit."""
        return not self.pool.data.limits and max(map(least_machines, self.pool.data.modules)) > _LONG

    def _price_node(self, node: Node) -> bool:
        """Raise the bound of a node; infinity where its latencies are more than the SLOs allow."""
        earliest = [max(own.low, one.earliest) for own, one in zip(node.ranges, self.pool.data.bounds, strict=True)]
        for problem, (begin, end) in zip(self.task.problems, module_spans(self.task.problems), strict=True):
            if problem.network.length(earliest[begin:end]) > problem.slo + TIME_TOLERANCE / 2:
                node.bound = math.inf
        return node.bound == math.inf or self._generate(node) is not None

    def _stand_ins(self) -> list[Column]:
        """A column beyond the budget per module, without machines: the master has a solution before there is a plan."""
        data = self.pool.data
        cost = self.task.budget * len(data.modules)
        return [Column(cost, bounds.earliest, (0.0,) * len(data.limits), ()) for bounds in data.bounds]

    def _seed(self) -> None:
        """First columns: what is cheapest in free order at budgets all over a module's range; this is quick to find."""
        data = self.pool.data
        seeds = min(_SEEDS, _MOST_SEEDS // len(data.modules))
        for m, module in enumerate(data.modules):
            earliest, latest = data.bounds[m].earliest, self.pool.latest(m)
            for budget in (earliest + (latest - earliest) * 0.7**power for power in range(1, seeds + 1)):
                counts = next(climb(module, budget, effort=self.pool.effort), None)
                schedule = in_dispatch_order(DispatchTuple.full(c, n) for c, n in counts or ())
                if schedule and module.latency(schedule, self.task.dispatch) <= latest:
                    self.pool.add(m, self.pool.column(m, schedule))

    def _generate(self, node: Node, told: Callable[[float], None] | None = None) -> _Prices | None:
        """Rounds of master and pricing until no reduced cost is negative, the bound raised each; the last duals."""
        modules = range(len(self.pool.columns))
        while not self.task.late():
            self.rounds += 1
            known = node.columns([columns.values() for columns in self.pool.columns], self.stand_ins)
            relaxation = solve_relaxation(pattern_program(self.pool.pattern(known)), self.task.remaining())
            if relaxation is None:
                break
            node.mixtures = mixtures(known, relaxation.values)
            self.pool.round(known, node.mixtures)
            value, prices = relaxation.value, self._prices(relaxation.duals)
            share = min(abs(value), self.task.budget) / len(modules)
            for tolerance in (_ROUGHLY * share, _NEARLY * share):
                found = [self._price_out(m, prices, tolerance, node.ranges[m]) for m in modules]
                node.bound = max(node.bound, value + sum(min(0.0, bound) for bound, _, _ in found))
                if told is not None:
                    told(node.bound)
                improving = [
                    (m, column)
                    for m, (_, reduced, column) in enumerate(found)
                    if column is not None and reduced < -_IMPROVEMENT * share
                ]
                fresh = [self.pool.add(m, column) for m, column in improving]
                if any(fresh):
                    break
            if not any(fresh) or self.task.is_proven(node.bound):
                return prices
        return None

    def _prices(self, duals: Mapping[str, float]) -> _Prices:
        data = self.pool.data
        worth = tuple(duals[f"select[{m}]"] for m in range(len(data.modules)))
        passing = {edge: max(0.0, -duals[f"precedence[{edge[0]},{edge[1]}]"]) for edge in data.edges}
        return _Prices(limit_surcharges(data.limits, duals), latency_prices(data, duals), worth, passing)

    def _price_out(
        self, m: int, prices: _Prices, tolerance: float, latencies: Range
    ) -> tuple[float, float, Column | None]:
        """Bound on the reduced cost of any schedule of module ``m``, the least one found, and its column."""
        second, worth = prices.second[m], prices.worth[m]
        high = min(latencies.high, self.pool.latest(m))
        bound, point = self._frontier(m, prices).least(second, tolerance, latencies.low, high)
        if point is None:
            return bound - worth, math.inf, None
        reduced = point.cost + second * point.latency - worth
        return bound - worth, reduced, self.pool.column(m, point.schedule)

    def _frontier(self, m: int, prices: _Prices) -> SampledFrontier:
        """Frontier of module ``m`` and all that are equal, kept between rounds that charge them the same."""
        module = self.pool.data.modules[m]
        hardware = sorted({c.hardware for c in module.configurations} & prices.surcharges.keys())
        surcharges = {h: prices.surcharges[h] for h in hardware}
        kind = self.pool.kinds[m]
        key = (kind, tuple(surcharges.values()))
        if key not in self.frontiers:
            billing, dispatch = self.task.billing, self.task.dispatch
            search = ScheduleSearch(module, billing, dispatch, Pricing(surcharges), self.pool.effort)
            earliest = self.pool.data.bounds[m].earliest
            latest = [self.pool.latest(other) for other, its in enumerate(self.pool.kinds) if its == kind]
            self.frontiers[key] = SampledFrontier(search, earliest, max(latest), is_shared=len(latest) > 1)
        return self.frontiers[key]

    def _list_columns(self, prices: _Prices, gap: float) -> None:
        """Add every schedule with a reduced cost of at most ``gap``."""
        for m in range(len(self.pool.columns)):
            for point in self._points_within(m, prices, gap * (1 + COST_TOLERANCE)):
                self.pool.add(m, self.pool.column(m, point.schedule))

    def _points_within(self, m: int, prices: _Prices, gap: float) -> Iterable[Point]:
        second, worth = prices.second[m], prices.worth[m]
        if not self.pool.is_limited(m):
            return self._frontier(m, prices).within(second, worth + gap, self.pool.latest(m))
        cap = worth + gap - second * self.pool.data.bounds[m].earliest
        candidates = self.pool.distinct_points(m, prices.surcharges, [(0.0, cap)])
        return (p for p in candidates if p.cost + second * p.latency - worth <= gap)


def limit_surcharges(limits: Mapping[str, int], duals: Mapping[str, float]) -> dict[str, float]:
    """Dollars per hour that one more machine of each limited type is worth to the master."""
    return {hardware: max(0.0, -duals.get(f"limit[{hardware}]", 0.0)) for hardware in limits}


def latency_prices(data: PlanningData, duals: Mapping[str, float]) -> tuple[float, ...]:
    """Dollars per hour that one second less of each module's latency is worth to the master."""
    prices = [0.0] * len(data.modules)
    for tail, head in data.edges:
        prices[tail] -= min(0.0, duals[f"precedence[{tail},{head}]"])
    for m in data.sinks:
        prices[m] -= min(0.0, duals[f"deadline[{m}]"])
    return tuple(prices)
