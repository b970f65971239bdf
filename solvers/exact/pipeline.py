"""The cheapest plan of one small pipeline: module frontiers, composed over the longest path.

Only the latencies of a pipeline's modules couple them. So each module is reduced to its frontier of (latency, cost),
and the pipeline's optimum is a choice of one point per module. Four facts keep the frontiers short:

1. With every other module at its smallest latency, a module's path leaves it a loosest budget. Its cheapest schedule
   there bounds its cost from below.
2. If these cheapest schedules together meet the SLO, they are optimal.
3. Otherwise any plan bounds the optimum from above, and a module's frontier ends where its cost passes its lower bound
   by more than (upper bound - sum of all lower bounds).
4. Points are composed over the series-parallel expression of the longest path; where there is none, the choice is
   left to HiGHS (`harpagon.solvers.exact.selection`).
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from harpagon.formulations.bounds import cost_floor, is_reachable, smallest_latency
from harpagon.formulations.physics import COST_TOLERANCE, PROOF_TOLERANCE, TIME_TOLERANCE
from harpagon.formulations.residual import has_curves
from harpagon.graphs import decompose
from harpagon.solvers.exact.composition import cheapest_composition
from harpagon.solvers.exact.covers import Covers
from harpagon.solvers.exact.effort import Effort, OutOfEffortError
from harpagon.solvers.exact.frontier import frontier_from, quickest_of_equal_cost
from harpagon.solvers.exact.pricing import LIST_PRICES
from harpagon.solvers.exact.schedule import Point, ScheduleSearch
from harpagon.solvers.result import Solution, Termination

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.formulations.problem import PipelineProblem
    from harpagon.instances.policies import Billing, Dispatch
    from harpagon.solvers.options import SolverOptions


LONG = 12
"""Modules above which a pipeline goes to column generation: frontiers composed exactly grow with the modules."""
MANY = 300
"""Points of a frontier above which a pipeline goes to column generation: they grow with the machines of a module."""


_FIRST_POINTS = 32
_DEEPENING = 3
"""Points of a frontier to begin with, and how many times more there may be in the next round."""


@dataclass(frozen=True, slots=True)
class PipelineChoice:
    """Points of a plan of one pipeline, one per module.

    ``frontiers`` are, per module, its cheapest point and all others that are dearer by no more than the bound on the
    cost of any plan is dearer than all cheapest points together; none where they were not listed.
    """

    points: Sequence[Point]
    frontiers: Sequence[Sequence[Point]] = ()

    @property
    def cost(self) -> float:
        """Charge, dollars per hour."""
        return _cost(self.points)


def proof_tolerance(billing: Billing, dispatch: Dispatch) -> float:
    """Relative difference of plan and bound that counts as none: on curves both are limits of approximations."""
    return PROOF_TOLERANCE if has_curves(billing, dispatch) else COST_TOLERANCE


class PipelineSearch:
    """Search for the cheapest plan of one pipeline without hardware limits.

    Parameters
    ----------
    problem
        The pipeline.
    billing, dispatch
        Rules of the plan.
    options
        Gap, and what is handed to a general solver.
    effort
        What the search may spend; beyond it the best plan so far is returned.
    covers
        With the charges, nothing tracked; may be shared by pipelines that are charged the same, None for list prices.
    most_points
        Points of a frontier above which the search ends with the best plan and the bound so far.
    start
        Points of a plan at these charges, one per module, to start from; none for none.
    """

    def __init__(
        self,
        problem: PipelineProblem,
        billing: Billing,
        dispatch: Dispatch,
        options: SolverOptions,
        effort: Effort,
        covers: Covers | None = None,
        most_points: float = math.inf,
        start: Sequence[Point] = (),
    ) -> None:
        self.most_points = most_points
        self.start = start
        self.problem = problem
        self.billing = billing
        self.dispatch = dispatch
        self.options = options
        self.effort = effort
        covers = covers or Covers(LIST_PRICES)
        self.searches = [
            ScheduleSearch(module, billing, dispatch, covers.pricing, effort, covers) for module in problem.modules
        ]
        self.slo = problem.slo + TIME_TOLERANCE / 2
        self.held = self._found((), sum(map(cost_floor, problem.modules)))

    def run(self) -> Solution[PipelineChoice]:
        """Optimum and bound; they differ only by the gap allowed or where the effort ends."""
        with suppress(OutOfEffortError):
            self.held = self._solve()
        return self.held

    def _found(
        self, points: Sequence[Point], bound: float, frontiers: Sequence[Sequence[Point]] = ()
    ) -> Solution[PipelineChoice]:
        """What these points, none for no plan, and this bound come to; without a plan a finite bound is a limit's."""
        if not points:
            return Solution("exact", Termination.INFEASIBLE if math.isinf(bound) else Termination.LIMIT, None, bound)
        cost, gap = _cost(points), max(self.options.gap, proof_tolerance(self.billing, self.dispatch))
        termination = Termination.OPTIMAL if cost - bound <= gap * cost else Termination.FEASIBLE
        return Solution("exact", termination, PipelineChoice(points, frontiers), bound)

    def _solve(self) -> Solution[PipelineChoice]:
        network = self.problem.network
        shortest = [smallest_latency(module, self.dispatch) for module in self.problem.modules]
        if not is_reachable(self.problem, self.dispatch):
            return self._found((), math.inf)
        lengths = network.path_lengths(shortest)
        loosest = [least + self.slo - length for least, length in zip(shortest, lengths, strict=True)]
        cheapest = self._plan(loosest)
        ends = [[point] for point in cheapest]
        floor = _cost(cheapest)
        if self._length(cheapest) <= self.slo:
            return self._found(self._quickest(cheapest, shortest), floor, ends)
        self.held = self._found((), floor)
        best = self._first(shortest, cheapest)
        if has_curves(self.billing, self.dispatch):
            return self._solve_curves(cheapest, best, list(zip(shortest, loosest, strict=True)))
        self.held = self._found(best, floor, ends)
        if math.isclose(_cost(best), floor, rel_tol=COST_TOLERANCE):
            return self._found(self._quickest(best, shortest), floor, ends)
        if _cost(best) - floor <= self.options.gap * _cost(best):
            return self._found(best, floor, ends)
        return self._deepen(cheapest, best)

    def _first(self, shortest: Sequence[float], cheapest: Sequence[Point]) -> list[Point]:
        """A plan to start from: the one given, where it keeps the SLO here, or one made and improved."""
        if self.start and self._length(self.start) <= self.slo:
            return list(self.start)
        best = self._plan(self._scaled_budgets(shortest, [point.latency for point in cheapest]))
        return best if has_curves(self.billing, self.dispatch) else self._improve(best)

    def _solve_curves(
        self, cheapest: Sequence[Point], best: Sequence[Point], ranges: Sequence[tuple[float, float]]
    ) -> Solution[PipelineChoice]:
        """Optimum where frontiers are curves, from the cheapest points and a plan."""
        # Only here is a general solver, and numpy, needed: whole billing has points.
        from harpagon.solvers.exact.curve_search import CurveSearch

        floor = _cost(cheapest)
        self.held = self._found(best, floor)
        if math.isclose(_cost(best), floor, rel_tol=COST_TOLERANCE):
            return self._found(self._quickest(best, [earliest for earliest, _ in ranges]), floor)
        if _cost(best) - floor <= self.options.gap * _cost(best):
            return self.held
        search = CurveSearch(self.problem, self.searches, ranges, self.slo, self.effort, best)
        try:
            search.run(cheapest)
        finally:
            self.held = self._found(search.choice.points, max(floor, search.bound))
        return self.held

    def _deepen(self, cheapest: Sequence[Point], best: Sequence[Point]) -> Solution[PipelineChoice]:
        """Optimum from the cheap ends of the frontiers, lengthened as far as they need to be.

        The cheapest choice from these ends is a plan too. The ends are long enough where each holds every point that
        is dearer than the module's cheapest by no more than this plan is than the floor.
        """
        floor, singles = _cost(cheapest), [[point] for point in cheapest]
        ends = [_FrontierEnd([point]) for point in cheapest]
        most = _FIRST_POINTS
        while most < self.most_points:
            excess = _cost(best) - floor
            for search, end in zip(self.searches, ends, strict=True):
                end.lengthen(search, excess, most)
            points, bound = self._compose([end.points for end in ends], excess)
            best = self._better(best, points)
            self.held = self._found(best, floor, singles)
            if all(end.holds(_cost(best) - floor) for end in ends):
                return self._found(best, min(bound, _cost(best)), [end.points for end in ends])
            most *= _DEEPENING
        return self._found(best, floor, singles)

    def _better(self, best: Sequence[Point], points: Sequence[Point] | None) -> Sequence[Point]:
        """The cheaper of two plans; of equal cost, the quicker."""
        if points is None:
            return best
        if math.isclose(_cost(best), _cost(points), rel_tol=COST_TOLERANCE):
            return min(best, points, key=self._length)
        return min(best, points, key=_cost)

    def _quickest(self, points: Sequence[Point], shortest: Sequence[float]) -> list[Point]:
        """Every module at the quickest schedule of equal cost: where each is its cheapest, the quickest such plan."""
        if has_curves(self.billing, self.dispatch):
            return list(map(quickest_of_equal_cost, points, self.searches, shortest))
        pairs = zip(points, self.searches, strict=True)
        return [next(frontier_from(point, search, point.cost * (1 + COST_TOLERANCE))) for point, search in pairs]

    def _plan(self, budgets: Sequence[float]) -> list[Point]:
        """Cheapest schedule of every module at its own budget, each above the module's shortest latency."""
        return [self._cheapest(module, budget) for module, budget in enumerate(budgets)]

    def _cheapest(self, module: int, budget: float) -> Point:
        point = self.searches[module].cheapest(budget)
        if point is None:  # so near the shortest latency that rounding decides: left to column generation
            raise OutOfEffortError
        return point

    def _length(self, points: Sequence[Point]) -> float:
        return self.problem.network.length([point.latency for point in points])

    def _scaled_budgets(self, shortest: Sequence[float], wanted: Sequence[float]) -> list[float]:
        """Budgets on the way from the shortest latencies to the wanted ones, as far as the SLO allows."""
        low, high = 0.0, 1.0
        for _ in range(_BISECTIONS):
            share = (low + high) / 2
            length = self.problem.network.length(_between(shortest, wanted, share))
            low, high = (share, high) if length <= self.slo else (low, share)
        return _between(shortest, wanted, low)

    def _improve(self, points: list[Point]) -> list[Point]:
        """Offer each module in turn the slack on its paths, until none gets cheaper."""
        improved = True
        while improved:
            improved = False
            for module, point in enumerate(points):
                lengths = self.problem.network.path_lengths([p.latency for p in points])
                offer = self._cheapest(module, point.latency + self.slo - lengths[module])
                if offer.cost < point.cost * (1 - COST_TOLERANCE):
                    points[module] = offer
                    improved = True
        return points

    def _compose(self, frontiers: Sequence[Sequence[Point]], excess: float) -> tuple[Sequence[Point] | None, float]:
        """Cheapest choice from these points, None where there is none, and a bound on the cost of any."""
        tree = decompose(self.problem.network)
        if tree is None:
            # Only here is a general solver, and numpy, needed: most pipelines are series-parallel.
            from harpagon.solvers.exact.selection import cheapest_selection, quickest_selection

            options = replace(self.options, time_limit=self.effort.time_left())
            network = self.problem.network
            points, bound = cheapest_selection(network, frontiers, self.slo, options)
            if points is not None:
                most = _cost(points) * (1 + COST_TOLERANCE)
                points = quickest_selection(network, frontiers, self.slo, most, options) or points
            return points, bound
        return cheapest_composition(tree, frontiers, self.slo, excess), math.inf


@dataclass(slots=True)
class _FrontierEnd:
    """The cheapest points of a frontier, cost ascending; ``exhausted`` where all within the last cap are known."""

    points: list[Point]
    exhausted: bool = False

    def holds(self, excess: float) -> bool:
        """Whether it has every point that is at most ``excess`` dearer than the first."""
        return self.exhausted or self.points[-1].cost - self.points[0].cost > excess

    def lengthen(self, search: ScheduleSearch, excess: float, most: int) -> None:
        """Add points until there are ``most``, or all within ``excess``."""
        if self.holds(excess):
            return
        cap = self.points[0].cost + excess * (1 + COST_TOLERANCE)
        further = frontier_from(self.points.pop(), search, cap)
        self.points.extend(islice(further, most - len(self.points)))
        self.exhausted = len(self.points) < most


_BISECTIONS = 20


def _between(low: Sequence[float], high: Sequence[float], share: float) -> list[float]:
    return [a + share * (b - a) for a, b in zip(low, high, strict=True)]


def _cost(points: Sequence[Point]) -> float:
    return sum(point.cost for point in points)
