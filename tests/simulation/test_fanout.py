"""Edges: fixed fan-out is the fraction rounded up however requests are cut into pieces; random fan-out; transfers."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harpagon.simulation.flow.fanout import Edge, FixedFanout, KnownEdge, RandomFanout
from harpagon.simulation.flow.pieces import Flow

fractions = st.fractions(Fraction(1, 50), 8, max_denominator=50)


@given(fractions, st.lists(st.integers(0, 20), min_size=1, max_size=8))
def test_the_first_k_requests_send_the_fraction_of_k_rounded_up(fraction: Fraction, pieces: list[int]) -> None:
    fanout = FixedFanout(fraction)
    sent = [int(number) for piece in pieces for number in fanout(piece)]
    assert list(accumulate(sent)) == [math.ceil(k * fraction) for k in range(1, sum(pieces) + 1)]


@pytest.mark.parametrize("fanout", [0.3, 2.5])
def test_random_fanout_has_the_mean_it_says(fanout: float) -> None:
    """Up to one each request sends one or none; above, any number."""
    sent = RandomFanout(fanout, np.random.default_rng(5))(40_000)
    assert sent.mean() == pytest.approx(fanout, abs=0.03)
    assert (sent.max() == 1) == (fanout <= 1) and sent.min() == 0


def test_an_edge_takes_its_transfer_time() -> None:
    flow = Flow(np.array([1.0, 2.0]), np.array([0, 1]), np.array([0.5, 1.5]), 3.0, 2, 2.5)
    carried = Edge(FixedFanout(Fraction(3, 2)), 0.25).carry(flow)
    assert carried.ready.tolist() == [1.25, 1.25, 2.25]
    assert (carried.root.tolist(), carried.origin.tolist()) == ([0, 0, 1], [0.5, 0.5, 1.5])
    assert (carried.watermark, carried.next_root, carried.next_origin) == (3.25, 2, 2.5)


def test_an_edge_of_known_numbers_goes_by_the_root_and_counts_what_it_carried() -> None:
    edge = KnownEdge(np.array([2, 0, 1]), 0.5)
    flow = Flow(np.array([1.0, 1.0]), np.array([2, 0]), np.zeros(2), 3.0, 3, 3.0)
    assert (edge.carry(flow).root.tolist(), edge.carry(flow).ready.tolist()) == ([2, 0, 0], [1.5, 1.5, 1.5])
    assert edge.sent == 6


def test_a_factor_scales_what_is_drawn_from_now_on() -> None:
    fanout = RandomFanout(1.0, np.random.default_rng(1))
    assert fanout(100).sum() == 100
    fanout.factor = 3.0
    assert fanout(1000).mean() == pytest.approx(3.0, abs=0.2)
