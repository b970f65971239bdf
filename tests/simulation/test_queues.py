"""A pipeline of queues on the engine: when roots are done, by hand."""

from __future__ import annotations

from fractions import Fraction

import networkx as nx
import numpy as np
import pytest

from harpagon.graphs import PathNetwork
from harpagon.simulation.flow.closings import Closings
from harpagon.simulation.flow.drop import Drop
from harpagon.simulation.flow.fanout import Edge, FixedFanout
from harpagon.simulation.flow.fleet import Fleet
from harpagon.simulation.flow.order import Order
from harpagon.simulation.flow.pieces import Flow
from harpagon.simulation.flow.queues import QueueEngine, drawn_edges
from harpagon.simulation.flow.server import Server

FORK_AND_JOIN = (("s", "f", 1.0), ("s", "l", 1.0), ("f", "j", 1.4), ("l", "j", 1.5))


def queues(
    edges: tuple[tuple[str, str, float], ...], roots: int, *, whole: bool = False, hold: float = 0.0, join: str = "all"
) -> QueueEngine:
    """Roots at 0 s, 10 s, 20 s, ...; every module has one machine that takes 0.1 s for one item."""
    graph = nx.DiGraph()
    graph.add_weighted_edges_from(edges, weight="fanout")
    nx.set_node_attributes(graph, join, "join")
    network, arrivals = PathNetwork.from_graph(graph), 10.0 * np.arange(roots)
    closings, deadlines = Closings(network, roots, arrivals + 1.0 if whole else None), (arrivals + 1.0).tolist()
    number = network.modules.index
    carriers = {(number(t), number(h)): Edge(FixedFanout(Fraction(f).limit_denominator(10)), 0.0) for t, h, f in edges}
    if whole:
        carriers = drawn_edges(graph, network, roots, np.random.default_rng(1))
    servers = [
        Server(Fleet(1), (0.0, 0.1), Drop.NONE, deadlines, Order.ARRIVAL, patient=False) for _ in network.modules
    ]
    holds = [hold] * len(servers)
    return QueueEngine(graph, network, arrivals, closings, carriers, servers, whole=whole, holds=holds)


@pytest.mark.parametrize(("whole", "done"), [(False, 0.4), (True, 0.5)])
def test_items_go_on_one_by_one_or_with_their_root(whole: bool, done: float) -> None:
    """Two items of the first root leave b at 0.2 s and 0.3 s; c takes the first at once, or both at 0.3 s."""
    engine = queues((("a", "b", 2.0), ("b", "c", 1.0)), 1, whole=whole)
    for end in (0.15, 0.25, 9.0):
        engine.run(end)
    assert engine.closings.finish.tolist() == [pytest.approx(done)]


def test_no_result_leaves_before_the_hold_is_over() -> None:
    engine = queues((("a", "b", 1.0),), 2, hold=0.7)
    engine.run(30.0)
    assert engine.closings.finish.tolist() == [pytest.approx(1.4), pytest.approx(11.4)]


@pytest.mark.parametrize(("join", "items"), [("all", 9), ("any", 18)])
def test_the_edge_of_the_largest_rate_says_what_a_root_brings_to_a_join(join: str, items: int) -> None:
    """l brings 2, 1, 2, 1, 2, 1 items and f 2, 1, 2, 1, 1, 2; a join of any takes them all."""
    engine = queues(FORK_AND_JOIN, 6, join=join)
    outcomes = engine.run(100.0)
    assert outcomes[-1].roots.size == items
    assert np.isfinite(engine.closings.finish).all() and engine.entered == 6


def test_as_a_whole_a_root_brings_what_the_edge_that_brings_most_does() -> None:
    engine = queues((*FORK_AND_JOIN, ("j", "k", 1.0)), 40, whole=True)
    brought = [np.bincount(outcome.roots, minlength=40) for outcome in engine.run(1000.0)]
    every = Flow(np.zeros(40), np.arange(40), np.zeros(40), 0.0, 40, 0.0)
    edges = [np.bincount(engine.edges[tail, 3].carry(every).root, minlength=40) for tail in (1, 2)]
    assert np.array_equal(brought[3], np.maximum(*edges)) and np.array_equal(brought[4], brought[3])
    assert (edges[0] < edges[1]).any() and (edges[0] > edges[1]).any()


def test_a_batch_starts_in_the_period_in_which_a_machine_and_its_items_are_there() -> None:
    engine = queues((("a", "b", 1.0),), 2)
    sizes = [[outcome.roots.size for outcome in engine.run(end)] for end in (0.05, 0.15, 10.05, 20.0)]
    assert sizes == [[1, 0], [0, 1], [1, 0], [0, 1]]


@pytest.mark.parametrize(
    ("order", "overloaded", "ranks"),
    [
        (Order.ARRIVAL, False, [0, 1, 2, 3]),
        (Order.ARRIVAL, True, [0, 1, 2, 3]),
        (Order.DEADLINE, False, [1, 3, 0, 2]),
        (Order.DEADLINE, True, [1, 3, 0, 2]),
        (Order.ADAPTIVE, False, [1, 3, 0, 2]),
        (Order.ADAPTIVE, True, [0, 2, 1, 3]),
    ],
)
def test_only_the_adaptive_order_turns_round_under_overload(order: Order, overloaded: bool, ranks: list[int]) -> None:
    assert list(order.rank([2.0, 1.0, 2.0, 1.0], overloaded)) == ranks
