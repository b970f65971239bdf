"""The least charge of one kind of module at a price of latency, over all its curves, from few searches.

For a price p per second, let g(p) be the least of charge + p x latency over all schedules. As a least of lines in p it
is concave, so what a search proved at two prices bounds it from below between them. It is at most what the curves known
have. Where the two meet within a tolerance nothing is searched; else all structures are listed that pass below the best
known, which proves g there.
"""

from __future__ import annotations

from bisect import bisect_left
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from harpagon.formulations.structures import module_structure
from harpagon.solvers.exact.curve import Curve, Priced
from harpagon.solvers.exact.effort import Effort, OutOfEffortError
from harpagon.solvers.exact.pricing import Pricing
from harpagon.solvers.exact.schedule import ScheduleSearch
from harpagon.solvers.exact.structure_listing import Line, structures_below

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harpagon.formulations.problem import ModuleProblem
    from harpagon.formulations.residual import Structure
    from harpagon.instances.policies import Billing, Dispatch

_SAMPLES, _RATIO = 12, 0.6
"""Latencies at which structures are looked for at first, each by so much nearer to the shortest than the one before."""
_DEAR = 100.0
"""Times the least charge beyond which a structure is not looked for."""
_LOOK = 2_000
"""Labels of one look; near the shortest latency the cheapest schedule may take millions."""


class ModuleCurves:
    """Structures known of one kind of module, and their curves at the charges asked for.

    Parameters
    ----------
    module
        Rate and configurations.
    earliest, latest
        Seconds between which its latency lies.
    billing, dispatch
        Rules of the plan.
    effort
        What all searches together may spend.
    """

    def __init__(
        self,
        module: ModuleProblem,
        earliest: float,
        latest: float,
        billing: Billing,
        dispatch: Dispatch,
        effort: Effort,
    ) -> None:
        self.module = module
        self.earliest = earliest
        self.latest = latest
        self.billing = billing
        self.dispatch = dispatch
        self.effort = effort
        self.structures: dict[Structure, Structure] = {}
        self._hardware = sorted({c.hardware for c in module.configurations})
        self._priced: dict[tuple[float, ...], PricedCurves] = {}

    def add(self, structure: Structure) -> Structure | None:
        """Remember a structure: the one object that stands for all equal to it, or None where it is too slow."""
        return self.structures.setdefault(structure, structure) if structure.quickest <= self.latest else None

    def under(self, surcharges: Mapping[str, float]) -> PricedCurves:
        """The curves under these surcharges."""
        own = {name: surcharges[name] for name in self._hardware if surcharges.get(name)}
        key = tuple(own.get(name, 0.0) for name in self._hardware)
        if key not in self._priced:
            self._priced[key] = PricedCurves(self, Pricing(own))
        return self._priced[key]


class Least(NamedTuple):
    """``bound`` on charge + price x latency of any schedule, and the curve that has the least known."""

    bound: float
    known: Priced
    curve: Curve


