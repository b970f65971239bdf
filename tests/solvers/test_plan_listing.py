"""The plans of a small pipeline within a charge, against enumeration of all choices of columns."""

from __future__ import annotations

import math
import random
from itertools import product
from typing import TYPE_CHECKING

import pytest

from harpagon.formulations.planning.pattern import Column
from harpagon.graphs import PathNetwork, decompose
from harpagon.graphs.shapes import SHAPES
from harpagon.solvers.exact.plan_listing import plan_caps, plans_within
from harpagon.solvers.exact.pricing import Pricing
from harpagon.solvers.exact.schedule import Point

if TYPE_CHECKING:
    from harpagon.graphs import Node


def draw(seed: int) -> tuple[PathNetwork, Node, list[list[Column]], Pricing]:
    """A small pipeline with columns in whole figures, of two limited types, of which one is sometimes bundled."""
    rng = random.Random(seed)
    while True:
        graph = SHAPES[rng.choice(sorted(SHAPES.keys() - {"non-series-parallel", "random"}))](rng.randint(1, 4), rng)
        for _, _, data in graph.edges(data=True):
            data["transfer"] = float(rng.choice((0, 0, 1, 2)))
        network = PathNetwork.from_graph(graph)
        tree = decompose(network)
        if tree is not None:
            break

    def column() -> Column:
        usage = (float(rng.randint(0, 2)), float(rng.randint(0, 2)))
        return Column(sum(usage) + rng.randint(1, 6), float(rng.randint(1, 6)), usage, ())

    columns = [[column() for _ in range(rng.randint(1, 5))] for _ in graph]
    bundled = {"b": 1.0} if rng.random() < 0.3 else {}
    return (
        network,
        tree,
        columns,
        Pricing({"a": rng.choice((0.0, 0.5)), "b": rng.choice((0.0, 2.0))}, ("a", "b"), bundled),
    )


def charge(columns: list[Column] | tuple[Column, ...], pricing: Pricing) -> float:
    surcharges = [pricing.surcharges[name] for name in pricing.tracked]
    return sum(c.cost + sum(s * u for s, u in zip(surcharges, c.usage, strict=True)) for c in columns)


def figures(columns: list[Column] | tuple[Column, ...], pricing: Pricing) -> tuple[float, float, float]:
    """Cost without the price of bundled machines, and machines of both types: what one plan may beat another in."""
    used = [sum(column.usage[place] for column in columns) for place in range(2)]
    bundled = sum(pricing.bundled.get(name, 0.0) * count for name, count in zip(pricing.tracked, used, strict=True))
    return sum(column.cost for column in columns) - bundled, used[0], used[1]


@pytest.mark.parametrize("seed", range(40))
def test_the_plans_listed_are_those_that_no_other_beats(seed: int) -> None:
    network, tree, columns, pricing = draw(seed)
    rng = random.Random(seed)
    choices = list(product(*columns))
    lengths = [network.length([column.latency for column in choice]) for choice in choices]
    slo = rng.choice(sorted(lengths))
    within = [choice for choice, length in zip(choices, lengths, strict=True) if length <= slo]
    most = min(charge(choice, pricing) for choice in within) + rng.randint(0, 4)
    envelopes = [
        sorted((Point(c.latency, charge([c], pricing), ()) for c in own), key=lambda point: point.cost)
        for own in columns
    ]
    caps = plan_caps(tree, envelopes, slo, most)
    for choice in within:
        if charge(choice, pricing) <= most:
            for own, price, top in zip(choice, caps.prices, caps.most, strict=True):
                assert charge([own], pricing) + price * own.latency <= top + 1e-9
    listed = plans_within(tree, columns, pricing, slo, caps.prices, most, math.inf)
    assert all(network.length([column.latency for column in plan]) <= slo for plan in listed)
    kept = [figures(plan, pricing) for plan in listed]
    assert len(set(kept)) == len(kept)
    affordable = {figures(choice, pricing) for choice in within if charge(choice, pricing) <= most}
    best = {
        one
        for one in affordable
        if not any(other != one and all(a <= b for a, b in zip(other, one, strict=True)) for other in affordable)
    }
    assert set(kept) == best
