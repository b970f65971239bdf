"""A point per module on the curves known: the cheapest in time, and of those that cost as little the quickest.

Branch and bound over the master of curves: a module that it mixes from several keeps the one part of them or the other;
a module with one curve is settled, since points of one curve mix into a point no dearer (Lemma 10).

The prices of a branch say what a second less of the SLO costs in it at least. A branch in which a quicker plan would
cost more, by these prices, is done with; the others are searched again at an SLO just below the length of the plan. In
a branch with one curve per module the shortest SLO of an allowed cost is the root of a convex falling function: Newton
steps from its left never pass it.
"""

from __future__ import annotations

import math
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from harpagon.formulations.physics import COST_TOLERANCE, TIME_TOLERANCE
from harpagon.solvers.exact.curve_master import CurveMaster
from harpagon.solvers.exact.effort import CLEARLY_QUICKER, TIE_LABELS, Effort, OutOfEffortError
from harpagon.solvers.exact.pricing import LIST_PRICES
from harpagon.solvers.exact.schedule import Point

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harpagon.formulations.problem import PipelineProblem
    from harpagon.instances.policies import Dispatch
    from harpagon.solvers.exact.curve import Curve
    from harpagon.solvers.exact.curve_master import Mix, Relaxed
    from harpagon.solvers.exact.pricing import Pricing

_CLOSE = 2e-8
"""Relative difference of plan and bound at which a branch is closed."""
_CURVES_PER_LABEL = 8
"""Curves that are priced in the time of one label of a schedule search."""
_STEPS = 40
"""Newton steps, and bisections, at most."""
_NEAR = 1e-9
"""Relative difference of two latencies that is not worth a further step."""


class _Closed(NamedTuple):
    """A branch that a plan as cheap as the best may be in, with its bound and what a second less costs in it."""

    allowed: list[list[Curve]]
    bound: float
    rise: float


