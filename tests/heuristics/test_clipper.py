"""Clipper: an even split and one configuration a module."""

from __future__ import annotations

import random

import networkx as nx
import pytest
from heuristic_cases import random_instances

from harpagon.formulations.checker import check
from harpagon.formulations.physics import TIME_TOLERANCE
from harpagon.graphs import PathNetwork
from harpagon.graphs.shapes import SHAPES
from harpagon.heuristics.baselines.clipper import plan_clipper, split_evenly
from harpagon.instances.instance import Instance
from harpagon.instances.policies import APART, Billing, Dispatch


def test_even_split_counts_modules_on_the_longest_path() -> None:
    graph = nx.DiGraph([("a", "b"), ("b", "d"), ("a", "c")])
    graph.edges["a", "b"]["transfer"] = 0.3
    network = PathNetwork.from_graph(graph)
    shares = dict(zip(network.modules, split_evenly(network, 1.5), strict=True))
    assert shares == pytest.approx({"a": 0.4, "b": 0.4, "c": 0.6, "d": 0.4})


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_no_path_exceeds_the_slo(shape: str) -> None:
    for modules in range(3, 8):
        network = PathNetwork.from_graph(SHAPES[shape](modules, random.Random(modules)))
        assert network.length(split_evenly(network, 1.0)) <= 1.0 + TIME_TOLERANCE


@pytest.mark.parametrize("billing", list(APART))
def test_worked_example(worked_example: Instance, billing: Billing) -> None:
    plan = plan_clipper(worked_example, billing)
    assert plan is not None
    assert plan.dispatch is Dispatch.ROUND_ROBIN
    assert plan.cost == pytest.approx(7.0 if billing is Billing.WHOLE else 6 + 1 / 3)


@pytest.mark.parametrize("billing", list(APART))
def test_plans_stand_the_checker_with_one_configuration_a_module(billing: Billing) -> None:
    found = 0
    for instance in [*random_instances(80), *random_instances(80, pipelines=2, limits=True)]:
        plan = plan_clipper(instance, billing)
        if plan is not None:
            found += 1
            assert check(instance, plan).violations == ()
            for pipeline in plan.pipelines:
                assert all(len({t.configuration for t in m.tuples}) == 1 for m in pipeline.modules.values())
    assert found > 50