class PricedCurves:
    """The curves of one kind of module at some surcharges."""

    def __init__(self, kind: ModuleCurves, pricing: Pricing) -> None:
        self.kind = kind
        self.pricing = pricing
        self.curves: list[Curve] = []
        self._at_high: list[float] = []
        self._of: dict[int, Curve] = {}
        self._effort = Effort(kind.effort.deadline)
        self._search = ScheduleSearch(kind.module, kind.billing, kind.dispatch, pricing, self._effort)
        self._known: dict[float, tuple[Priced, Curve]] = {}
        first = ScheduleSearch(kind.module, kind.billing, kind.dispatch, pricing, kind.effort).cheapest(kind.latest)
        if first is None:
            raise OutOfEffortError
        self._proven = [(0.0, first.cost)]
        kind.add(module_structure(first.schedule, kind.module, kind.dispatch))
        self._refresh()
        self._last = self.curves[0]
        if len(kind.structures) <= _SAMPLES:
            for power in range(1, _SAMPLES):
                self._look(kind.earliest + (kind.latest - kind.earliest) * _RATIO**power, _DEAR * first.cost)

    @property
    def cheapest(self) -> float:
        """Dollars per hour that no schedule undercuts."""
        return self._proven[0][1]

    def all(self) -> list[Curve]:
        """Every curve known."""
        self._refresh()
        return self.curves

    def curve(self, structure: Structure) -> Curve:
        """That of a structure known, the object that stands for it."""
        self._refresh()
        return self._of[id(structure)]

    def cheapest_within(self, budget: float) -> Curve:
        """Of the curves known the cheapest at ``budget`` seconds, or the quickest where all are slower."""
        self._refresh()
        within = [curve for curve in self.curves if curve.low <= budget]
        if not within:
            return min(self.curves, key=attrgetter("low"))
        return min(within, key=lambda curve: curve.cost(min(budget, curve.high)))

    def known(self, second: float) -> tuple[Priced, Curve]:
        """Least charge + ``second`` x latency of the curves known."""
        self._refresh()
        found = self._known.get(second)
        if found is None:
            at = self._last
            best = at.least(second)
            for curve, cost in zip(self.curves, self._at_high, strict=True):
                if cost + second * curve.low < best.value and (own := curve.least(second)) < best:
                    best, at = own, curve
            self._last = at
            found = self._known[second] = best, at
        return found

    def improved(self, second: float) -> tuple[Priced, Curve]:
        """As `known`, after a look for something cheaper where that is least."""
        best, _ = self.known(second)
        self._look(best.latency, best.value - second * best.latency)
        return self.known(second)

    def bound(self, second: float) -> float:
        """Charge + ``second`` x latency is no less, by what was proven at other prices."""
        place = bisect_left(self._proven, (second,))
        if place < len(self._proven) and self._proven[place][0] == second:
            return self._proven[place][1]
        low, least = self._proven[place - 1]
        beyond = least + (second - low) * self.kind.earliest
        if place == len(self._proven):
            return beyond
        high, most = self._proven[place]
        return max(beyond, least + (second - low) / (high - low) * (most - least))

    def least(self, second: float, tolerance: float) -> Least:
        """The least known, and a bound that is no farther from it than ``tolerance`` dollars per hour.

        Raises
        ------
        OutOfEffortError
            Where time runs out.
        """
        best, at = self.known(second)
        bound = self.bound(second)
        if best.value - bound > tolerance:
            self._list_below(second, best.value)
            best, at = self.known(second)
            bound = max(bound, best.value)
            self._proven.insert(bisect_left(self._proven, (second,)), (second, bound))
        return Least(bound, best, at)

    def _list_below(self, second: float, worth: float) -> None:
        """Add every structure whose charge + ``second`` x latency is below ``worth`` somewhere."""
        kind = self.kind
        latest = min(kind.latest, (worth - self._proven[0][1]) / second) if second > 0 else kind.latest
        line = Line(worth, second)
        for structure in structures_below(
            kind.module, line, kind.earliest, max(latest, kind.earliest), kind.dispatch, self.pricing, kind.effort
        ):
            kind.add(structure)

    def _look(self, budget: float, cap: float) -> None:
        """Add the cheapest structure within ``budget`` seconds where it is quickly found, charged less than ``cap``."""
        self._effort.most = self._effort.spent + _LOOK
        try:
            point = self._search.cheapest(budget, cap)
        except OutOfEffortError:
            if self._effort.late():
                raise
            return
        if point is not None:
            self.kind.add(module_structure(point.schedule, self.kind.module, self.kind.dispatch))

    def _refresh(self) -> None:
        """Curves of the structures that came to be known since."""
        structures = self.kind.structures
        if len(self.curves) < len(structures):
            for structure in list(structures)[len(self.curves) :]:
                curve = self._of[id(structure)] = Curve(structure, self.kind.latest, self.pricing)
                self.curves.append(curve)
                self._at_high.append(curve.cost(curve.high))
            self._known.clear()
