"""Waves against patterns that are counted request by request."""

from __future__ import annotations

import random
from fractions import Fraction
from math import ceil

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harpagon.formulations.waves import LONGEST_PERIOD, Wave, pipeline_waves
from harpagon.graphs import exact_rates
from harpagon.graphs.shapes import SHAPES

FANOUTS = ("0.25", "0.3", "0.5", "1", "1", "1.2", "1.5", "2", "3")
ROOTS = 600


@st.composite
def pipelines(draw: st.DrawFn) -> nx.DiGraph:
    """Any shape, any joins, fan-outs from 0.25 to 3."""
    rng = random.Random(draw(st.integers(0, 10**6)))
    graph = SHAPES[draw(st.sampled_from(sorted(SHAPES)))](draw(st.integers(1, 6)), rng)
    for _, _, data in graph.edges(data=True):
        data["fanout"] = float(rng.choice(FANOUTS))
    for name in graph:
        graph.nodes[name]["join"] = rng.choice(("all", "all", "any"))
    return graph


def counted(graph: nx.DiGraph) -> dict[str, list[int]]:
    """Requests of each of the first `ROOTS` roots at every module, one root after the other."""
    leaders = {name: rate.leader for name, rate in exact_rates(graph).items()}
    counts: dict[str, list[int]] = {}
    for name in nx.topological_sort(graph):
        edges = []
        for tail, _, data in graph.in_edges(name, data=True):
            seen, sent = 0, []
            for requests in counts[tail]:
                fanout = Fraction(str(data["fanout"]))
                sent.append(ceil((seen + requests) * fanout) - ceil(seen * fanout))
                seen += requests
            if leaders[name] in (None, tail):
                edges.append(sent)
        counts[name] = [sum(root) for root in zip(*edges, strict=True)] if edges else [1] * ROOTS
    return counts


def windows(counts: list[int], roots: int) -> list[int]:
    return [sum(counts[i : i + roots]) for i in range(len(counts) - roots + 1)]


@settings(max_examples=150, deadline=None)
@given(pipelines(), st.integers(1, 60))
def test_counts_and_largest_windows(graph: nx.DiGraph, roots: int) -> None:
    expected = counted(graph)
    for name, wave in pipeline_waves(graph).items():
        largest = max(windows(expected[name], roots))
        assert wave.most(roots) >= largest
        assert wave.most(roots) <= roots * wave.rate + wave.excess
        if 2 * wave.period + roots <= ROOTS:
            assert wave.counts * (ROOTS // wave.period) == tuple(expected[name][: ROOTS // wave.period * wave.period])
            assert wave.most(roots) == largest


@settings(max_examples=100, deadline=None)
@given(pipelines(), st.integers(0, 50))
def test_largest_windows_repeat(graph: nx.DiGraph, roots: int) -> None:
    for wave in pipeline_waves(graph).values():
        assert wave.most(roots + wave.period) == wave.most(roots) + wave.rate * wave.period


def chain(*fanouts: float) -> Wave:
    graph = nx.DiGraph()
    for number, fanout in enumerate(fanouts):
        graph.add_edge(number, number + 1, fanout=fanout)
    return pipeline_waves(graph)[len(fanouts)]


def test_one_rounding_is_exact_however_long_the_period() -> None:
    wave = chain(0.123457)
    assert wave.counts == () and wave.period == 10**6
    assert [wave.most(k) for k in (1, 8, 9, 17)] == [1, 1, 2, 3]


def test_a_long_period_is_bounded_by_its_tail() -> None:
    """1.37 x 0.913 repeats after 100,000 roots: windows come from those of the module before."""
    wave = chain(1.37, 0.913)
    assert wave.period == 100_000 > LONGEST_PERIOD and wave.counts == ()
    graph = nx.DiGraph()
    graph.add_edge("a", "b", fanout=1.37)
    graph.add_edge("b", "c", fanout=0.913)
    found = counted(graph)["c"]
    for k in (1, 2, 5, 40):
        assert max(windows(found, k)) <= wave.most(k) <= max(windows(found, k)) + 1


@pytest.mark.parametrize(("fanouts", "counts"), [((0.5, 2.0), (2, 0)), ((1.5,), (2, 1)), ((2.0, 0.25), (1, 0))])
def test_counts_of_chains(fanouts: tuple[float, ...], counts: tuple[int, ...]) -> None:
    assert chain(*fanouts).counts == counts


def test_the_excess_of_one_rounding() -> None:
    """Rounding a multiple of 1 / 10 up adds 9 / 10 at most; a whole fan-out adds nothing."""
    assert [chain(fanout).excess for fanout in (0.3, 1.5, 2.0)] == [Fraction(9, 10), Fraction(1, 2), 0]


def test_modules_that_the_same_requests_reach_have_the_same_wave() -> None:
    """Sent on one by one, the requests are those of the tail; two edges with the same fan-out send the same."""
    graph = nx.DiGraph()
    graph.add_edge("a", "b", fanout=1.0)
    for head, fanout in (("c", 0.5), ("d", 0.5), ("e", 0.25)):
        graph.add_edge("b", head, fanout=fanout)
    waves = pipeline_waves(graph)
    assert waves["b"] is waves["a"] and waves["c"] is waves["d"]
    assert len({waves[name] for name in "ace"}) == 3
