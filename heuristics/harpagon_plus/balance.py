"""Latency moved along a pipeline until no padded residual gains from more of it.

With its structure fixed, a module's cost is a convex curve in its latency (`harpagon.heuristics.harpagon_plus.curves`).
Let every module start at once and take all the time until its successors start. An *event* is a set of such moments
that must move together: where modules end and those behind them start. Moving one hands latency from the modules on one
side to those on the other, and costs change by a convex function of the step, whose least value bisection finds. One
event is moved after another until nothing gains.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.graphs import PathNetwork
    from harpagon.heuristics.harpagon_plus.curves import Curve

_SWEEPS = 30
_HALVINGS = 24
_GAIN = 1e-7
"""Relative gain of a sweep below which there is no further one."""


class Balance:
    """What moves together in a pipeline.

    Parameters
    ----------
    network
        The pipeline.
    slo
        Seconds allowed on every path.
    """

    def __init__(self, network: PathNetwork, slo: float) -> None:
        self.network = network
        self.slo = slo
        self.events = _events(network)

    def latencies(self, curves: Sequence[Curve], wished: Sequence[float]) -> list[float] | None:
        """Seconds per module that together cost least, as far as single events reach.

        ``wished`` latencies are the start; where they miss the SLO, all shrink towards the quickest of the curves. None
        where even those miss it.
        """
        quickest = [curve.quickest for curve in curves]
        least, length = self.network.length(quickest), self.network.length(wished)
        if least > self.slo:
            return None
        share = 1.0 if length <= self.slo else (self.slo - least) / (length - least)
        start = [quick + share * (latency - quick) for quick, latency in zip(quickest, wished, strict=True)]
        balanced = self._stretched(start)
        cost = _cost(curves, balanced)
        for _ in range(_SWEEPS):
            for ending, starting in self.events:
                step = _best_step(curves, balanced, ending, starting)
                for module in ending:
                    balanced[module] += step
                for module in starting:
                    balanced[module] -= step
            before, cost = cost, _cost(curves, balanced)
            if cost >= before * (1 - _GAIN):
                break
        return balanced

    def room(self, latencies: Sequence[float]) -> list[float]:
        """Seconds that every module alone may take beyond its latency."""
        return [self.slo - length for length in self.network.path_lengths(latencies)]

    def _stretched(self, latencies: Sequence[float]) -> list[float]:
        """Every module from its earliest start until its first successor starts, a sink until the SLO."""
        starts = self.network.heads(latencies)
        after = self.network.successors
        ends = [min((starts[j] - transfer for j, transfer in pairs), default=self.slo) for pairs in after]
        return [end - start for start, end in zip(starts, ends, strict=True)]


def _events(network: PathNetwork) -> list[tuple[list[int], list[int]]]:
    """Modules whose ends move together, with those whose starts move along; a module that does both is in neither."""
    moments = nx.Graph()
    for module, pairs in enumerate(network.successors):
        moments.add_edges_from(((module, "end"), (follower, "start")) for follower, _ in pairs)
    events = []
    for moved in nx.connected_components(moments):
        ending, starting = ({module for module, which in moved if which == side} for side in ("end", "start"))
        events.append((sorted(ending - starting), sorted(starting - ending)))
    return events


def _best_step(
    curves: Sequence[Curve], latencies: Sequence[float], ending: Sequence[int], starting: Sequence[int]
) -> float:
    """Seconds by which an event is best moved later."""
    least = max((curves[m].quickest - latencies[m] for m in ending), default=0.0)
    most = min((latencies[m] - curves[m].quickest for m in starting), default=0.0)
    if least >= most:
        return 0.0

    def gains(step: float) -> bool:
        saved = sum(curves[m].steepness(latencies[m] + step) for m in ending)
        return saved > sum(curves[m].steepness(latencies[m] - step) for m in starting)

    if gains(0.0):
        least = max(least, 0.0)
    else:
        most = min(most, 0.0)
    shortest = (most - least) / 2**_HALVINGS
    while most - least > shortest:
        step = (least + most) / 2
        if gains(step):
            least = step
        else:
            most = step
    return least if least >= 0 else most


def _cost(curves: Sequence[Curve], latencies: Sequence[float]) -> float:
    return sum(curve.cost(latency) for curve, latency in zip(curves, latencies, strict=True))
