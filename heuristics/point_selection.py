"""One schedule per module from short frontiers: depth-first search with a bound."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.graphs import PathNetwork
    from harpagon.heuristics.scheduling_rules import ModuleSchedule


def select_points(
    network: PathNetwork,
    frontiers: Sequence[Sequence[ModuleSchedule]],
    slo: float,
    ceiling: float = math.inf,
    choices: float = math.inf,
) -> list[ModuleSchedule] | None:
    """Cheapest selection whose longest path meets the SLO, unless so many choices did not suffice to find it.

    Parameters
    ----------
    network
        The pipeline; any DAG.
    frontiers
        Per module its schedules, cost ascending and latency descending.
    slo
        Seconds.
    ceiling
        Cost to beat, $/hour.
    choices
        Partial selections looked at, at most.

    Returns
    -------
    list of ModuleSchedule or None
        One per module; None where none below ``ceiling`` was found.
    """
    return _Selection(network, frontiers, slo, ceiling, choices).run()


class _Selection:
    def __init__(
        self,
        network: PathNetwork,
        frontiers: Sequence[Sequence[ModuleSchedule]],
        slo: float,
        ceiling: float,
        choices: float,
    ) -> None:
        self.network = network
        self.frontiers = frontiers
        self.slo = slo
        self.best_cost = ceiling
        self.best: list[ModuleSchedule] | None = None
        self.left = choices
        self.chosen = [points[-1] for points in frontiers]
        self.latencies = [points[-1].latency for points in frontiers]
        self.order = sorted(range(len(frontiers)), key=lambda i: frontiers[i][0].cost - frontiers[i][-1].cost)

    def run(self) -> list[ModuleSchedule] | None:
        """Decide the modules with the widest range of cost first."""
        if self.network.length(self.latencies) <= self.slo:
            self._decide(0, sum(points[0].cost for points in self.frontiers))
        return self.best

    def _decide(self, depth: int, bound: float) -> None:
        """Choose for the module at ``depth``; the others behind it stand at their quickest."""
        if depth == len(self.order):
            self.best, self.best_cost = list(self.chosen), bound
            return
        module = self.order[depth]
        points = self.frontiers[module]
        self.latencies[module] = 0.0
        room = self.slo - self.network.path_lengths(self.latencies)[module]
        for point in points:
            reached = bound + point.cost - points[0].cost
            if reached >= self.best_cost or self.left <= 0:
                break
            if point.latency <= room:
                self.left -= 1
                self.chosen[module], self.latencies[module] = point, point.latency
                self._decide(depth + 1, reached)
        self.latencies[module] = points[-1].latency
