"""Rates, longest paths and series-parallel structure against independent computations."""

from __future__ import annotations

import random

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harpagon.graphs import (
    Delay,
    GraphError,
    Leaf,
    Node,
    Parallel,
    PathNetwork,
    Series,
    decompose,
    exact_rates,
    in_topological_order,
    propagate_rates,
    validate_pipeline_graph,
)
from harpagon.graphs.shapes import SHAPES, chain, non_series_parallel

seeds = st.integers(0, 10**6)


def random_graph(seed: int) -> nx.DiGraph:
    rng = random.Random(seed)
    graph = SHAPES[rng.choice(sorted(SHAPES))](rng.randint(1, 7), rng)
    for _, _, data in graph.edges(data=True):
        data["transfer"] = rng.choice([0.0, 0.0, 0.1, 0.3])
        data["fanout"] = rng.choice([0.5, 1.0, 2.0])
    return graph


def all_path_lengths(graph: nx.DiGraph, latencies: dict[str, float]) -> list[float]:
    sources = [node for node in graph if graph.in_degree(node) == 0]
    sinks = [node for node in graph if graph.out_degree(node) == 0]
    lengths = []
    for source in sources:
        for sink in sinks:
            for path in nx.all_simple_paths(graph, source, sink) if source != sink else [[source]]:
                edges = sum(graph.edges[pair]["transfer"] for pair in nx.utils.pairwise(path))
                lengths.append(edges + sum(latencies[node] for node in path))
    return lengths


def evaluate(node: Node, latencies: list[float]) -> float:
    if isinstance(node, Leaf):
        return latencies[node.module]
    if isinstance(node, Delay):
        return node.seconds
    parts = [evaluate(child, latencies) for child in node.children]
    return sum(parts) if isinstance(node, Series) else max(parts)


def leaves(node: Node) -> list[int]:
    if isinstance(node, Leaf):
        return [node.module]
    return [] if isinstance(node, Delay) else [leaf for child in node.children for leaf in leaves(child)]


@given(seeds)
@settings(max_examples=60, deadline=None)
def test_length_is_the_longest_of_all_paths(seed: int) -> None:
    graph = random_graph(seed)
    network = PathNetwork.from_graph(graph)
    rng = random.Random(seed)
    latencies = {module: rng.random() for module in network.modules}
    values = [latencies[module] for module in network.modules]
    longest = max(all_path_lengths(graph, latencies))
    assert network.length(values) == pytest.approx(longest)
    critical = network.critical_path(values)
    edges = sum(graph.edges[pair]["transfer"] for pair in nx.utils.pairwise(critical))
    assert edges + sum(latencies[module] for module in critical) == pytest.approx(longest)
    assert max(network.path_lengths(values)) == pytest.approx(longest)


@given(seed=seeds)
@settings(max_examples=50, deadline=None)
def test_edges_and_ends_are_those_of_the_graph(seed: int) -> None:
    graph = random_graph(seed)
    network = PathNetwork.from_graph(graph)
    names = network.modules
    transfers = nx.get_edge_attributes(graph, "transfer")
    assert {(names[i], names[j]): transfer for (i, j), transfer in network.edges().items()} == transfers
    assert [names[m] for m in network.sources] == [name for name in names if not graph.in_degree(name)]
    assert [names[m] for m in network.sinks] == [name for name in names if not graph.out_degree(name)]


@given(seeds)
@settings(max_examples=80, deadline=None)
def test_decomposition_computes_the_longest_path(seed: int) -> None:
    graph = random_graph(seed)
    network = PathNetwork.from_graph(graph)
    tree = decompose(network)
    if tree is None:
        return
    assert sorted(leaves(tree)) == list(range(len(network.modules)))
    rng = random.Random(seed)
    for _ in range(5):
        values = [rng.random() for _ in network.modules]
        assert evaluate(tree, values) == pytest.approx(network.length(values))


def test_shapes_with_and_without_an_expression() -> None:
    assert decompose(PathNetwork.from_graph(chain(4))) is not None
    assert decompose(PathNetwork.from_graph(non_series_parallel(4))) is None
    block = nx.DiGraph([("a", "c"), ("a", "d"), ("b", "c"), ("b", "d")])
    tree = decompose(PathNetwork.from_graph(block))
    assert isinstance(tree, Series)
    assert all(isinstance(child, Parallel) for child in tree.children)


