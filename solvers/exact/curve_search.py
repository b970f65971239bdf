"""The cheapest plan of one pipeline in fractional billing: structures priced, listed within the gap and branched on.

A module's cost against its latency is the lower envelope of its structures' curves (`harpagon.formulations.residual`).

1. The master over the curves known (`harpagon.solvers.exact.curve_master`) prices every module's latency; the cheapest
   structures at a few latencies join as long as they pass below their module's line.
2. Branch and bound over the curves known: a module that the master mixes from several keeps the one part of them or the
   other; a module with one curve is settled, since points of one curve mix into a point no dearer (Lemma 10).
3. With that plan as upper bound, every structure below the lines raised by the gap is listed. Where one passes below
   its line, the master is solved anew; else any cheaper plan uses listed structures alone, and 2 has the optimum.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harpagon.formulations.physics import COST_TOLERANCE, TIME_TOLERANCE
from harpagon.formulations.structures import module_structure
from harpagon.solvers.exact.curve import Curve
from harpagon.solvers.exact.curve_master import CurveMaster
from harpagon.solvers.exact.pricing import LIST_PRICES
from harpagon.solvers.exact.schedule import Point
from harpagon.solvers.exact.structure_listing import Line, structures_below

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harpagon.formulations.problem import ModuleProblem, PipelineProblem
    from harpagon.formulations.residual import Structure
    from harpagon.solvers.exact.curve_master import Mix, Relaxed
    from harpagon.solvers.exact.effort import Effort
    from harpagon.solvers.exact.schedule import ScheduleSearch

_CLOSE = 2e-8
"""Relative difference of plan and bound at which a branch is closed."""
_BELOW = 1e-9
"""Share of the plan's cost by which a structure has to pass below its line for the master to be solved anew."""
_SMALL_GAP = 1e-2
"""Gap over the plan's cost up to which all within it is listed at once; a larger one where nothing is below a line."""
_CURVES_PER_LABEL = 8
"""Curves that are priced in the time of one label of a schedule search."""
_SHARES = (1.0, 0.75, 0.5, 0.3, 0.15, 0.05)


