"""What a module costs against its latency: the curve of one structure, and the frontier of what a search found."""

from __future__ import annotations

import math
from bisect import insort
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Self

from harpagon.formulations.residual import structure_of
from harpagon.heuristics.scheduling_rules import ModuleSchedule

if TYPE_CHECKING:
    from collections.abc import Callable

    from harpagon.formulations.problem import ModuleProblem
    from harpagon.formulations.residual import Structure
    from harpagon.instances.policies import Dispatch

APART = 1.002
"""Ratio of latencies below which nothing is looked for between them."""
_NEAR = 2
"""Points to either side of a latency that are looked between."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Cost of one structure against its latency, convex and falling.

    Attributes
    ----------
    structure
        Full machines and the configuration of a residual, or full machines alone.
    quickest
        Smallest latency, seconds.
    fixed
        Dollars per hour of the full machines.
    slope
        Dollars per hour that a request per second of the residual costs.
    key
        Of the structure: the same for the same full machines and residual, of one module.
    """

    structure: Structure
    quickest: float
    fixed: float
    slope: float
    key: tuple[int, ...]

    @classmethod
    def of(cls, schedule: ModuleSchedule, module: ModuleProblem, dispatch: Dispatch) -> Self:
        """Curve of a schedule of ``module`` under ``dispatch``."""
        structure = structure_of(schedule.tuples, module.rate, dispatch)
        residual = structure.residual
        slope = 0.0 if residual is None else residual.price / residual.throughput
        key = (id(residual), *(id(part.configuration) for part in structure.full))
        key += tuple(int(part.machines) for part in structure.full)
        return cls(structure, structure.quickest, sum(part.cost for part in structure.full), slope, key)

    def cost(self, latency: float) -> float:
        """Dollars per hour within ``latency`` seconds, at least `quickest`."""
        return self.fixed + self.slope * self.structure.rate(latency) if self.slope else self.fixed

    def steepness(self, latency: float) -> float:
        """Dollars per hour and second that more latency would save."""
        return -self.slope * self.structure.slope(latency) if self.slope else 0.0


class Placed(NamedTuple):
    """A place on a curve: what that costs ($/hour) and how long it takes (s)."""

    cost: float
    latency: float
    curve: Curve

    @classmethod
    def at(cls, curve: Curve, budget: float) -> Self:
        """The cheapest place within ``budget`` seconds."""
        rate = curve.structure.rate(budget)
        return cls(curve.fixed + curve.slope * rate, curve.structure.latency(rate), curve)

    def schedule(self, dispatch: Dispatch) -> ModuleSchedule:
        """What runs there."""
        structure = self.curve.structure
        return ModuleSchedule.of(structure.schedule(structure.rate(self.latency)), dispatch)


@dataclass(slots=True)
class Point:
    """What a search found, with the largest budget (s) at which it is known to."""

    place: Placed
    budget: float


@dataclass(slots=True)
class Frontier:
    """Points of one module, latency ascending.

    Attributes
    ----------
    module
        What is scheduled.
    dispatch
        Policy of the schedules.
    search
        From a budget in seconds to the cheapest schedule found, or None.
    """

    module: ModuleProblem
    dispatch: Dispatch
    search: Callable[[float], ModuleSchedule | None]
    points: list[Point] = field(default_factory=list)

    def place(self, schedule: ModuleSchedule) -> Placed:
        """Where a schedule stands on the curve of its structure."""
        return Placed(schedule.cost, schedule.latency, Curve.of(schedule, self.module, self.dispatch))

    def curves(self, first: Curve) -> list[Curve]:
        """``first``, then the curves of all points; of every structure one."""
        return list({curve.key: curve for curve in (first, *(point.place.curve for point in self.points))}.values())

    def add(self, schedule: ModuleSchedule, budget: float) -> None:
        """Add what the search found within ``budget``; of two at hardly different latencies the cheaper is kept."""
        for point in self.points:
            if abs(point.place.latency - schedule.latency) <= schedule.latency * (APART - 1) / 10:
                point.budget = max(point.budget, budget)
                if schedule.cost < point.place.cost:
                    point.place = self.place(schedule)
                return
        insort(self.points, Point(self.place(schedule), budget), key=latency_of)

    def refine(self, latency: float) -> None:
        """Search between ``latency`` and the next points to either side, where what is found there is not known."""
        quicker = [p for p in self.points if p.place.latency < latency / APART][-_NEAR:]
        slower = [p for p in self.points if p.place.latency > latency * APART][:_NEAR]
        known = max([latency, *(p.budget for p in self.points if p.place.latency <= latency * APART)])
        highs = [*(p.place.latency for p in quicker[1:]), latency]
        gaps = [(p.budget, high) for p, high in zip(quicker, highs[-len(quicker) :], strict=True)] if quicker else []
        lows = [known, *(p.budget for p in slower[:-1])]
        gaps += [(low, p.place.latency) for p, low in zip(slower, lows[: len(slower)], strict=True)]
        for low, high in gaps:
            budget = math.sqrt(low * high)
            if high > low * APART and (found := self.search(budget)) is not None:
                self.add(found, budget)


def latency_of(point: Point) -> float:
    """Seconds that a point takes."""
    return point.place.latency