def test_a_skip_edge_with_a_long_transfer_counts() -> None:
    graph = nx.DiGraph()
    graph.add_edge("a", "b", transfer=0.0)
    graph.add_edge("b", "c", transfer=0.0)
    graph.add_edge("a", "c", transfer=5.0)
    tree = decompose(PathNetwork.from_graph(graph))
    assert tree is not None
    assert evaluate(tree, [1.0, 1.0, 1.0]) == 7.0
    assert evaluate(tree, [1.0, 9.0, 1.0]) == 11.0


def test_an_edge_that_a_detour_outlasts_is_none() -> None:
    graph = nx.DiGraph()
    graph.add_edge("a", "b", transfer=0.4)
    graph.add_edge("b", "c", transfer=0.4)
    graph.add_edge("a", "c", transfer=0.6)
    tree = decompose(PathNetwork.from_graph(graph))
    assert isinstance(tree, Series)
    assert not any(isinstance(child, Parallel) for child in tree.children)


def test_rates_through_fanout_and_joins() -> None:
    graph = nx.DiGraph()
    graph.add_node("last", join="any")
    for tail, head, fanout in (("in", "x", 2.0), ("in", "y", 0.5), ("x", "last", 1.0), ("y", "last", 1.0)):
        graph.add_edge(tail, head, fanout=fanout)
    assert propagate_rates(graph, 100.0)["last"] == 250.0
    graph.nodes["last"]["join"] = "all"
    assert propagate_rates(graph, 100.0)["last"] == 200.0


def test_a_cycle_is_named() -> None:
    with pytest.raises(GraphError, match="a -> b -> a") as error:
        validate_pipeline_graph(nx.DiGraph([("a", "b"), ("b", "a")]))
    assert error.value.cycle == ("a", "b", "a")
    with pytest.raises(GraphError, match="at least one module"):
        validate_pipeline_graph(nx.DiGraph())


def test_what_edges_and_modules_do_not_say_counts_as_said() -> None:
    """One request on each edge, no time on the way, all inputs needed."""
    edges = [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]
    silent = nx.DiGraph(edges)
    told = nx.DiGraph()
    told.add_nodes_from(silent, join="all")
    told.add_edges_from(edges, fanout=1.0, transfer=0.0)
    assert propagate_rates(silent, 7.0) == propagate_rates(told, 7.0) == dict.fromkeys("abcd", 7.0)
    assert PathNetwork.from_graph(silent) == PathNetwork.from_graph(told)
    assert exact_rates(silent) == exact_rates(told)


def test_a_long_transfer_beside_short_modules_stays_in_the_tree() -> None:
    graph = nx.DiGraph()
    graph.add_edge("a", "b", transfer=0.0)
    graph.add_edge("b", "c", transfer=0.0)
    graph.add_edge("a", "c", transfer=0.9)
    tree = decompose(PathNetwork.from_graph(graph))
    assert tree is not None
    assert evaluate(tree, [0.1, 0.2, 0.3]) == pytest.approx(1.3)


def test_a_block_that_one_more_module_feeds_is_no_block() -> None:
    """``b`` and ``c`` feed both ``h1`` and ``h2``, and ``a`` feeds ``h2`` alone."""
    edges = [("b", "h1"), ("b", "h2"), ("c", "h1"), ("c", "h2"), ("a", "h2")]
    graph = nx.DiGraph()
    graph.add_edges_from(edges, transfer=0.0)
    network = PathNetwork.from_graph(graph)
    tree = decompose(network)
    latencies = {"a": 0.0, "b": 5.0, "c": 1.0, "h1": 1.0, "h2": 4.0}
    ordered = [latencies[module] for module in network.modules]
    assert network.length(ordered) == 9.0
    assert tree is None or evaluate(tree, ordered) == 9.0


@given(seeds)
def test_the_order_is_that_of_networkx_with_the_edges_that_come_in(seed: int) -> None:
    graph = random_graph(seed)
    found = dict(in_topological_order(graph))
    assert list(found) == list(nx.lexicographical_topological_sort(graph))
    assert found == {m: [(tail, data) for tail, _, data in graph.in_edges(m, data=True)] for m in graph}


def test_modules_on_a_cycle_have_no_order() -> None:
    with pytest.raises(nx.NetworkXUnfeasible):
        propagate_rates(nx.DiGraph([("a", "b"), ("b", "c"), ("c", "b")]), 1.0)
