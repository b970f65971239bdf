"""Padded schedules of a pipeline improved together: latency balanced, schedules exchanged, frontiers made finer.

In turn, as long as it helps and a few times in any case:

1. latency moves to where padded residuals gain most from it (`harpagon.heuristics.harpagon_plus.balance`);
2. a module takes a cheaper schedule of its frontier, and on every path behind it, or before it, a module gives the
   latency that this needs, on its own curve or on another of its frontier: the exchanges that promise most are
   balanced, and the cheapest plan is kept;
3. the frontiers are searched between the latency of every module and its neighbours.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from heapq import nlargest
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from harpagon.formulations.physics import COST_TOLERANCE
from harpagon.heuristics.harpagon_plus.balance import Balance
from harpagon.heuristics.harpagon_plus.curves import Placed, latency_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harpagon.graphs import PathNetwork
    from harpagon.heuristics.harpagon_plus.curves import Frontier
    from harpagon.heuristics.scheduling_rules import ModuleSchedule

_ROUNDS = 1
"""Without a gain."""
_EXCHANGES = 3
"""In one round at most."""
_CANDIDATES = 3
"""Balanced for each of these."""


class _Given(NamedTuple):
    """What latency costs, $/hour, and who gives it by moving where."""

    cost: float
    by: tuple[tuple[int, Placed], ...]


_NOBODY = _Given(math.inf, ())
_FREE = _Given(0.0, ())


class Exchange:
    """Improvement of one pipeline's schedules.

    Parameters
    ----------
    network
        The pipeline.
    slo
        Seconds allowed on every path.
    frontiers
        What is known of every module; more is added.
    """

    def __init__(self, network: PathNetwork, slo: float, frontiers: Sequence[Frontier]) -> None:
        self.network = network
        self.frontiers = frontiers
        self.balance = Balance(network, slo)

    def improve(self, schedules: Sequence[ModuleSchedule]) -> list[ModuleSchedule]:
        """Schedules that are never dearer."""
        given = [frontier.place(one) for frontier, one in zip(self.frontiers, schedules, strict=True)]
        best = self._exchanged(self._cheaper(given, given))
        rounds = 0
        while rounds < _ROUNDS:
            for frontier, place in zip(self.frontiers, best, strict=True):
                frontier.refine(place.latency)
            better = self._exchanged(best)
            rounds += _cost(better) >= _cost(best) * (1 - COST_TOLERANCE)
            best = better
        return [place.schedule(frontier.dispatch) for frontier, place in zip(self.frontiers, best, strict=True)]

    def _exchanged(self, places: list[Placed]) -> list[Placed]:
        best = places
        for _ in range(_EXCHANGES):
            better = best
            for candidate in self._candidates(best):
                better = self._cheaper(candidate, better)
            if _cost(better) >= _cost(best) * (1 - COST_TOLERANCE):
                break
            best = better
        return best

    def _cheaper(self, places: Sequence[Placed], others: list[Placed]) -> list[Placed]:
        """``places`` at balance where that is cheaper than ``others``, else these."""
        curves = [place.curve for place in places]
        latencies = self.balance.latencies(curves, [place.latency for place in places])
        if latencies is None:
            return others
        balanced = [Placed.at(curve, latency) for curve, latency in zip(curves, latencies, strict=True)]
        return balanced if _cost(balanced) < _cost(others) else others

    def _candidates(self, places: list[Placed]) -> Iterator[list[Placed]]:
        """Places with some exchanged, those that promise to save most."""
        cheaper = [
            (place.cost - other.cost, m, other)
            for m, (frontier, place) in enumerate(zip(self.frontiers, places, strict=True))
            for other in _known(frontier)
            if other.cost < place.cost * (1 - COST_TOLERANCE)
        ]
        cheaper.sort(key=itemgetter(0), reverse=True)
        room = self.balance.room([place.latency for place in places])
        promising: dict[tuple[int, ...], tuple[float, int, Placed, _Given]] = {}
        enough = -math.inf
        for saved, m, other in cheaper:
            if saved <= enough:
                break
            needed = [other.latency - places[m].latency - max(room[m], slack) for slack in room]
            given = self._given(m, needed, places) if needed[m] > 0 else _FREE
            key = (m, *other.curve.key)
            if key not in promising or saved - given.cost > promising[key][0]:
                promising[key] = (saved - given.cost, m, other, given)
            if len(promising) >= _CANDIDATES:
                enough = nlargest(_CANDIDATES, (one[0] for one in promising.values()))[-1]
        for _, m, other, given in nlargest(_CANDIDATES, promising.values(), key=itemgetter(0)):
            candidate = list(places)
            for mover, place in ((m, other), *given.by):
                candidate[mover] = place
            yield candidate

    def _given(self, module: int, needed: Sequence[float], places: Sequence[Placed]) -> _Given:
        """What it costs that modules behind ``module``, or before it, each give it the ``needed`` seconds."""
        behind: dict[int, _Given] = {}
        before: dict[int, _Given] = {}
        after, ahead = self.network.successors, self.network.predecessors
        for m in range(len(places) - 1, module, -1):
            behind[m] = _lesser(self._quicker(m, needed[m], places[m]), _all(behind[j] for j, _ in after[m]))
        for m in range(module):
            before[m] = _lesser(self._quicker(m, needed[m], places[m]), _all(before[j] for j, _ in ahead[m]))
        return _lesser(_all(behind[j] for j, _ in after[module]), _all(before[j] for j, _ in ahead[module]))

    def _quicker(self, module: int, needed: float, place: Placed) -> _Given:
        """The cheapest place known that leaves ``needed`` seconds of the module's latency."""
        if needed <= 0:
            return _FREE
        latency = place.latency - needed
        points = self.frontiers[module].points
        split = bisect_right(points, latency, key=latency_of)
        least = points[split - 1].place if split else None
        for curve in (place.curve, *(point.place.curve for point in points[split : split + 2])):
            if curve.quickest <= latency and (least is None or curve.cost(latency) < least.cost):
                least = Placed(curve.cost(latency), latency, curve)
        return _NOBODY if least is None else _Given(least.cost - place.cost, ((module, least),))


def _known(frontier: Frontier) -> Iterator[Placed]:
    """Points of a frontier and, between every two, a place on the curve of the slower one."""
    before = math.inf
    for point in frontier.points:
        place, curve = point.place, point.place.curve
        yield place
        latency = max(curve.quickest, math.sqrt(before * place.latency))
        if curve.slope and latency < place.latency:
            yield Placed(curve.cost(latency), latency, curve)
        before = place.latency


def _all(given: Iterable[_Given]) -> _Given:
    """All of several, which are on different paths; nobody where there is none to ask."""
    parts = dict.fromkeys(given)
    if not parts:
        return _NOBODY
    return _Given(sum(one.cost for one in parts), tuple(pair for one in parts for pair in one.by))


def _lesser(one: _Given, other: _Given) -> _Given:
    return other if other.cost < one.cost else one


def _cost(places: Sequence[Placed]) -> float:
    return sum(place.cost for place in places)
