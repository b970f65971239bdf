"""A frontier known only where prices asked for it.

The cost c(L) of the cheapest schedule within a latency budget L never falls as L does. So what was found at a few
budgets bounds it everywhere: below a budget at which the cheapest schedule costs c, no schedule costs less. For a price
p per second of latency the least c(L) + p L is searched by branch and bound over the intervals between these budgets.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harpagon.formulations.physics import COST_TOLERANCE
from harpagon.solvers.exact.effort import OutOfEffortError
from harpagon.solvers.exact.frontier import step_below

if TYPE_CHECKING:
    from harpagon.solvers.exact.schedule import Point, ScheduleSearch


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


class SampledFrontier:
    """The frontier of one module between the ``earliest`` and the ``latest`` budget, in seconds."""

    def __init__(self, search: ScheduleSearch, earliest: float, latest: float) -> None:
        self.search = search
        self.earliest = earliest
        first = search.cheapest(latest)
        if first is None:
            raise OutOfEffortError
        self.marks = [_Mark(latest, first.cost, first)]

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
        bounds, values = self._priced(range(len(self.marks)), second, low, high)
        while True:
            bound, value = min(bounds), min(values)
            if bound >= value - tolerance or math.isinf(bound):
                return min(bound, value), None if math.isinf(value) else self.marks[values.index(value)].point
            place, count = bounds.index(bound), len(self.marks)
            mark, lower = self.marks[place], max(low, self._lower(place))
            if mark.end > high:
                budget = high
            elif values[place] == value:
                budget = step_below(mark.end)
            else:
                budget = (mark.end + lower) / 2
            self._look(place, min(budget, step_below(mark.end)), value - second * lower)
            if len(self.marks) == count + 1:
                new = slice(place, place + 1)
                bounds[new], values[new] = self._priced(range(place, place + 2), second, low, high)
            else:  # some were merged
                bounds, values = self._priced(range(len(self.marks)), second, low, high)

    def within(self, second: float, most: float) -> list[Point]:
        """Every point with cost + ``second`` x latency of at most ``most`` dollars per hour, and some others."""
        place = 0
        while place < len(self.marks):  # a look changes nothing before its place
            if self._is_closed(place) or self._bound(place, second) > most:
                place += 1
                continue
            cap = (most - second * self._lower(place)) * (1 + COST_TOLERANCE)
            self._look(place, step_below(self.marks[place].end), cap)
        points = (mark.point for mark in self.marks if mark.point is not None)
        return [point for point in points if point.cost + second * point.latency <= most]

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

    def _priced(self, places: range, second: float, low: float, high: float) -> tuple[list[float], list[float]]:
        """Per place its bound, and cost + ``second`` x latency of its point, infinity without one."""
        points = [self.marks[place].point for place in places]
        values = [
            math.inf if point is None or not low < point.latency <= high else point.cost + second * point.latency
            for point in points
        ]
        return [self._bound(place, second, low, high) for place in places], values

    def _lower(self, place: int) -> float:
        """Budget from which on less than ``marks[place]`` says is known again."""
        return self.marks[place + 1].budget if place + 1 < len(self.marks) else self.earliest

    def _is_closed(self, place: int, low: float = 0.0) -> bool:
        """Whether no budget above ``low`` is left between ``marks[place]`` and the next."""
        return max(low, self._lower(place)) >= step_below(self.marks[place].end)

    def _bound(self, place: int, second: float, low: float = 0.0, high: float = math.inf) -> float:
        """Cost + ``second`` x latency is no less from ``marks[place]`` to the next; infinity where nothing is."""
        mark = self.marks[place]
        if not self._is_closed(place, low):
            lower = max(low, self._lower(place))
            return math.inf if self._lower(place) >= high or mark.budget <= low else mark.cost + second * lower
        return math.inf if mark.point is None or not low < mark.end <= high else mark.cost + second * mark.end

    def _look(self, place: int, budget: float, cap: float) -> None:
        """Put the cheapest schedule within ``budget`` behind ``marks[place]``, or that it costs more than ``cap``."""
        found = self.search.cheapest(budget, cap)
        if found is not None and found.latency >= self.marks[place].end:
            found = None
            cap = self.marks[place].cost
        cost = max(cap, self.marks[place].cost) if found is None else found.cost
        self.marks.insert(place + 1, _Mark(budget, cost, found))
        if found is not None and found.latency < self._lower(place + 1):
            self._merge(place + 1)

    def _merge(self, place: int) -> None:
        """Drop the marks that the point of ``marks[place]`` covers."""
        end = self.marks[place].end
        kept = [mark for mark in self.marks[place + 1 :] if mark.end < end]
        self.marks[place + 1 :] = kept
