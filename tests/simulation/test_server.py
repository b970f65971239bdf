"""A module's queue and machines, batch by batch, by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from harpagon.simulation.flow.drop import Drop
from harpagon.simulation.flow.fleet import Fleet
from harpagon.simulation.flow.order import Order
from harpagon.simulation.flow.server import Server

if TYPE_CHECKING:
    from harpagon.simulation.flow.server import Outcome


def served(items: list[tuple[float, int]], deadlines: list[float], drop: Drop, order: Order = Order.ARRIVAL) -> Outcome:
    """Items (time, root) on one machine that takes 1 s for a batch of up to two, the first root's at once."""
    server = Server(Fleet(1), (0.0, 1.0, 1.0), drop, deadlines, order, patient=False, eager=True)
    server.arrive(np.array([time for time, _ in items]), np.array([root for _, root in items]))
    return server.run(100.0)


def test_a_drop_rule_sees_only_what_has_come() -> None:
    """Root 2 is late in any case; when it is looked at, root 3 has not come yet."""
    items = [(0.0, 0), (0.0, 1), (0.625, 2), (2.0, 3)]
    outcome = served(items, [0.5, 0.25, 1.5, 9.0], Drop.LATE)
    assert outcome.roots.tolist() == [0, 1, 2, 3]
    assert outcome.arrived.tolist() == [0.0, 0.0, 0.625, 2.0]
    assert outcome.finished.tolist() == [1.0, 1.0, 2.0, 3.0]


def test_a_drop_rule_is_asked_where_one_of_a_batch_does_not_make_it() -> None:
    outcome = served([(0.0, 0), (0.0, 1)], [0.5, 9.0], Drop.EARLY)
    assert (outcome.roots.tolist(), outcome.dropped.tolist(), outcome.dropped_at.tolist()) == ([1], [0], [0.0])


@pytest.mark.parametrize("order", [Order.ARRIVAL, Order.DEADLINE])
def test_slack_is_what_is_left_when_the_batch_starts(order: Order) -> None:
    outcome = served([(0.0, 0), (0.0, 0), (0.0, 1)], [1.25, 1.5], Drop.EARLY, order)
    assert (outcome.roots.tolist(), outcome.dropped.tolist(), outcome.dropped_at.tolist()) == ([0, 0], [1], [1.0])


def test_what_is_behind_the_last_that_was_looked_at_stays() -> None:
    outcome = served([(0.0, root) for root in range(4)], [0.5, 9.0, 9.0, 9.0], Drop.EARLY)
    assert (outcome.roots.tolist(), outcome.dropped.tolist()) == ([1, 2, 3], [0])
    assert outcome.finished.tolist() == [1.0, 1.0, 2.0]


def test_an_idle_machine_starts_with_the_items_of_one_root() -> None:
    items = [(0.0, 0), (2.0, 1), (3.0, 1), (5.0, 2), (5.0, 3)]
    outcome = served(items, [9.0] * 4, Drop.NONE, Order.DEADLINE)
    assert outcome.roots.tolist() == [0, 1, 1, 2, 3]
    assert outcome.finished.tolist() == [1.0, 3.0, 4.0, 6.0, 7.0]


@pytest.mark.parametrize(("came", "served_next"), [(4, [5, 4]), (5, [7, 5])])
def test_a_queue_is_overloaded_where_more_came_than_full_batches_can_serve(came: int, served_next: list[int]) -> None:
    """Two batches of two in a second; who is latest is served first under overload."""
    deadlines = [*[5.0] * came, 7.0, 6.0, 8.0]
    server = Server(Fleet(1), (0.0, 0.5, 0.5), Drop.NONE, deadlines, Order.ADAPTIVE, patient=False)
    server.arrive(np.zeros(came), np.arange(came))
    assert server.run(1.0).roots.tolist() == [0, 1, 2, 3]
    server.arrive(np.full(3, 1.0), came + np.arange(3))
    assert server.run(1.5).roots.tolist() == served_next
