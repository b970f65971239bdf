"""Headroom: kept by runs that the search has not seen, and found without assuming what helps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np
import pytest
from simulation_cases import LARGE, pipeline_plan

from harpagon.instances.plan import DispatchTuple, Plan
from harpagon.instances.policies import Dispatch
from harpagon.simulation import simulate
from harpagon.simulation.arrivals.processes import EvenArrivals, GammaArrivals
from harpagon.simulation.headroom import find_headroom, prediction_bound, runs_for, scaled

if TYPE_CHECKING:
    from harpagon.instances.instance import Instance


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
    found = find_headroom(instance, planner, EvenArrivals(), duration=20.0)
    assert found is not None
    assert found.headroom == 0.0
    assert set(found.late_shares) == {0.0}


def share_kept(instance: Instance, plan: Plan, percentile: float, *, paced: bool, runs: int = 60) -> float:
    """Share of runs, with seeds that no search has seen, in which the percentile meets the SLO."""
    kept = 0
    for seed in range(1_000, 1_000 + runs):
        report = simulate(instance, plan, GammaArrivals(), duration=30.0, seed=seed, paced=paced)
        kept += report.pipelines[0].violation_share <= 1 - percentile
    return kept / runs


@pytest.mark.parametrize("slo", [1.0, 1.3])
def test_what_is_promised_holds_in_further_runs_and_not_with_one_machine_less(slo: float) -> None:
    instance, _ = one_module(200.0, slo)
    found = find_headroom(instance, planner, GammaArrivals(), percentile=0.99, duration=30.0)
    assert found is not None
    assert len(found.late_shares) == 19 and max(found.late_shares) <= found.bound <= 0.01
    assert share_kept(instance, found.plan, 0.99, paced=found.paced) >= 0.95
    machines = found.plan.pipelines[0].modules["module"].tuples[0].machines
    _, fewer = one_module(40.0 * (machines - 1))
    assert max(share_kept(instance, fewer, 0.99, paced=paced) for paced in (True, False)) < 0.95


def test_the_better_of_paced_and_unpaced_is_taken() -> None:
    """Two modules in a row: what comes early from the first makes up for the second, unless it is held."""
    graph = nx.DiGraph()
    graph.add_edge("a", "b", fanout=1.0, transfer=0.0)
    schedules = dict.fromkeys(("a", "b"), (DispatchTuple.full(LARGE, 6),))
    instance, plan = pipeline_plan(graph, 200.0, schedules, Dispatch.EDF, slo=1.9)
    found = find_headroom(instance, lambda _: plan, GammaArrivals(), percentile=0.9, duration=30.0)
    assert found is not None
    bounds = {}
    for paced in (True, False):
        runs = [
            simulate(instance, plan, GammaArrivals(), duration=30.0, seed=seed, paced=paced).pipelines[0]
            for seed in range(19)
        ]
        shares = tuple(run.violation_share for run in runs)
        bounds[paced] = max(*shares, prediction_bound(shares, 0.95))
    assert bounds[True] != bounds[False]
    assert found.bound == min(bounds.values()) == bounds[found.paced]


def test_a_later_plan_is_found_behind_one_that_is_worse() -> None:
    """A planner that wastes the first extra machines: nothing is assumed about which headroom helps."""
    instance, _ = one_module(200.0)

    def erratic(scaled_instance: Instance) -> Plan:
        rate = scaled_instance.pipelines[0].rate
        return planner(instance if 200.5 < rate < 290 else scaled_instance)

    straight = find_headroom(instance, planner, GammaArrivals(), percentile=0.9, duration=20.0)
    around = find_headroom(instance, erratic, GammaArrivals(), percentile=0.9, duration=20.0)
    assert straight is not None and around is not None
    assert straight.headroom < 0.45 <= around.headroom < 0.47


@pytest.mark.parametrize(("confidence", "runs"), [(0.5, 2), (0.9, 9), (0.95, 19), (0.99, 99)])
def test_more_confidence_takes_more_runs(confidence: float, runs: int) -> None:
    assert runs_for(confidence) == runs


def test_the_prediction_bound_is_students() -> None:
    """t of 18 degrees at 95 % is 1.7341: 3 + 1.7341 x sqrt(1 + 1/19) x sd."""
    shares = tuple(float(k % 7) for k in range(19))
    expected = np.mean(shares) + 1.7341 * np.sqrt(1 + 1 / 19) * np.std(shares, ddof=1)
    assert prediction_bound(shares, 0.95) == pytest.approx(expected, rel=2e-3)


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
