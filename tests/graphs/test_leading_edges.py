"""Exact rates and leading edges: ties are ties, whatever floats make of them."""

from __future__ import annotations

from fractions import Fraction

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harpagon.graphs import exact_fanout, exact_rates, propagate_rates
from harpagon.graphs.shapes import SHAPES


def fork_and_join(join: str = "all", **fanouts: tuple[float, float]) -> nx.DiGraph:
    """A source, branches side by side with the fan-outs before and after them, a sink."""
    graph = nx.DiGraph()
    graph.add_node("sink", join=join)
    for branch, (before, after) in fanouts.items():
        graph.add_edge("source", branch, fanout=before)
        graph.add_edge(branch, "sink", fanout=after)
    return graph


@pytest.mark.parametrize(
    ("fanout", "exact"),
    [(1.4, Fraction(7, 5)), (1 / 3, Fraction(1, 3)), (0.1 * 3, Fraction(3, 10)), (1e-7, Fraction(1, 10**7)), (3, 3)],
)
def test_a_fanout_is_the_fraction_it_stands_for(fanout: float, exact: Fraction) -> None:
    assert exact_fanout(fanout) == exact


@given(st.floats(1e-9, 1e9))
def test_exact_fanouts_are_near_and_small(fanout: float) -> None:
    exact = exact_fanout(fanout)
    assert abs(exact - Fraction(fanout)) <= Fraction(fanout) / 10**9
    assert exact.numerator * exact.denominator < 2**62


@given(st.sampled_from(sorted(SHAPES)), st.integers(1, 7), st.randoms(use_true_random=False))
def test_exact_rates_are_the_rates(shape: str, modules: int, rng: object) -> None:
    graph = SHAPES[shape](modules, rng)  # type: ignore[arg-type]
    for number, (_, _, data) in enumerate(graph.edges(data=True)):
        data["fanout"] = (0.25, 0.3, 1.0, 1.37, 3.0)[number % 5]
    for number, name in enumerate(graph):
        graph.nodes[name]["join"] = ("all", "any")[number % 2]
    rates = propagate_rates(graph, 1.0)
    assert {name: float(rate.requests) for name, rate in exact_rates(graph).items()} == pytest.approx(rates)


def test_the_edge_of_the_largest_rate_leads() -> None:
    assert exact_rates(fork_and_join(a=(1.0, 1.2), b=(1.0, 1.3)))["sink"].leader == "b"


def test_equal_rates_lead_by_fewest_roundings() -> None:
    """0.5 x 2 and 1 x 1 bring as much; the first is rounded once. In floats 0.1 x 3 would beat 0.3."""
    assert exact_rates(fork_and_join(a=(0.5, 2.0), b=(1.0, 1.0)))["sink"].leader == "b"
    assert exact_rates(fork_and_join(a=(0.1, 3.0), b=(0.3, 1.0), c=(1.5, 0.2)))["sink"].leader == "a"


def test_other_ties_lead_by_name() -> None:
    assert exact_rates(fork_and_join(b=(1.0, 1.5), a=(1.0, 1.5)))["sink"].leader == "a"


def test_nothing_leads_where_nothing_waits() -> None:
    rates = exact_rates(fork_and_join("any", a=(0.5, 1.0), b=(1.5, 1.0)))
    assert {name: rate.leader for name, rate in rates.items()} == dict.fromkeys(("source", "a", "b", "sink"))
    assert (rates["sink"].requests, rates["sink"].roundings) == (2, 2)
