"""Padded schedules of a pipeline improved together: chosen on a grid, balanced, searched on finer frontiers.

In turn, a few times:

1. the structures of all modules are chosen at once from their frontiers, on a coarse grid of latencies and then on a
   finer one around the plan at hand (`harpagon.heuristics.harpagon_plus.latency_grid`). Grids run through that plan; a
   latency may be missed by half a step, since
2. latency moves to where padded residuals gain most from it (`harpagon.heuristics.harpagon_plus.balance`), which also
   says whether the choice keeps the SLO; the cheaper plan is kept;
3. the frontiers are searched between the latency of every module and its neighbours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from harpagon.formulations.physics import COST_TOLERANCE
from harpagon.heuristics.harpagon_plus.balance import Balance
from harpagon.heuristics.harpagon_plus.curves import Placed
from harpagon.heuristics.harpagon_plus.latency_grid import Envelope, Grid, LatencyGrid
from harpagon.heuristics.harpagon_plus.moments import Moments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.graphs import PathNetwork
    from harpagon.heuristics.harpagon_plus.curves import Curve, Frontier
    from harpagon.heuristics.scheduling_rules import ModuleSchedule

_ROUNDS = 1
"""Of finer frontiers."""
_REPEATS = 3
"""Of one fineness at most, as long as it helps."""


class _Fineness(NamedTuple):
    """Steps that the SLO is cut into, and how many of them a moment may move to either side.

    ``slacks`` are shares of a step by which a latency may be missed: what rounding takes away, or nothing, so that the
    choice fits.
    """

    steps: int
    reach: int
    slacks: tuple[float, ...]


_FINENESS = {
    0: (_Fineness(200, 200, (0.5,)), _Fineness(800, 80, (0.5, 0.0))),
    1: (_Fineness(200, 200, (0.5,)), _Fineness(800, 80, (0.5, 0.0))),
    2: (_Fineness(50, 50, (0.5,)), _Fineness(200, 40, (0.5, 0.0))),
}
"""By the width of the grid: time grows with the places to the power of one more."""


class JointSearch:
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
        self.slo = slo
        self.frontiers = frontiers
        self.moments = Moments.of(network, slo)
        self.balance = Balance(self.moments, slo)
        self.grid = LatencyGrid(self.moments)

    def improve(self, schedules: Sequence[ModuleSchedule]) -> list[ModuleSchedule]:
        """Schedules that are never dearer."""
        given = [frontier.place(one) for frontier, one in zip(self.frontiers, schedules, strict=True)]
        best = self._chosen(self._cheaper(given, given))
        for _ in range(_ROUNDS):
            for frontier, place in zip(self.frontiers, best, strict=True):
                frontier.refine(place.latency)
            best = self._chosen(best)
        return [place.schedule(frontier.dispatch) for frontier, place in zip(self.frontiers, best, strict=True)]

    def _chosen(self, best: list[Placed]) -> list[Placed]:
        """The best found on grids of all finenesses, or ``best``; none where too many moments hang together."""
        curves = zip(self.frontiers, best, strict=True)
        envelopes = [Envelope(frontier.curves(place.curve)) for frontier, place in curves]
        for fineness in _FINENESS.get(self.grid.width, ()):
            for _ in range(_REPEATS):
                before = _cost(best)
                best = self._chosen_around(best, envelopes, fineness)
                if fineness.reach >= fineness.steps or _cost(best) >= before * (1 - COST_TOLERANCE):
                    break
        return best

    def _chosen_around(self, places: list[Placed], envelopes: Sequence[Envelope], fineness: _Fineness) -> list[Placed]:
        """The best on a grid through the moments of ``places``, or these."""
        step = self.slo / fineness.steps
        now = self.moments.earliest([place.latency for place in places])
        earlier = [min(fineness.reach, int(moment / step)) for moment in now]
        later = [min(fineness.reach, int((self.slo - moment) / step)) for moment in now]
        origins = [moment - before * step for moment, before in zip(now, earlier, strict=True)]
        sizes = [before + 1 + after for before, after in zip(earlier, later, strict=True)]
        grid = Grid(origins, sizes, step)
        for slack in fineness.slacks:
            chosen = self._on_grid(envelopes, grid, slack * step)
            places = self._cheaper(chosen, places) if chosen else places
        return places

    def _on_grid(self, envelopes: Sequence[Envelope], grid: Grid, slack: float) -> list[Placed] | None:
        """The cheapest places on a grid whose latencies miss their quickest by ``slack`` seconds at most."""
        moments = self.grid.cheapest(envelopes, grid, slack)
        if moments is None:
            return None
        latencies = self.moments.latencies(moments)
        curves = [one.cheapest(latency, slack) for one, latency in zip(envelopes, latencies, strict=True)]
        return [Placed.at(curve, max(curve.quickest, one)) for curve, one in zip(curves, latencies, strict=True)]

    def _cheaper(self, places: Sequence[Placed], others: list[Placed]) -> list[Placed]:
        """``places`` at balance where that is cheaper than ``others``, else these."""
        curves: list[Curve] = [place.curve for place in places]
        latencies = self.balance.latencies(curves, [place.latency for place in places])
        if latencies is None:
            return others
        balanced = [Placed.at(curve, latency) for curve, latency in zip(curves, latencies, strict=True)]
        return balanced if _cost(balanced) < _cost(others) else others


def _cost(places: Sequence[Placed]) -> float:
    return sum(place.cost for place in places)
