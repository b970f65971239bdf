"""Joins by root, item by item, however the pieces are cut."""

from __future__ import annotations

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest

from harpagon.graphs import PathNetwork
from harpagon.simulation.flow.closings import Closings
from harpagon.simulation.flow.joins import ClosedJoin, Passing, RootJoin
from harpagon.simulation.flow.pieces import Flow


def flow(items: list[tuple[int, float]], following: int) -> Flow:
    """Items as (root, ready)."""
    roots = np.array([root for root, _ in items], dtype=np.int64)
    ready = np.array([time for _, time in items])
    return Flow(ready, roots, roots.astype(float), float(following), following, float(following))


LEADING = [(0, 1.0), (0, 1.1), (1, 2.0), (2, 3.0), (2, 3.1), (2, 3.2)]
OTHER = [(0, 2.5), (2, 3.5), (2, 3.05)]
PAIRS = [(0, 2.5), (0, 2.5), (1, 2.5), (2, 3.5), (2, 3.1), (2, 3.2)]
"""The k-th of the root; the last of a root that has fewer; the newest of an earlier root."""


@pytest.mark.parametrize("cuts", [(3,), (1, 3), (1, 2, 3), (2, 3)])
@pytest.mark.parametrize("leader", [0, 1])
def test_join_all_takes_what_its_root_brought(cuts: tuple[int, ...], leader: int) -> None:
    join, made = RootJoin(2, leader), []
    for before, after in zip((0, *cuts), cuts, strict=False):
        pieces = [flow([item for item in edge if before <= item[0] < after], after) for edge in (LEADING, OTHER)]
        made.append(join.merge(pieces if leader == 0 else pieces[::-1]))
    pairs = [(int(r), float(t)) for piece in made for r, t in zip(piece.root, piece.ready, strict=True)]
    assert pairs == PAIRS


def test_nothing_waits_for_a_later_root() -> None:
    join = RootJoin(2, 0)
    made = join.merge([flow(LEADING, 9), flow(OTHER[:1], 2)])
    assert made.root.tolist() == [0, 0, 1]
    assert (made.next_root, made.next_origin) == (2, 2.0)


def test_nothing_comes_later_that_is_ready_before_the_watermark() -> None:
    """It is the earliest of the items that wait and of what every edge may still bring."""
    for known, watermark in ((2.0, 2.0), (8.0, 3.0)):
        other = replace(flow(OTHER[:1], 2), watermark=known)
        assert RootJoin(2, 0).merge([flow(LEADING, 9), other]).watermark == watermark


def test_the_leading_edge_makes_the_requests() -> None:
    """Items of the other edge that no item leads are taken by none."""
    join = RootJoin(2, 0)
    made = join.merge([flow([(1, 5.0)], 3), flow([(0, 9.0), (1, 4.0), (1, 8.0), (2, 7.0)], 3)])
    assert (made.root.tolist(), made.ready.tolist()) == ([1], [5.0])


def test_join_any_passes_everything_on_in_order_of_roots() -> None:
    made = RootJoin(2, None).merge([flow(LEADING, 3), flow(OTHER, 3)])
    assert made.root.tolist() == [0, 0, 0, 1, 2, 2, 2, 2, 2]
    assert sorted(made.ready) == sorted(time for _, time in LEADING + OTHER)


def test_a_queue_gets_a_root_once_all_before_are_through_with_it() -> None:
    """Root 0 is through at 2 s and 0.4 s, root 1 only on one side; transfers are 0.5 s and 2 s."""
    network = PathNetwork.from_graph(nx.DiGraph([("a", "c"), ("b", "c")]))
    network = replace(network, predecessors=((), (), ((0, 0.5), (1, 2.0))))
    closings = Closings(network, 2)
    for module, roots in enumerate(([0, 0, 1], [0])):
        closings.come(module, np.array([0, 0, 1]) if module == 0 else np.array([0, 1]))
        closings.close(module, np.array(roots), np.array([2.0, 1.0, 3.0] if module == 0 else [0.4]))
    brought = [flow([(0, 9.0), (0, 9.0), (1, 9.0)], 2), flow([(0, 9.0), (0, 9.0), (0, 9.0)], 2)]
    for leader, items in ((0, 2), (1, 3), (None, 3)):
        made = ClosedJoin(2, 2, closings, leader).merge(brought)
        assert (made.root.tolist(), made.ready.tolist()) == ([0] * items, [2.5] * items)
        assert made.next_origin == 2.0


def test_roots_that_are_closed_at_one_instant_go_on_by_their_deadlines() -> None:
    network = PathNetwork.from_graph(nx.DiGraph([("a", "b")]))
    for deadlines, order in ((None, [0, 1, 2]), (np.array([3.0, 1.0, 2.0]), [1, 2, 0])):
        closings = Closings(network, 3, deadlines)
        closings.come(0, np.arange(3))
        assert closings.close(0, np.arange(3), np.ones(3))[1].tolist() == order
        assert closings.ready(1).tolist() == order


def test_any_in_front_of_a_queue_passes_what_comes() -> None:
    made = Passing().merge([flow(OTHER[:1], 2), flow(LEADING[:2], 2)])
    assert made.ready.tolist() == [2.5, 1.0, 1.1] and made.root.tolist() == [0, 0, 0]