class CurveChoice:
    """The best choice so far, ``points``, and the least ``cost`` of any.

    Parameters
    ----------
    problem, dispatch
        The pipeline and its policy.
    slo
        Seconds, the tolerance of every search in it.
    effort
        What the search for the cheapest may spend.
    points
        A plan.
    pricing
        Charges of curves and points.
    """

    def __init__(
        self,
        problem: PipelineProblem,
        dispatch: Dispatch,
        slo: float,
        effort: Effort,
        points: Sequence[Point],
        pricing: Pricing = LIST_PRICES,
    ) -> None:
        self.problem = problem
        self.pricing = pricing
        self.dispatch = dispatch
        self.slo = slo
        self.effort = effort
        self.points: Sequence[Point] = points
        self.cost = sum(point.cost for point in points)
        self.master = CurveMaster(problem.network, slo, self.cost)
        self._closed: list[_Closed] = []

    @property
    def budget(self) -> float:
        """Dollars per hour up to which a plan counts as no dearer than the best."""
        return self.cost * (1 + COST_TOLERANCE)

    def run(self, curves: list[list[Curve]]) -> float:
        """Cheapest plan of these curves, kept where it is the best; a bound on the cost of any."""
        waiting, bound = [curves], math.inf
        self._closed = []
        while waiting:
            allowed = waiting.pop()
            self._spend(allowed, len(waiting))
            relaxed = self.master.relax(allowed, self._enough())
            if relaxed.bound < self._enough():
                if (m := _unsettled(relaxed)) is not None:
                    waiting += self._halves(allowed, relaxed, m)
                    continue
                self._offer([mixes[0] for mixes in relaxed.mixes])
            if relaxed.bound <= self.budget:
                self._closed.append(_Closed(allowed, relaxed.bound, relaxed.rise))
            bound = min(bound, relaxed.bound)
        return bound

    def quicken(self) -> None:
        """Replace the plan by the quickest of the last `run` that costs as little, as far as `TIE_LABELS` go."""
        target = self._length(self.points) * (1 - CLEARLY_QUICKER)
        waiting = [closed.allowed for closed in self._closed if self._allows(closed, target)]
        self.effort = Effort(self.effort.deadline, TIE_LABELS)
        with suppress(OutOfEffortError):
            while waiting:
                allowed = waiting.pop()
                self._spend(allowed, len(waiting))
                target = self._length(self.points) * (1 - CLEARLY_QUICKER)
                self.master.change_slo(target)
                relaxed = self.master.relax(allowed, self.budget)
                if relaxed.bound >= self.budget:
                    continue
                if (m := _unsettled(relaxed)) is not None:
                    waiting += self._halves(allowed, relaxed, m)
                elif self._offer_quicker([mixes[0].curve for mixes in relaxed.mixes], target):
                    waiting.append(allowed)

    def _allows(self, closed: _Closed, target: float) -> bool:
        """Whether by its prices a plan of length ``target`` in this branch may cost no more than the best."""
        return closed.bound + closed.rise * (self.slo - target) <= self.budget

    def _spend(self, allowed: Sequence[Sequence[Curve]], held: int) -> None:
        self.effort.spent += sum(map(len, allowed)) // _CURVES_PER_LABEL
        self.effort.spend(held)

    def _enough(self) -> float:
        return self.cost * (1 - _CLOSE)

    def _length(self, points: Sequence[Point]) -> float:
        return self.problem.network.length([point.latency for point in points])

    def _halves(self, allowed: Sequence[list[Curve]], relaxed: Relaxed, m: int) -> list[list[list[Curve]]]:
        """Module ``m`` with its slower and with its quicker curves, those that the master puts more weight on last.

        A curve counts as slow as the point at which it is least, one that is mixed as slow as its points. Curves with
        which every plan costs more than the best are left out.
        """
        mixes, most = relaxed.mixes[m], self.budget - relaxed.bound
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
        if not (quick and slow):  # mixed at one latency
            quick, slow = _parted(kept[m], lambda curve: curve is mixes[0].curve)
        return [[*kept[:m], part, *kept[m + 1 :]] for part in (slow, quick) if part]

    def _offer(self, mixes: Sequence[Mix]) -> None:
        """Keep the plan of these curves at these latencies if it is the cheapest."""
        excess = max(0.0, self.problem.network.length([mix.latency for mix in mixes]) - self.slo)
        points = [self._point(m, mix.curve, mix.latency - excess) for m, mix in enumerate(mixes)]
        cost = sum(point.cost for point in points)
        if cost < self.cost and self._length(points) <= self.slo + TIME_TOLERANCE / 4:
            self.points, self.cost = points, cost

    def _offer_quicker(self, curves: Sequence[Curve], target: float) -> bool:
        """Keep the quickest plan of these curves that costs as little as the best; whether it is within ``target``."""
        most = self.cost * (1 + COST_TOLERANCE / 2)  # a residual's rate is rounded up
        slow = [curve.high for curve in curves]
        if _cost(curves, slow) > most:
            return False
        quick = self._quickest(curves)
        low, share = 0.0, float(_cost(curves, quick) > most)
        for _ in range(_STEPS if share else 0):
            middle = (low + share) / 2
            low, share = (middle, share) if _cost(curves, _between(quick, slow, middle)) > most else (low, middle)
        latencies = _between(quick, slow, share)
        points = [self._point(m, *pair) for m, pair in enumerate(zip(curves, latencies, strict=True))]
        cost, length = sum(point.cost for point in points), self._length(points)
        if cost > self.budget or length > target:
            return False
        self.points, self.cost = points, min(cost, self.cost)
        return True

    def _quickest(self, curves: Sequence[Curve]) -> list[float]:
        """Latencies of the least length at which these curves cost about as much as the best plan, or less."""
        slo = self.problem.network.length([curve.low for curve in curves]) * (1 + _NEAR)
        for _ in range(_STEPS):
            self.master.change_slo(slo)
            relaxed = self.master.relax([[curve] for curve in curves], math.inf)
            excess = relaxed.bound - self.cost
            if not relaxed.rise or excess <= _NEAR * relaxed.rise * slo:
                break
            slo += excess / relaxed.rise
        return [mixes[0].latency for mixes in relaxed.mixes]

    def _point(self, m: int, curve: Curve, latency: float) -> Point:
        structure = curve.structure
        schedule = structure.schedule(structure.rate(min(max(latency, curve.low), curve.high)))
        charge = self.pricing.charge_of(schedule)
        return Point(self.problem.modules[m].latency(schedule, self.dispatch), charge, schedule)


def _unsettled(relaxed: Relaxed) -> int | None:
    """The module that is farthest from one curve, None where every module has one."""
    mixed = [m for m, mixes in enumerate(relaxed.mixes) if len(mixes) > 1]
    return max(mixed, key=lambda m: 1.0 - max(mix.weight for mix in relaxed.mixes[m])) if mixed else None


def _parted(curves: Sequence[Curve], wanted: Callable[[Curve], bool]) -> tuple[list[Curve], list[Curve]]:
    return [curve for curve in curves if wanted(curve)], [curve for curve in curves if not wanted(curve)]


def _cost(curves: Sequence[Curve], latencies: Sequence[float]) -> float:
    return sum(curve.cost(latency) for curve, latency in zip(curves, latencies, strict=True))


def _between(low: Sequence[float], high: Sequence[float], share: float) -> list[float]:
    return [a + share * (b - a) for a, b in zip(low, high, strict=True)]
