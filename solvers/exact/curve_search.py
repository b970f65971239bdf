"""The cheapest plan of one pipeline in fractional billing: structures priced, listed within the gap and branched on.

A module's cost against its latency is the lower envelope of its structures' curves (`harpagon.formulations.residual`).

1. The master over the curves known (`harpagon.solvers.exact.curve_master`) prices every module's latency; the cheapest
   structures at a few latencies join as long as they pass below their module's line.
2. Branch and bound over the curves known has their cheapest choice (`harpagon.solvers.exact.curve_choice`).
3. With that plan as upper bound, every structure below the lines raised by the gap is listed. Where one passes below
   its line, the master is solved anew; else any plan as cheap uses listed structures alone, and 2 has the optimum.
4. Of the choices that cost as little the quickest is taken.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harpagon.formulations.physics import COST_TOLERANCE
from harpagon.formulations.structures import module_structure
from harpagon.solvers.exact.curve import Curve
from harpagon.solvers.exact.curve_choice import CurveChoice
from harpagon.solvers.exact.structure_listing import Line, structures_below

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.formulations.problem import ModuleProblem, PipelineProblem
    from harpagon.formulations.residual import Structure
    from harpagon.solvers.exact.curve_master import Relaxed
    from harpagon.solvers.exact.effort import Effort
    from harpagon.solvers.exact.schedule import Point, ScheduleSearch

_BELOW = 1e-9
"""Share of the plan's cost by which a structure has to pass below its line for the master to be solved anew."""
_SMALL_GAP = 1e-2
"""Gap over the plan's cost up to which all within it is listed at once; a larger one where nothing is below a line."""
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
        self.pricing = searches[0].pricing
        self.ranges = ranges
        self.effort = effort
        self.bound = 0.0
        self.curves: list[dict[Structure, Curve]] = [{} for _ in ranges]
        self.samples = [_samples(module, *own) for module, own in zip(problem.modules, ranges, strict=True)]
        # Per module and latency looked at, the cost below which there is nothing: all costs once the cheapest is known.
        self.looked: list[dict[float, float]] = [{} for _ in ranges]
        self.choice = CurveChoice(problem, self.dispatch, slo, effort, points, self.pricing)

    def run(self, others: Sequence[Point]) -> None:
        """Close the gap between ``bound`` and the plan, then look for a quicker one that costs as little.

        ``others`` are points to begin with, beside those of the plan.

        Raises
        ------
        OutOfEffortError
            Where the effort is used up.
        """
        for m, pair in enumerate(zip(self.choice.points, others, strict=True)):
            for point in pair:
                self.add(m, point)
        self._close()
        self.choice.quicken()

    def _close(self) -> None:
        """Bound and plan, their gap closed."""
        relaxed, priced = self._generate(), False
        while True:
            chosen = self.choice.run(self._known())
            gap = max(0.0, self.choice.budget - relaxed.bound) + _BELOW * self.choice.cost
            within = gap if priced or gap <= _SMALL_GAP * self.choice.cost else 0.0
            before = sum(map(len, self.curves))
            below = [self._list(m, relaxed, within) for m in range(len(self.curves))]
            self.bound = max(self.bound, relaxed.bound + sum(below))
            priced = min(below) >= -_BELOW * self.choice.cost
            if not priced:
                relaxed = self._generate()
            elif within == gap:
                if sum(map(len, self.curves)) > before:
                    chosen = self.choice.run(self._known())
                self.bound = max(self.bound, min(chosen, self.choice.cost + sum(below)))
                return

    def add(self, m: int, point: Point) -> bool:
        """Add the structure of a schedule of module ``m``; whether it is new."""
        return self._add(m, module_structure(point.schedule, self.problem.modules[m], self.dispatch))

    def _add(self, m: int, structure: Structure) -> bool:
        latest = self.ranges[m][1]
        if structure in self.curves[m] or structure.quickest > latest:
            return False
        self.curves[m][structure] = Curve(structure, latest, self.pricing)
        return True

    def _known(self) -> list[list[Curve]]:
        return [list(curves.values()) for curves in self.curves]

    # The lower bound

    def _generate(self) -> Relaxed:
        """Master over the curves known, after the samples below its lines have joined them."""
        while True:
            self.effort.spend(0)
            relaxed = self.choice.master.relax(self._known(), math.inf)
            if not sum(self._sample(m, relaxed) for m in range(len(self.curves))):
                return relaxed

    def _sample(self, m: int, relaxed: Relaxed) -> bool:
        """Look for structures below the line of module ``m`` at a few latencies; whether there was a new one."""
        second, worth = relaxed.seconds[m], min(relaxed.least[m])
        added, looked = False, self.looked[m]
        for budget in (worth.latency, *self.samples[m]):
            cap = worth.value - second * budget
            if cap > looked.get(budget, -math.inf):
                point = self.searches[m].cheapest(budget, cap)
                looked[budget] = cap if point is None else math.inf
                added |= point is not None and self.add(m, point)
        return added

    def _list(self, m: int, relaxed: Relaxed, gap: float) -> float:
        """Add every structure below the line of module ``m`` raised by ``gap``; how far one passes below the line."""
        second, worth = relaxed.seconds[m], min(relaxed.least[m]).value
        line = Line(worth + gap * (1 + COST_TOLERANCE), second)
        module, known = self.problem.modules[m], set(self.curves[m])
        for structure in structures_below(module, line, *self.ranges[m], self.dispatch, self.pricing, self.effort):
            self._add(m, structure)
        news = [curve.least(second).value for structure, curve in self.curves[m].items() if structure not in known]
        return min(0.0, *(value - worth for value in news)) if news else 0.0


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
