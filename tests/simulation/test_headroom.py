"""Headroom: smallest, sufficient, and monotone in what is asked."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from simulation_cases import LARGE, pipeline_plan

from harpagon.instances.plan import DispatchTuple, Plan
from harpagon.instances.policies import Dispatch
from harpagon.simulation import simulate
from harpagon.simulation.arrivals.processes import EvenArrivals, GammaArrivals
from harpagon.simulation.headroom import find_headroom, scaled

if TYPE_CHECKING:
    from harpagon.instances.instance import Instance

import networkx as nx


def one_module(rate: float, slo: float = 1.0) -> tuple[Instance, Plan]:
    """As many machines of b=32 as ``rate`` needs."""
    graph = nx.DiGraph()
    graph.add_node("module")
    schedule = (DispatchTuple.full(LARGE, math.ceil(rate / LARGE.throughput - 1e-9)),)
    return pipeline_plan(graph, rate, {"module": schedule}, Dispatch.EDF, slo)


def planner(instance: Instance) -> Plan:
    return one_module(instance.pipelines[0].rate)[1]


def test_even_arrivals_need_none() -> None:
    instance, _ = one_module(200.0)
    found = find_headroom(instance, planner, EvenArrivals())
    assert found is not None
    assert found.headroom == 0.0


def test_the_plan_found_meets_the_percentile_and_one_machine_less_does_not() -> None:
    instance, _ = one_module(200.0)
    found = find_headroom(instance, planner, GammaArrivals(), percentile=0.99, duration=120.0, seed=1)
    assert found is not None
    assert found.report.pipelines[0].latency.quantiles[0.99] <= 1.0
    machines = found.plan.pipelines[0].modules["module"].tuples[0].machines
    _, fewer = one_module(40.0 * (machines - 1))
    report = simulate(instance, fewer, GammaArrivals(), duration=120.0, seed=1, quantiles=(0.99,))
    assert report.pipelines[0].latency.quantiles[0.99] > 1.0


def test_a_higher_percentile_needs_no_less() -> None:
    instance, _ = one_module(200.0)
    found = [
        find_headroom(instance, planner, GammaArrivals(), percentile=percentile, duration=120.0)
        for percentile in (0.5, 0.9, 0.99, 0.999)
    ]
    headrooms = [one.headroom for one in found if one is not None]
    assert len(headrooms) == 4
    assert headrooms == sorted(headrooms)


def test_nothing_helps_where_the_batch_takes_longer_than_the_slo() -> None:
    instance, _ = one_module(200.0, slo=0.5)
    assert find_headroom(instance, planner, GammaArrivals(), duration=20.0) is None


def test_no_plan_is_no_answer() -> None:
    instance, _ = one_module(200.0)
    assert find_headroom(instance, lambda instance: None, GammaArrivals()) is None


def test_scaling_touches_rates_alone() -> None:
    instance, _ = one_module(200.0)
    larger = scaled(instance, 0.25)
    assert larger.pipelines[0].rate == pytest.approx(250.0)
    assert larger.pipelines[0].slo == instance.pipelines[0].slo
