"""Explanations: the path, its smallest reachable latency, and a remedy that is the smallest."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from harpagon.evaluation.explanation import critical_paths, explain, path_report, with_slos
from harpagon.formulations.problem import pipeline_problem
from harpagon.instances.generate import random_instance
from harpagon.instances.policies import Billing, Dispatch
from harpagon.instances.shipped import worked_example
from harpagon.solvers.brute_force import solve_brute_force
from harpagon.solvers.result import Termination

if TYPE_CHECKING:
    from harpagon.instances.instance import Instance

BATCH_AWARE = (Dispatch.TC, Dispatch.FREE, Dispatch.PER_CONFIG, Dispatch.TC_SAFE, Dispatch.EDF)


def tightened(instance: Instance, share: float, dispatch: Dispatch) -> Instance:
    """The instance with every SLO at ``share`` of the pipeline's smallest reachable latency."""
    slos = {p.name: share * path_report(pipeline_problem(instance, p), dispatch).reachable for p in instance.pipelines}
    return with_slos(instance, slos)


def test_worked_example_by_hand() -> None:
    instance = with_slos(worked_example(), {"example": 0.08})
    explanation = explain(instance, Billing.WHOLE, Dispatch.TC)
    (report,) = explanation.paths
    assert report.path == ("detect",)
    assert report.reachable == pytest.approx(0.1)
    assert report.shortfall == pytest.approx(0.02)
    assert explanation.remedy == {"example": pytest.approx(0.1001)}
    # b=2 takes 0.1 s and must collect within 0.1 ms: 20,000 req/s, at 20 req/s per machine.
    assert explanation.remedied is not None
    assert explanation.remedied.objective == pytest.approx(1000.0)


def test_round_robin_attains_twice_the_shortest_duration() -> None:
    instance = with_slos(worked_example(), {"example": 0.15})
    explanation = explain(instance, Billing.WHOLE, Dispatch.ROUND_ROBIN)
    assert explanation.remedy == {"example": pytest.approx(0.2)}
    assert explanation.remedied is not None
    assert explanation.remedied.objective == pytest.approx(10.0)


@pytest.mark.parametrize("dispatch", [Dispatch.TC, Dispatch.FREE])
@pytest.mark.parametrize("seed", [0, 1, 3])
def test_the_remedy_is_feasible_and_a_step_less_is_not(seed: int, dispatch: Dispatch) -> None:
    billing = list(Billing)[seed % 2]
    instance = tightened(random_instance(random.Random(seed), modules=(1, 2), machines=2.0), 0.9, dispatch)
    explanation = explain(instance, billing, dispatch)
    assert explanation.result.termination is Termination.INFEASIBLE
    assert explanation.remedied is not None and explanation.remedied.plan is not None
    for report in explanation.paths:
        # A path that ends on a step exactly is feasible there within the tolerance of times.
        slo = min(explanation.remedy[report.pipeline] - 1e-4, report.reachable - 1e-6)
        smaller = with_slos(instance, {**explanation.remedy, report.pipeline: slo})
        assert explain(smaller, billing, dispatch).result.termination is Termination.INFEASIBLE


@pytest.mark.parametrize("seed", range(4))
def test_infeasible_agrees_with_brute_force(seed: int) -> None:
    instance = random_instance(random.Random(100 + seed), modules=(1, 2), machines=2.0)
    for share in (0.5, 0.999):
        tight = tightened(instance, share, Dispatch.TC)
        assert not explain(tight, Billing.WHOLE, Dispatch.TC).feasible
        assert solve_brute_force(tight, Billing.WHOLE, Dispatch.TC).termination is Termination.INFEASIBLE


@pytest.mark.parametrize("dispatch", BATCH_AWARE)
def test_the_bound_is_approached_but_not_attained(dispatch: Dispatch) -> None:
    report = path_report(pipeline_problem(worked_example(), worked_example().pipelines[0]), dispatch)
    assert not report.attained
    assert not replace(report, slo=report.reachable).feasible
    assert replace(report, slo=report.reachable * 1.001).feasible


def test_critical_path_of_a_plan_is_as_long_as_its_latency() -> None:
    instance = random_instance(random.Random(5), shape="skip", modules=(4, 5))
    plan = explain(instance, Billing.WHOLE, Dispatch.TC).result.plan
    assert plan is not None
    (pipeline,), (planned,) = instance.pipelines, plan.pipelines
    path = critical_paths(instance, plan)[pipeline.name]
    transfers = sum(pipeline.graph.edges[edge].get("transfer", 0.0) for edge in pairwise(path))
    assert sum(planned.modules[name].latency for name in path) + transfers == pytest.approx(planned.latency)
