"""Composition of module frontiers over a series-parallel pipeline.

Series: latencies and costs add. Parallel: the larger latency counts, costs add. A partial choice is dropped when
another one is no slower and no dearer, when it is slower than the SLO, or when whatever has it is dearer than the best
plan known.

For the last, a second of the pipeline's latency has a price, shared out over parallel parts (Lagrange). The least of
cost + price x latency of every module add up to a bound on the cost of any choice, and a choice costs at least as much
more as its parts are above their least. With the prices of a linear relaxation the bound is that of the relaxation, and
few partial choices are left in pipelines of any length. Without prices it counts how much dearer than the cheapest
points of its modules a part is.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, TypeAlias

from harpagon.formulations.pareto import pareto_front
from harpagon.formulations.physics import COST_TOLERANCE
from harpagon.graphs import Delay, Leaf, Parallel, Series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.graphs import Node
    from harpagon.solvers.exact.effort import Effort
    from harpagon.solvers.exact.schedule import Point

_first = itemgetter(0)

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
    composition = Composition(tree, frontiers, slo, [0.0] * len(frontiers))
    return composition.cheapest(composition.floor + excess)


class Composition:
    """What `cheapest_composition` chooses from, with a price on each module's latency.

    Parameters
    ----------
    tree, frontiers, slo
        As there.
    second
        Per module dollars per hour per second: any are valid, those of a relaxation leave the least to compose.
    effort
        What the composition may spend.
    """

    def __init__(
        self,
        tree: Node,
        frontiers: Sequence[Sequence[Point]],
        slo: float,
        second: Sequence[float],
        effort: Effort | None = None,
    ) -> None:
        self.frontiers = frontiers
        self.slo = slo
        self.effort = effort
        self.nodes: list[Node] = [tree]
        self.parts: list[range] = []
        for node in self.nodes:  # grows: parents before their parts
            children = node.children if isinstance(node, Series | Parallel) else ()
            self.parts.append(range(len(self.nodes), len(self.nodes) + len(children)))
            self.nodes.extend(children)
        self.prices = self._prices(second)
        self.least = self._least()
        self.cheapest_points = sum(points[0].cost for points in frontiers)

    @property
    def floor(self) -> float:
        """Dollars per hour that no choice within the SLO undercuts."""
        return self.cheapest_points + self.least[0] - (self.prices[0] * self.slo if self.prices[0] else 0.0)

    def module_prices(self) -> list[float]:
        """Per module the price of its latency, dollars per hour per second."""
        pairs = zip(self.nodes, self.prices, strict=True)
        price_of = {node.module: price for node, price in pairs if isinstance(node, Leaf)}
        return [price_of[module] for module in range(len(self.frontiers))]

    def cheapest(self, most: float) -> list[Point] | None:
        """The cheapest choice, the quickest of equal cost; None where all cost more than ``most`` dollars per hour.

        Raises
        ------
        OutOfEffortError
            Where the effort is used up.
        """
        allowance = COST_TOLERANCE * most
        choices = self._compose(most - self.floor + allowance)
        if not choices or self.cheapest_points + choices[0][1] > most + allowance:
            return None
        equal = choices[0][1] + COST_TOLERANCE * (self.cheapest_points + choices[0][1])
        quickest = max(i for i, choice in enumerate(choices) if choice[1] <= equal)
        positions = dict(_positions(choices[quickest][2]))
        return [points[positions[module]] for module, points in enumerate(self.frontiers)]

    def _prices(self, second: Sequence[float]) -> list[float]:
        """Per node the price of its latency: its part's of a series, and a share of it of parallel parts."""
        asked = [0.0] * len(self.nodes)
        for i in reversed(range(len(self.nodes))):
            node, own = self.nodes[i], [asked[part] for part in self.parts[i]]
            if isinstance(node, Leaf):
                asked[i] = second[node.module]
            elif own:
                asked[i] = max(own) if isinstance(node, Series) else sum(own)
        prices = asked[:1] * len(self.nodes)
        for i, parts in enumerate(self.parts):
            total = sum(asked[part] for part in parts)
            for part in parts:
                shared = isinstance(self.nodes[i], Parallel)
                share = (asked[part] / total if total > 0 else 1 / len(parts)) if shared else 1.0
                prices[part] = prices[i] * share
        return prices

    def _least(self) -> list[float]:
        """Per node the least of cost above the cheapest points + price x latency."""
        least = [0.0] * len(self.nodes)
        for i in reversed(range(len(self.nodes))):
            node, price = self.nodes[i], self.prices[i]
            if isinstance(node, Leaf):
                points = self.frontiers[node.module]
                least[i] = min(point.cost - points[0].cost + price * point.latency for point in points)
            elif isinstance(node, Delay):
                least[i] = price * node.seconds
            else:
                least[i] = sum(least[part] for part in self.parts[i])
        return least

    def _compose(self, room: float) -> list[_Choice]:
        """Pareto choices of the whole, cost ascending and latency descending, of parts up to ``room`` above least."""
        composed: list[list[_Choice]] = [[] for _ in self.nodes]
        for i in reversed(range(len(self.nodes))):
            node, most = self.nodes[i], self.least[i] + room
            parts = sorted(self.parts[i], key=lambda part: len(composed[part]))
            if isinstance(node, Leaf):
                points, price = self.frontiers[node.module], self.prices[i]
                choices: list[_Choice] = [
                    (point.latency, point.cost - points[0].cost, (node.module, k)) for k, point in enumerate(points)
                ]
                composed[i] = [one for one in choices if one[0] <= self.slo and one[1] + price * one[0] <= most]
            elif isinstance(node, Delay):
                composed[i] = [(node.seconds, 0.0, None)]
            elif isinstance(node, Series):
                composed[i] = self._in_series(parts, composed, room)
            else:
                composed[i] = self._in_parallel(parts, composed, room)
            for part in parts:
                composed[part] = []
        return composed[0]

    def _in_series(self, parts: Sequence[int], composed: Sequence[list[_Choice]], room: float) -> list[_Choice]:
        joined, least = composed[parts[0]], self.least[parts[0]]
        for part in parts[1:]:
            least += self.least[part]
            joined = self._series(joined, composed[part], self.prices[part], least + room)
        return joined

    def _series(self, left: list[_Choice], right: list[_Choice], price: float, most: float) -> list[_Choice]:
        quickest = right[-1][0] if right else 0.0
        charged = sorted(((cost + price * latency, latency, cost, link) for latency, cost, link in right), key=_first)
        choices: list[_Choice] = []
        for latency, cost, link in left:
            if self.effort is not None:
                self.effort.spend(len(choices))
            if latency + quickest > self.slo:
                continue
            room, time_left = most - cost - price * latency, self.slo - latency
            for charge, more_latency, more_cost, more_link in charged:
                if charge > room:
                    break
                if more_latency <= time_left:
                    choices.append((latency + more_latency, cost + more_cost, (link, more_link)))
        return pareto_front(choices, itemgetter(1, 0))

    def _in_parallel(self, parts: Sequence[int], composed: Sequence[list[_Choice]], room: float) -> list[_Choice]:
        joined, least, price = composed[parts[0]], self.least[parts[0]], self.prices[parts[0]]
        for part in parts[1:]:
            least, price = least + self.least[part], price + self.prices[part]
            choices = _parallel(joined, composed[part])
            kept = [one for one in choices if one[0] <= self.slo and one[1] + price * one[0] <= least + room]
            joined = pareto_front(kept, itemgetter(1, 0))
        return joined


def _parallel(left: list[_Choice], right: list[_Choice]) -> list[_Choice]:
    choices: list[_Choice] = []
    i = j = 0
    while i < len(left) and j < len(right):
        choices.append((max(left[i][0], right[j][0]), left[i][1] + right[j][1], (left[i][2], right[j][2])))
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
