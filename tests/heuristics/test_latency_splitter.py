"""Harpagon's latency splitter: greedy moves, scores and the node merger."""

from __future__ import annotations

import random

import networkx as nx
from hypothesis import given
from hypothesis import strategies as st

from harpagon.formulations.pareto import pareto_front
from harpagon.formulations.physics import TIME_TOLERANCE
from harpagon.graphs import PathNetwork
from harpagon.graphs.shapes import SHAPES
from harpagon.heuristics.harpagon.latency_splitter import (
    cost_direct,
    latency_cost_efficiency,
    parallel_groups,
    split_latency,
)
from harpagon.heuristics.harpagon.operating_points import OperatingPoint

FORK = PathNetwork.from_graph(nx.DiGraph([("a", "b"), ("a", "c")]))
CHAIN = PathNetwork.from_graph(nx.DiGraph([("a", "b")]))


def points(*pairs: tuple[float, float]) -> list[OperatingPoint]:
    return [OperatingPoint(*pair) for pair in pairs]


def test_moves_the_module_that_saves_most_per_second() -> None:
    frontiers = [points((1, 10), (2, 5)), points((1, 10), (3, 1))]
    assert split_latency(CHAIN, 4.0, frontiers, latency_cost_efficiency) == [2, 1]


def test_cost_direct_moves_the_module_that_saves_most() -> None:
    frontiers = [points((1, 10), (2, 5)), points((1, 10), (3, 1))]
    assert split_latency(CHAIN, 4.0, frontiers, cost_direct) == [1, 3]


def test_moves_off_the_critical_path_are_free() -> None:
    frontiers = [points((1, 1)), points((1, 9), (5, 8.9)), points((5, 9))]
    assert split_latency(FORK, 6.0, frontiers, latency_cost_efficiency) == [1, 5, 5]


def test_the_merger_sees_that_branches_share_the_latency_they_spend() -> None:
    # Alone, each branch saves 3 a second and a saves 4; together the branches save 6 in the same second.
    frontiers = [points((1, 10), (2, 6)), points((1, 10), (2, 7)), points((1, 10), (2, 7))]
    groups = parallel_groups(FORK)
    assert groups == ((1, 2),)
    assert split_latency(FORK, 3.0, frontiers, latency_cost_efficiency) == [2, 1, 1]
    assert split_latency(FORK, 3.0, frontiers, latency_cost_efficiency, groups) == [1, 2, 2]


def test_groups_need_the_same_ends_on_both_sides() -> None:
    graph = nx.DiGraph([("a", "b"), ("a", "c"), ("a", "d"), ("b", "e"), ("c", "e")])
    network = PathNetwork.from_graph(graph)
    assert [[network.modules[i] for i in group] for group in parallel_groups(network)] == [["b", "c"]]


def test_none_where_the_fastest_points_miss_the_slo() -> None:
    assert split_latency(CHAIN, 1.9, [points((1, 1)), points((1, 1))], latency_cost_efficiency) is None


@given(
    st.sampled_from(sorted(SHAPES)),
    st.integers(3, 6),
    st.data(),
    st.sampled_from([latency_cost_efficiency, cost_direct]),
    st.booleans(),
)
def test_budgets_are_points_within_the_slo_and_none_is_left_to_take(shape, modules, data, score, merge) -> None:
    network = PathNetwork.from_graph(SHAPES[shape](modules, random.Random(modules)))
    pair = st.tuples(st.floats(0.01, 1.0), st.floats(0.1, 9.0))
    frontiers = [
        pareto_front([OperatingPoint(*p) for p in data.draw(st.lists(pair, min_size=1, max_size=4))], tuple)
        for _ in network.modules
    ]
    slo = network.length([chain[0].latency for chain in frontiers]) * data.draw(st.floats(1.0, 3.0))
    groups = parallel_groups(network) if merge else ()
    budgets = split_latency(network, slo, frontiers, score, groups)
    assert budgets is not None
    assert network.length(budgets) <= slo + TIME_TOLERANCE
    for i, (budget, chain) in enumerate(zip(budgets, frontiers, strict=True)):
        latencies = [point.latency for point in chain]
        for later in latencies[latencies.index(budget) + 1 :]:
            assert network.length([*budgets[:i], later, *budgets[i + 1 :]]) > slo
