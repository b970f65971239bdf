"""Every plan of a small pipeline within a charge, of those that no other beats in cost and in use of limited hardware.

A price per second of the pipeline's latency (Lagrange) bounds what a schedule adds to the charge of any plan that has
it: first it caps what is listed of every module, then what is composed.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from harpagon.graphs import Delay, Leaf, Series
from harpagon.solvers.exact.composition import Composition
from harpagon.solvers.exact.effort import OutOfEffortError
from harpagon.solvers.exact.pricing import no_more
from harpagon.solvers.exact.schedule import Point

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harpagon.formulations.planning.pattern import Column
    from harpagon.graphs import Node
    from harpagon.solvers.exact.pricing import Pricing, Usage

_CAPS = 12
"""Latencies of a module at which the charge of slower schedules is capped."""
_TANGENTS = 30


class Caps(NamedTuple):
    """Per module a price per second of its latency, and the most that charge + price x latency of a schedule may be."""

    prices: list[float]
    most: list[float]

    def of(self, module: int, earliest: float, latest: float) -> list[tuple[float, float]]:
        """Latencies, falling to 0, with the largest charge of schedules of ``module`` that are slower than that."""
        steps = [latest - (latest - earliest) * step / _CAPS for step in range(1, _CAPS)]
        caps = [(latency, self.most[module] - self.prices[module] * latency) for latency in steps]
        return [*caps, (0.0, self.most[module] - self.prices[module] * earliest)]


def plan_caps(tree: Node | None, envelopes: Sequence[Sequence[Point]], slo: float, most: float) -> Caps:
    """Caps that the schedules of every plan keep that is charged at most ``most`` dollars per hour.

    ``envelopes`` are per module points in latency in seconds and charge, charge ascending: every schedule is as slow as
    one of them and charged as much. Without a tree nothing is said of latencies.
    """
    if tree is None:
        cheapest = [points[0].cost for points in envelopes]
        return Caps([0.0] * len(cheapest), [most - sum(cheapest) + own for own in cheapest])
    shares = Composition(tree, envelopes, slo, [1.0] * len(envelopes))
    weights = shares.module_prices()
    fixed = shares.floor - sum(_least(points, weight).at for points, weight in zip(envelopes, weights, strict=True))
    price = _best_price(envelopes, weights, fixed)
    prices = [price * weight for weight in weights]
    least = [_least(points, own).at for points, own in zip(envelopes, prices, strict=True)]
    room = most - sum(least) - price * fixed
    return Caps(prices, [one + room for one in least])


class _Line(NamedTuple):
    """Charge + price x latency of a choice: its value at the price it was chosen for, and its slope."""

    at: float
    slope: float


def _least(points: Sequence[Point], price: float) -> _Line:
    return min((_Line(point.cost + price * point.latency, point.latency) for point in points), key=itemgetter(0))


def _best_price(envelopes: Sequence[Sequence[Point]], weights: Sequence[float], fixed: float) -> float:
    """Price of a second at which the bound on the charge of any plan is largest: concave, a line at every choice."""

    def line(price: float) -> _Line:
        least = [_least(points, price * weight) for points, weight in zip(envelopes, weights, strict=True)]
        slope = fixed + sum(one.slope * weight for one, weight in zip(least, weights, strict=True))
        return _Line(sum(one.at for one in least) + price * fixed, slope)

    low, high = 0.0, 1.0
    left, right = line(low), line(high)
    if left.slope <= 0:
        return low
    for _ in range(_TANGENTS):
        if right.slope <= 0:
            break
        low, left = high, right
        high *= 4
        right = line(high)
    for _ in range(_TANGENTS):
        if right.slope >= left.slope:
            break
        price = (left.at - left.slope * low - right.at + right.slope * high) / (right.slope - left.slope)
        found = line(price)
        if not low < price < high or found.slope in (left.slope, right.slope):
            break
        if found.slope > 0:
            low, left = price, found
        else:
            high, right = price, found
    return low if left.at >= right.at else high


class _Part(NamedTuple):
    """A choice for some modules: seconds, $/h charged, machines of tracked types, and columns by module."""

    latency: float
    charge: float
    usage: Usage
    columns: tuple[tuple[int, Column], ...]


def plans_within(
    tree: Node,
    columns: Sequence[Sequence[Column]],
    pricing: Pricing,
    slo: float,
    prices: Sequence[float],
    most: float,
    most_pairs: float,
) -> list[list[Column]]:
    """Choices of one column per module within ``slo`` seconds and ``most`` dollars per hour of charge.

    Of those that none beats in cost and use, and of equal ones one. ``prices`` as those of `plan_caps`.

    Raises
    ------
    OutOfEffortError
        Where parts with more than ``most_pairs`` pairs of choices would have to be joined.
    """
    charged = [sorted(((pricing.charged(c.cost, c.usage), c) for c in own), key=itemgetter(0)) for own in columns]
    points = [[Point(column.latency, charge, ()) for charge, column in own] for own in charged]
    composition = Composition(tree, points, slo, prices)
    room = most - composition.floor
    composed: list[list[_Part]] = [[] for _ in composition.nodes]
    for i in reversed(range(len(composed))):
        node, parts = composition.nodes[i], composition.parts[i]
        if isinstance(node, Leaf):
            own = charged[node.module]
            leaf = (_Part(c.latency, charge - own[0][0], c.usage, ((node.module, c),)) for charge, c in own)
            composed[i] = [part for part in leaf if part.latency <= slo]
        elif isinstance(node, Delay):
            composed[i] = [_Part(node.seconds, 0.0, pricing.nothing(), ())]
        else:
            in_series = isinstance(node, Series)
            joined, least, price = composed[parts[0]], composition.least[parts[0]], composition.prices[parts[0]]
            for part in parts[1:]:
                least += composition.least[part]
                price += 0.0 if in_series else composition.prices[part]
                if len(joined) * len(composed[part]) > most_pairs:
                    raise OutOfEffortError
                both = (_join(one, other, in_series) for one in joined for other in composed[part])
                within = (
                    one for one in both if one.latency <= slo and one.charge + price * one.latency <= least + room
                )
                joined = _undominated(within, pricing)
            composed[i] = joined
    affordable = (part for part in composed[0] if composition.cheapest_points + part.charge <= most)
    plans = _undominated((part._replace(latency=0.0) for part in affordable), pricing)
    return [[column for _, column in sorted(plan.columns, key=itemgetter(0))] for plan in plans]


def _join(one: _Part, other: _Part, in_series: bool) -> _Part:
    latency = one.latency + other.latency if in_series else max(one.latency, other.latency)
    usage = tuple(a + b for a, b in zip(one.usage, other.usage, strict=True))
    return _Part(latency, one.charge + other.charge, usage, one.columns + other.columns)


def _undominated(parts: Iterable[_Part], pricing: Pricing) -> list[_Part]:
    """Parts that none equals or beats in latency, use and cost, the latter without what hangs on use."""
    front: list[tuple[float, _Part]] = []
    priced = ((pricing.cost(part.charge, part.usage), part) for part in parts)
    for cost, part in sorted(priced, key=lambda pair: (pair[0], pair[1].latency, pair[1].usage)):
        if not any(other.latency <= part.latency and no_more(other.usage, part.usage) for _, other in front):
            front.append((cost, part))
    return [part for _, part in front]
