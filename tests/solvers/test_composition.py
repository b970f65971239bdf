"""Cheapest choice of one point per module, against enumeration of all choices."""

from __future__ import annotations

import random
from itertools import product

import pytest

from harpagon.graphs import PathNetwork, decompose
from harpagon.graphs.shapes import SHAPES
from harpagon.solvers.exact.composition import Composition, cheapest_composition
from harpagon.solvers.exact.schedule import Point


def draw(seed: int) -> tuple[PathNetwork, list[list[Point]]]:
    """A small pipeline and frontiers in whole figures, among which sums are often equal."""
    rng = random.Random(seed)
    graph = SHAPES[rng.choice(sorted(SHAPES.keys() - {"non-series-parallel", "random"}))](rng.randint(1, 5), rng)
    for _, _, data in graph.edges(data=True):
        data["transfer"] = float(rng.choice((0, 0, 1, 2)))
    frontiers = []
    for _ in graph:
        size = rng.randint(1, 4)
        costs, latencies = (sorted(rng.sample(range(1, 9), size)) for _ in range(2))
        frontiers.append([Point(float(x), float(c), ()) for c, x in zip(costs, reversed(latencies), strict=True)])
    return PathNetwork.from_graph(graph), frontiers


@pytest.mark.parametrize("seed", range(60))
def test_no_choice_is_cheaper_and_none_of_equal_cost_is_quicker(seed: int) -> None:
    network, frontiers = draw(seed)
    tree = decompose(network)
    if tree is None:
        pytest.skip("transfers that differ leave a block of edges that is not series-parallel")
    least = sum(points[0].cost for points in frontiers)
    choices = [
        (sum(point.cost for point in chosen), network.length([point.latency for point in chosen]))
        for chosen in product(*frontiers)
    ]
    lengths = sorted({length for _, length in choices})
    for slo in (lengths[0] - 1, lengths[0], lengths[len(lengths) // 2], lengths[-1]):
        for excess in (0.0, 3.0, 100.0):
            within = [one for one in choices if one[1] <= slo and one[0] <= least + excess]
            found = cheapest_composition(tree, frontiers, slo, excess)
            if found is None:
                assert not within
            else:
                cost = sum(point.cost for point in found)
                assert (cost, network.length([point.latency for point in found])) == min(within)


def test_of_costs_that_differ_by_rounding_the_quicker_is_taken() -> None:
    network = PathNetwork.from_graph(SHAPES["chain"](2, random.Random(0)))
    tree = decompose(network)
    assert tree is not None
    frontiers = [[Point(3.0, 1.0, ()), Point(1.0, 1.0 + 1e-12, ()), Point(0.5, 1.1, ())], [Point(1.0, 1.0, ())]]
    found = cheapest_composition(tree, frontiers, 9.0, 9.0)
    assert found is not None and found[0].latency == 1.0


@pytest.mark.parametrize("seed", range(60))
def test_with_any_prices_of_latency_the_choice_is_the_same_and_costs_no_less_than_the_floor(seed: int) -> None:
    network, frontiers = draw(seed)
    tree = decompose(network)
    if tree is None:
        pytest.skip("transfers that differ leave a block of edges that is not series-parallel")
    rng = random.Random(seed)
    slo = rng.choice(sorted({network.length([point.latency for point in chosen]) for chosen in product(*frontiers)}))
    alike = cheapest_composition(tree, frontiers, slo, 100.0)
    assert alike is not None
    cost = sum(point.cost for point in alike)
    composition = Composition(tree, frontiers, slo, [rng.choice((0.0, 0.5, 1.0, 3.0)) for _ in frontiers])
    assert composition.floor <= cost + 1e-9
    assert composition.cheapest(cost) == alike
    assert composition.cheapest(cost - 0.5) is None


def test_the_floor_is_the_bound_of_the_relaxation_whose_prices_it_is_given() -> None:
    """A chain of two modules that save $1 a second: within 6.5 s they mix to $3.5, whole choices cost $5."""
    network = PathNetwork.from_graph(SHAPES["chain"](2, random.Random(0)))
    tree = decompose(network)
    assert tree is not None
    composition = Composition(tree, [[Point(4.0, 1.0, ()), Point(1.0, 4.0, ())]] * 2, 6.5, [1.0, 1.0])
    assert composition.floor == pytest.approx(3.5)
    found = composition.cheapest(5.0)
    assert found is not None and sum(point.cost for point in found) == 5.0
