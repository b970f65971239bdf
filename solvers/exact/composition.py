"""Composition of module frontiers over a series-parallel pipeline.

Series: latencies and costs add. Parallel: the larger latency counts, costs add. A partial choice is dropped when
another one is no slower and no dearer, when it is slower than the SLO, or when the cheapest points of all other
modules already lift its cost above the best plan known.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, TypeAlias

from harpagon.formulations.pareto import pareto_front
from harpagon.formulations.physics import COST_TOLERANCE
from harpagon.graphs import Delay, Leaf, Parallel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.graphs import Node
    from harpagon.solvers.exact.schedule import Point

_Choice: TypeAlias = tuple[float, float, "_Link"]
"""Latency in seconds, cost in dollars per hour above the cheapest points of the same modules, and how it was made."""
_Link: TypeAlias = "tuple[int, int] | tuple[_Link, _Link] | None"
"""(module, position in its frontier) of a leaf, or the links of two parts, or None for a delay."""


def cheapest_composition(
    tree: Node, frontiers: Sequence[Sequence[Point]], slo: float, excess: float
) -> list[Point] | None:
    """Cheapest choice of one point per module whose longest path meets ``slo``.

    Parameters
    ----------
    tree
        Expression of the longest path.
    frontiers
        Per module its points, cost ascending.
    slo
        Seconds.
    excess
        Dollars per hour above the sum of the modules' cheapest points, beyond which a choice is of no interest.

    Returns
    -------
    list of Point or None
        One per module, the quickest of equal cost; None where no choice qualifies.
    """
    cheapest = sum(points[0].cost for points in frontiers)
    choices = _Composer(frontiers, slo, excess + COST_TOLERANCE * (cheapest + excess)).compose(tree)
    if not choices:
        return None
    equal = choices[0][1] + COST_TOLERANCE * (cheapest + choices[0][1])
    quickest = max(i for i, choice in enumerate(choices) if choice[1] <= equal)
    positions = dict(_positions(choices[quickest][2]))
    return [points[positions[module]] for module, points in enumerate(frontiers)]


class _Composer:
    def __init__(self, frontiers: Sequence[Sequence[Point]], slo: float, excess: float) -> None:
        self.frontiers = frontiers
        self.slo = slo
        self.excess = excess

    def compose(self, node: Node) -> list[_Choice]:
        """Pareto choices of a subtree, cost ascending and latency descending."""
        if isinstance(node, Leaf):
            points = self.frontiers[node.module]
            choices = [(p.latency, p.cost - points[0].cost, (node.module, i)) for i, p in enumerate(points)]
            return [one for one in choices if one[0] <= self.slo and one[1] <= self.excess]
        if isinstance(node, Delay):
            return [(node.seconds, 0.0, None)]
        join = self._parallel if isinstance(node, Parallel) else self._series
        parts = sorted((self.compose(child) for child in node.children), key=len)
        joined = parts[0]
        for part in parts[1:]:
            joined = pareto_front(join(joined, part), itemgetter(1, 0))
        return joined

    def _series(self, left: list[_Choice], right: list[_Choice]) -> list[_Choice]:
        quickest = right[-1][0] if right else 0.0
        choices: list[_Choice] = []
        for latency, cost, link in left:
            if latency + quickest > self.slo:
                continue
            for more_latency, more_cost, more_link in right:
                if cost + more_cost > self.excess:
                    break
                if latency + more_latency <= self.slo:
                    choices.append((latency + more_latency, cost + more_cost, (link, more_link)))
        return choices

    def _parallel(self, left: list[_Choice], right: list[_Choice]) -> list[_Choice]:
        choices: list[_Choice] = []
        i = j = 0
        while i < len(left) and j < len(right):
            latency = max(left[i][0], right[j][0])
            cost = left[i][1] + right[j][1]
            if latency <= self.slo and cost <= self.excess:
                choices.append((latency, cost, (left[i][2], right[j][2])))
            if left[i][0] >= right[j][0]:
                i += 1
            else:
                j += 1
        return choices


def _positions(link: _Link) -> list[tuple[int, int]]:
    positions: list[tuple[int, int]] = []
    waiting = [link]
    while waiting:
        link = waiting.pop()
        if link is None:
            continue
        left, right = link
        if isinstance(left, int) and isinstance(right, int):
            positions.append((left, right))
        else:
            waiting.extend((left, right))  # type: ignore[arg-type]
    return positions
