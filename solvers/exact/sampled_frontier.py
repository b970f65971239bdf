"""A frontier known only where prices asked for it.

The cost c(L) of the cheapest schedule within a latency budget L never falls as L does. So what was found at a few
budgets bounds it everywhere: below a budget at which the cheapest schedule costs c, no schedule costs less. For a price
p per second of latency the least c(L) + p L is searched by branch and bound over the intervals between these budgets.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from harpagon.formulations.physics import COST_TOLERANCE
from harpagon.solvers.exact.effort import OutOfEffortError
from harpagon.solvers.exact.frontier import step_below

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harpagon.solvers.exact.schedule import Point, ScheduleSearch

_LOWER = 1
"""Row of `_Mark.column` that a new mark behind changes."""
_AMPLE = 2.0
"""Times the cost known up to which a look finds schedules for prices to come, though none now needs one as dear."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """Within ``budget`` no schedule costs less than ``cost``; ``point`` is the cheapest from its latency on."""

    budget: float
    cost: float
    point: Point | None

    @property
    def end(self) -> float:
        """Latency below which nothing but ``cost`` is known."""
        return self.budget if self.point is None else self.point.latency

    def column(self, lower: float) -> NDArray[np.float64]:
        """Its column in a table, ``lower`` the budget of the next mark; `SampledFrontier._priced` reads it."""
        figures = self.budget, lower, self.cost, self.end, step_below(self.end), float(self.point is not None)
        return np.array(figures).reshape(-1, 1)


class _Priced(NamedTuple):
    """Per mark what cost + a price x latency is at the least up to the next mark, and at its point, infinity for none.

    ``is_open`` where a look at a budget between may tell more.
    """

    bounds: NDArray[np.float64]
    values: NDArray[np.float64]
    is_open: NDArray[np.bool_]


class SampledFrontier:
    """The frontier of one module between the ``earliest`` and the ``latest`` budget, in seconds.

    Where it ``is_shared`` by many modules, each with a price of its own, a look finds what other prices will ask for.
    """

    def __init__(self, search: ScheduleSearch, earliest: float, latest: float, is_shared: bool = False) -> None:
        self.search = search
        self.earliest = earliest
        self.ample = _AMPLE if is_shared else 1.0
        first = search.cheapest(latest)
        if first is None:
            raise OutOfEffortError
        self.marks = [_Mark(latest, first.cost, first)]
        self._table = self.marks[0].column(earliest)

    def least(
        self, second: float, tolerance: float, low: float = 0.0, high: float = math.inf
    ) -> tuple[float, Point | None]:
        """Bound on cost + ``second`` x latency, and a point within ``tolerance`` dollars per hour of it.

        Of latencies above ``low`` and up to ``high`` seconds, where given; None where no point has one.

        Raises
        ------
        OutOfEffortError
            Where the effort of the search is used up.
        """
        while True:
            bounds, values, _ = self._priced(second, low, high)
            place, best = int(bounds.argmin()), int(values.argmin())
            bound, value = float(bounds[place]), float(values[best])
            if bound >= value - tolerance or math.isinf(bound):
                return min(bound, value), None if math.isinf(value) else self.marks[best].point
            mark, lower = self.marks[place], max(low, self._lower(place))
            if mark.end > high:
                budget = high
            elif values[place] == value:
                budget = step_below(mark.end)
            else:
                budget = (mark.end + lower) / 2
            self._look(place, min(budget, step_below(mark.end)), max(value - second * lower, self.ample * mark.cost))

    def within(self, second: float, most: float, high: float = math.inf) -> list[Point]:
        """Every point up to ``high`` seconds with cost + ``second`` x latency of at most ``most`` dollars per hour."""
        while True:
            bounds, values, is_open = self._priced(second, -math.inf, high)
            places = np.flatnonzero(is_open & (bounds <= most))
            if not places.size:
                points = (self.marks[place].point for place in np.flatnonzero(values <= most))
                return [point for point in points if point is not None]
            place = int(places[0])
            cap = (most - second * self._lower(place)) * (1 + COST_TOLERANCE)
            self._look(place, min(high, step_below(self.marks[place].end)), cap)

    def spread(self, looks: int, cap: float) -> None:
        """Look where cost may rise most over the most latency, ``looks`` times, up to ``cap`` dollars per hour.

        Raises
        ------
        OutOfEffortError
            Where the effort of the search is used up.
        """
        for _ in range(looks):
            costs = [*(min(mark.cost, cap) for mark in self.marks[1:]), cap]
            areas = [
                (mark.end - self._lower(place)) * (costs[place] - mark.cost) for place, mark in enumerate(self.marks)
            ]
            place = max(range(len(areas)), key=areas.__getitem__)
            if areas[place] <= 0:
                return
            end = self.marks[place].end
            self._look(place, min((end + self._lower(place)) / 2, step_below(end)), cap)

    def ranges(self, cap: float) -> list[tuple[float, float, float]]:
        """Ranges of latency, shortest and longest, with the cost that no schedule in them undercuts."""
        marks = [(i, mark) for i, mark in enumerate(self.marks) if mark.cost < cap or mark.point is not None]
        return [(mark.end if self._is_closed(i) else self._lower(i), mark.budget, mark.cost) for i, mark in marks]

    def _priced(self, second: float, low: float, high: float) -> _Priced:
        """All marks at a price of ``second``, of latencies above ``low`` and up to ``high`` alone."""
        budgets, lowers, costs, ends, below, points = self._table
        begins = np.maximum(lowers, low)
        inside = (points > 0) & (ends > low) & (ends <= high)
        values = np.where(inside, costs + second * ends, math.inf)
        is_closed = begins >= below
        is_open = ~is_closed & (lowers < high) & (budgets > low)
        bounds = np.where(is_closed, values, np.where(is_open, costs + second * begins, math.inf))
        return _Priced(bounds, values, is_open)

    def _lower(self, place: int) -> float:
        """Budget from which on less than ``marks[place]`` says is known again."""
        return self.marks[place + 1].budget if place + 1 < len(self.marks) else self.earliest

    def _is_closed(self, place: int) -> bool:
        """Whether no budget is left between ``marks[place]`` and the next."""
        return self._lower(place) >= step_below(self.marks[place].end)

    def _look(self, place: int, budget: float, cap: float) -> None:
        """Put the cheapest schedule within ``budget`` behind ``marks[place]``, or that it costs more than ``cap``."""
        found = self.search.cheapest(budget, cap)
        if found is not None and found.latency >= self.marks[place].end:
            found = None
            cap = self.marks[place].cost
        cost = max(cap, self.marks[place].cost) if found is None else found.cost
        end = budget if found is None else found.latency
        covered = itertools.takewhile(lambda mark: mark.end >= end, self.marks[place + 1 :])
        self._put(place, _Mark(budget, cost, found), 0 if found is None else sum(1 for _ in covered))

    def _put(self, place: int, mark: _Mark, covered: int) -> None:
        """``mark`` behind ``marks[place]``, in the place of the next marks that its point covers."""
        self.marks[place + 1 : place + 1 + covered] = [mark]
        column, rest = mark.column(self._lower(place + 1)), self._table[:, place + 1 + covered :]
        self._table = np.concatenate((self._table[:, : place + 1], column, rest), axis=1)
        self._table[_LOWER, place] = mark.budget
