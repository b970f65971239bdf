"""Random instances are valid, varied, small and repeatable."""

from __future__ import annotations

import random

import networkx as nx
import pytest

from harpagon.graphs import PathNetwork, decompose, propagate_rates
from harpagon.graphs.shapes import SHAPES
from harpagon.instances.generate import random_instance
from harpagon.instances.reference import reference_latency


@pytest.mark.parametrize("shape", sorted(SHAPES))
@pytest.mark.parametrize("modules", [1, 2, 3, 4, 6])
def test_shapes_are_acyclic_with_the_asked_number_of_modules(shape: str, modules: int) -> None:
    graph = SHAPES[shape](modules, random.Random(modules))
    assert nx.is_directed_acyclic_graph(graph)
    assert graph.number_of_nodes() == modules
    assert next(nx.lexicographical_topological_sort(graph)) == "m0"


def test_only_the_n_shape_is_not_series_parallel() -> None:
    drawn = {shape: SHAPES[shape](5, random.Random(0)) for shape in SHAPES if shape != "random"}
    trees = {shape: decompose(PathNetwork.from_graph(graph)) for shape, graph in drawn.items()}
    assert [shape for shape, expression in trees.items() if expression is None] == ["non-series-parallel"]


def test_the_same_seed_gives_the_same_instance() -> None:
    first, second = (random_instance(random.Random(7), pipelines=2, limits=True) for _ in range(2))
    assert first.profiles == second.profiles
    assert first.hardware == second.hardware
    for left, right in zip(first.pipelines, second.pipelines, strict=True):
        assert (left.rate, left.slo) == (right.rate, right.slo)
        assert nx.utils.graphs_equal(left.graph, right.graph)


@pytest.mark.parametrize("seed", range(200))
def test_random_instances_are_small_and_above_the_reference(seed: int) -> None:
    instance = random_instance(random.Random(seed))
    (pipeline,) = instance.pipelines
    assert pipeline.slo > reference_latency(pipeline.graph, pipeline.rate, instance.profiles)
    for module, rate in propagate_rates(pipeline.graph, pipeline.rate).items():
        profile = instance.profiles[pipeline.graph.nodes[module]["model"]]
        assert rate / min(c.throughput for c in profile) <= 6