class CurveSearch:
    """Search over the curves of one pipeline's modules.

    Parameters
    ----------
    problem
        The pipeline.
    searches
        Per module, for its cheapest schedule within a budget.
    ranges
        Per module its smallest and its largest latency in any plan, in seconds.
    slo
        Seconds, the tolerance of every search in it.
    effort
        What the search may spend.
    points
        A plan.
    """

    def __init__(
        self,
        problem: PipelineProblem,
        searches: Sequence[ScheduleSearch],
        ranges: Sequence[tuple[float, float]],
        slo: float,
        effort: Effort,
        points: Sequence[Point],
    ) -> None:
        self.problem = problem
        self.searches = searches
        self.dispatch = searches[0].dispatch
        self.ranges = ranges
        self.slo = slo
        self.effort = effort
        self.points: Sequence[Point] = points
        self.cost = sum(point.cost for point in points)
        self.bound = 0.0
        self.curves: list[dict[Structure, Curve]] = [{} for _ in ranges]
        self.samples = [_samples(module, *own) for module, own in zip(problem.modules, ranges, strict=True)]
        self.master = CurveMaster(problem.network, slo, self.cost)

    def run(self, others: Sequence[Point]) -> None:
        """Close the gap between ``bound`` and ``cost``, that of ``points``; ``others`` are points to begin with too.

        Raises
        ------
        OutOfEffortError
            Where the effort is used up.
        """
        for m, pair in enumerate(zip(self.points, others, strict=True)):
            for point in pair:
                self.add(m, point)
        relaxed, priced = self._generate(), False
        while True:
            chosen = self._choose(self._known())
            gap = max(0.0, self.cost - relaxed.bound)
            within = gap if priced or gap <= _SMALL_GAP * self.cost else 0.0
            before = sum(map(len, self.curves))
            below = [self._list(m, relaxed, within) for m in range(len(self.curves))]
            self.bound = max(self.bound, relaxed.bound + sum(below))
            priced = min(below) >= -_BELOW * self.cost
            if not priced:
                relaxed = self._generate()
            elif within == gap:
                if sum(map(len, self.curves)) > before:
                    chosen = self._choose(self._known())
                self.bound = max(self.bound, min(chosen, self.cost + sum(below)))
                return

    def add(self, m: int, point: Point) -> bool:
        """Add the structure of a schedule of module ``m``; whether it is new."""
        return self._add(m, module_structure(point.schedule, self.problem.modules[m], self.dispatch))

    def _add(self, m: int, structure: Structure) -> bool:
        latest = self.ranges[m][1]
        if structure in self.curves[m] or structure.quickest > latest:
            return False
        self.curves[m][structure] = Curve(structure, latest)
        return True

    def _known(self) -> list[list[Curve]]:
        return [list(curves.values()) for curves in self.curves]

    def _enough(self) -> float:
        return self.cost * (1 - _CLOSE)

    # The lower bound

    def _generate(self) -> Relaxed:
        """Master over the curves known, after the samples below its lines have joined them."""
        while True:
            self.effort.spend(0)
            relaxed = self.master.relax(self._known(), math.inf)
            if not sum(self._sample(m, relaxed) for m in range(len(self.curves))):
                return relaxed

    def _sample(self, m: int, relaxed: Relaxed) -> bool:
        """Look for structures below the line of module ``m`` at a few latencies; whether there was a new one."""
        second, worth = relaxed.seconds[m], min(relaxed.least[m])
        added = False
        for budget in (worth.latency, *self.samples[m]):
            point = self.searches[m].cheapest(budget, worth.value - second * budget)
            if point is not None:
                added |= self.add(m, point)
        return added

    def _list(self, m: int, relaxed: Relaxed, gap: float) -> float:
        """Add every structure below the line of module ``m`` raised by ``gap``; how far one passes below the line."""
        second, worth = relaxed.seconds[m], min(relaxed.least[m]).value
        line = Line(worth + gap * (1 + COST_TOLERANCE), second)
        module, known = self.problem.modules[m], set(self.curves[m])
        for structure in structures_below(module, line, *self.ranges[m], self.dispatch, LIST_PRICES, self.effort):
            self._add(m, structure)
        news = [curve.least(second).value for structure, curve in self.curves[m].items() if structure not in known]
        return min(0.0, *(value - worth for value in news)) if news else 0.0

    # The choice

    def _choose(self, curves: list[list[Curve]]) -> float:
        """Cheapest plan of these curves, kept where it is the best; a bound on the cost of any."""
        waiting, bound = [curves], math.inf
        while waiting:
            allowed = waiting.pop()
            self.effort.spent += sum(map(len, allowed)) // _CURVES_PER_LABEL
            self.effort.spend(len(waiting))
            relaxed = self.master.relax(allowed, self._enough())
            if relaxed.bound < self._enough():
                mixed = [m for m, mixes in enumerate(relaxed.mixes) if len(mixes) > 1]
                if mixed:
                    waiting += self._halves(allowed, relaxed, max(mixed, key=lambda m: _doubt(relaxed.mixes[m])))
                    continue
                self._offer([mixes[0] for mixes in relaxed.mixes])
            bound = min(bound, relaxed.bound)
        return bound

    def _halves(self, allowed: Sequence[list[Curve]], relaxed: Relaxed, m: int) -> list[list[list[Curve]]]:
        """Module ``m`` with its slower and with its quicker curves, those that the master puts more weight on last.

        A curve counts as slow as the point at which it is least, one that is mixed as slow as its points. Curves with
        which no plan costs less than the best are left out.
        """
        mixes, most = relaxed.mixes[m], self.cost - relaxed.bound
        kept = [
            [curve for curve, one in zip(curves, least, strict=True) if one.value <= min(least).value + most]
            for curves, least in zip(allowed, relaxed.least, strict=True)
        ]
        latencies = {curve: one.latency for curve, one in zip(allowed[m], relaxed.least[m], strict=True)}
        latencies |= {mix.curve: mix.latency for mix in mixes}
        cut = (min(mix.latency for mix in mixes) + max(mix.latency for mix in mixes)) / 2
        quick, slow = _parted(kept[m], lambda curve: latencies[curve] <= cut)
        if sum(mix.weight for mix in mixes if mix.latency <= cut) < 1 / 2:
            quick, slow = slow, quick
        return [[*kept[:m], part, *kept[m + 1 :]] for part in (slow, quick) if part]

    def _offer(self, mixes: Sequence[Mix]) -> None:
        """Keep the plan of these curves at these latencies if it is the cheapest."""
        excess = max(0.0, self.problem.network.length([mix.latency for mix in mixes]) - self.slo)
        points = [self._point(m, mix.curve, mix.latency - excess) for m, mix in enumerate(mixes)]
        cost = sum(point.cost for point in points)
        length = self.problem.network.length([point.latency for point in points])
        if cost < self.cost and length <= self.slo + TIME_TOLERANCE / 4:
            self.points, self.cost = points, cost

    def _point(self, m: int, curve: Curve, latency: float) -> Point:
        structure = curve.structure
        schedule = structure.schedule(structure.rate(min(max(latency, curve.low), curve.high)))
        cost = sum(part.cost for part in schedule)
        return Point(self.problem.modules[m].latency(schedule, self.dispatch), cost, schedule)


def _samples(module: ModuleProblem, earliest: float, latest: float) -> list[float]:
    """Latencies at which structures are looked for: spread evenly, and where a configuration begins to serve alone.

    It does where the request rate brings one batch, or two, after its duration; of interest is one of a better ratio
    than all quicker ones.
    """
    budgets, best = {earliest + share * (latest - earliest) for share in _SHARES}, 0.0
    for c in sorted(module.configurations, key=lambda c: (c.duration, -c.ratio)):
        if c.ratio > best:
            best = c.ratio
            budgets |= {c.duration + batches * (c.batch + 1) / module.rate for batches in (1, 2)}
    return sorted(budget for budget in budgets if earliest < budget <= latest)


def _doubt(mixes: Sequence[Mix]) -> float:
    """How far a module is from one curve."""
    return 1.0 - max(mix.weight for mix in mixes)


def _parted(curves: Sequence[Curve], wanted: Callable[[Curve], bool]) -> tuple[list[Curve], list[Curve]]:
    return [curve for curve in curves if wanted(curve)], [curve for curve in curves if not wanted(curve)]
