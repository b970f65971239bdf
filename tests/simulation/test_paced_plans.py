"""Plans under ``paced`` keep their latency on every stream of the class they claim it for."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np
import pytest
from paced_cases import random_plan
from simulation_cases import LARGE, MIDDLE, pipeline_plan

from harpagon import read_instance, solve
from harpagon.instances.library.suites import suite_workloads
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Dispatch
from harpagon.simulation import simulate
from harpagon.simulation.arrivals.processes import GammaArrivals, TraceArrivals
from harpagon.simulation.dispatch.conditions import Conditions
from studies.dispatch.noise import at_quantile
from studies.dispatch.streams import class_streams

if TYPE_CHECKING:
    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan
    from harpagon.simulation.report import PipelineReport

CASES = Path(__file__).parent.parent / "cases"


def runs(instance: Instance, plan: Plan, requests: int, seed: int) -> dict[str, PipelineReport]:
    """The first pipeline on every stream of its class."""
    pipeline, planned = instance.pipelines[0], plan.pipelines[0]
    found = {}
    for name, times in class_streams(pipeline, planned, requests, seed).items():
        duration = float(times[-1]) + 2 * planned.latency + 1.0
        found[name] = simulate(instance, plan, TraceArrivals(name, times), duration=duration).pipelines[0]
    return found


def assert_kept(report: PipelineReport, stream: str) -> None:
    assert report.promised, (stream, report.burst)
    assert report.frames.count > 0 or report.latency.count == 0
    assert report.late == 0, stream
    for module in report.modules:
        assert module.arrived == module.finished
        assert module.latency.maximum <= module.bound + 1e-6, (stream, module.name)


@pytest.mark.parametrize("case", ["late-skip", "late-diamond", "tied-edges"])
def test_plans_that_were_late_are_in_time(case: str) -> None:
    instance = read_instance(CASES / f"{case}.json")
    plan = solve(instance, dispatch="paced").plan
    assert plan is not None
    assert plan.pipelines[0].latency <= instance.pipelines[0].slo
    for stream, report in runs(instance, plan, 3_000, seed=0).items():
        assert_kept(report, stream)
        assert report.violations == report.late_frames == 0


@pytest.mark.parametrize("seed", range(12))
def test_random_plans_keep_their_word(seed: int) -> None:
    instance, plan = random_plan(seed)
    assert math.isfinite(plan.pipelines[0].latency)
    for stream, report in runs(instance, plan, 300, seed).items():
        assert_kept(report, stream)


def one_module(*schedule: DispatchTuple, rate: float, burst: int = 1) -> tuple[Instance, Plan]:
    graph = nx.DiGraph()
    graph.add_node("m")
    return pipeline_plan(graph, rate, {"m": schedule}, Dispatch.PACED, burst=burst)


@pytest.mark.parametrize("burst", [1, 4])
def test_the_bound_is_reached(burst: int) -> None:
    """In step, 5 machines of b=32 at 198 req/s: the request that opens a batch which times out waits d/n and d."""
    instance, plan = one_module(DispatchTuple.full(LARGE, 5), rate=198.0, burst=burst)
    worst = max(report.latency.maximum for report in runs(instance, plan, 2_000, 0).values())
    assert plan.pipelines[0].latency == pytest.approx(0.96 + (burst - 1) / 198)
    assert worst == pytest.approx(plan.pipelines[0].latency, abs=2e-3)


def test_a_plan_that_claims_too_little_is_found_out() -> None:
    instance, plan = one_module(DispatchTuple.full(LARGE, 5), rate=198.0)
    (planned,) = plan.pipelines
    claiming = replace(plan, pipelines=(replace(planned, latency=0.99 * planned.latency),))
    reports = runs(instance, claiming, 500, 0)
    assert any(report.late and not report.kept for report in reports.values())


def test_a_time_out_that_is_too_short_is_found_out() -> None:
    """Full batches every 160 ms are what the machines can do; batches that close after 150 ms come too often."""
    instance, plan = one_module(DispatchTuple.full(LARGE, 5), rate=198.0)
    (planned,) = plan.pipelines
    module = planned.modules["m"]
    assert module.pace is not None
    hasty = replace(module, pace=replace(module.pace, close_after=(0.15,)))
    changed = replace(plan, pipelines=(replace(planned, modules={"m": hasty}),))
    late = {name: report.late for name, report in runs(instance, changed, 3_000, 0).items()}
    assert late["slow by 0.1 %"] > 0


def test_streams_outside_the_class_are_promised_nothing() -> None:
    instance, plan = one_module(DispatchTuple.full(LARGE, 4), DispatchTuple.full(MIDDLE, 2), rate=198.0)
    report = simulate(instance, plan, GammaArrivals(), duration=30.0).pipelines[0]
    assert not report.promised and report.burst > 2
    pairs = TraceArrivals("pairs", np.repeat(np.arange(100) / 99, 2))
    assert not simulate(instance, plan, pairs, duration=3.0).pipelines[0].promised
    _, bursty = one_module(DispatchTuple.full(LARGE, 4), DispatchTuple.full(MIDDLE, 2), rate=198.0, burst=2)
    promising = replace(instance, pipelines=(replace(instance.pipelines[0], burst=2),))
    assert simulate(promising, bursty, pairs, duration=3.0).pipelines[0].promised


def test_requests_of_a_burst_wait_before_they_enter() -> None:
    """Three at once at 10 req/s: the second and third reach the module 0.1 and 0.2 s after the first."""
    instance, plan = one_module(DispatchTuple.full(MIDDLE, 2), rate=10.0, burst=3)
    report = simulate(instance, plan, TraceArrivals("burst", np.zeros(3)), duration=5.0).pipelines[0]
    start = plan.pipelines[0].modules["m"].pace
    assert start is not None and start.start == pytest.approx(0.2)
    assert report.latency.maximum <= plan.pipelines[0].latency + 1e-9
    assert report.latency.maximum >= 0.2 + MIDDLE.duration
    assert report.modules[0].latency.maximum <= plan.pipelines[0].modules["m"].latency + 1e-9


def test_open_batches_leave_slow_batches_their_time() -> None:
    """Plans on the 99th percentile of a noisy duration: batches open no faster than machines do them at that."""
    pose = next(w for w in suite_workloads("smoke") if w.name == "pose-198rps-205ms-V100+A100").instance()
    instance = at_quantile(pose, variation=0.05, share=0.99)
    plan = solve(instance, billing="whole").plan
    assert plan is not None
    modules = plan.pipelines[0].modules.values()
    assert any(module.pace is not None and module.pace.dispatcher == "open-batches" for module in modules)
    report = simulate(instance, plan, duration=20.0, conditions=Conditions(variation=0.05)).pipelines[0]
    assert report.violation_share < 1e-3
