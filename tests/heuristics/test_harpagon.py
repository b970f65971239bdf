"""Harpagon as a whole: the worked example, the checker on random instances, limits and laws."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import pytest
from heuristic_cases import has_ties, random_instances, renamed_hardware

from harpagon.formulations.checker import check
from harpagon.graphs.shapes import SHAPES
from harpagon.heuristics.harpagon.plan import HarpagonOptions, Splitter, plan_harpagon
from harpagon.heuristics.harpagon.profile_restriction import HardwareChoice
from harpagon.instances.generate import random_instance
from harpagon.instances.instance import Instance
from harpagon.instances.policies import APART, Billing, Dispatch
from harpagon.solvers.exact.solve import solve_exact
from harpagon.solvers.methods import solve


@pytest.mark.parametrize("billing", list(APART))
def test_worked_example(worked_example: Instance, billing: Billing) -> None:
    plan = plan_harpagon(worked_example, billing)
    assert plan is not None
    assert plan.cost == pytest.approx(5.0)
    (only,) = plan.pipelines[0].modules["detect"].tuples
    assert (only.configuration.batch, only.machines) == (32, 5)
    assert plan.pipelines[0].latency == pytest.approx(0.96)


@pytest.mark.parametrize("shape", sorted(SHAPES))
@pytest.mark.parametrize("billing", list(APART))
def test_plans_stand_the_checker_and_are_found_where_one_machine_type_suffices(shape: str, billing: Billing) -> None:
    for instance in random_instances(30, shape=shape):
        plan = plan_harpagon(instance, billing)
        assert plan is not None
        assert check(instance, plan).violations == ()


@pytest.mark.parametrize("dispatch", [Dispatch.TC_SAFE, Dispatch.EDF])
@pytest.mark.parametrize("billing", list(APART))
def test_safe_plans_stand_the_checker_and_cost_at_least_the_optimum(billing: Billing, dispatch: Dispatch) -> None:
    options = HarpagonOptions(dispatch=dispatch)
    for number, instance in enumerate(random_instances(100, modules=(1, 4))):
        plan = plan_harpagon(instance, billing, options)
        assert plan is not None
        assert plan.dispatch is dispatch
        assert check(instance, plan).violations == ()
        if number < 10:
            optimum = solve_exact(instance, billing, dispatch).objective
            assert optimum is not None
            assert plan.cost >= optimum * (1 - 1e-7)


@pytest.mark.parametrize("dispatch", [Dispatch.TC_SAFE, Dispatch.EDF])
@pytest.mark.parametrize("billing", list(APART))
def test_the_front_door_runs_harpagon_under_safe_policies(
    worked_example: Instance, billing: Billing, dispatch: Dispatch
) -> None:
    result = solve(worked_example, "harpagon", billing, dispatch)
    assert result.plan is not None
    assert result.plan.dispatch is dispatch
    assert solve(worked_example, "harpagon").plan.dispatch is Dispatch.TC  # type: ignore[union-attr]


@pytest.mark.parametrize("billing", list(APART))
def test_every_combination_of_switches_makes_valid_plans(billing: Billing) -> None:
    combinations = itertools.product(
        (Dispatch.TC, Dispatch.PER_CONFIG, Dispatch.ROUND_ROBIN),
        (None, 1, 2),
        (True, False),
        (True, False),
        list(HardwareChoice),
        (
            {"splitter": Splitter.THROUGHPUT},
            {"splitter": Splitter.ESTIMATE, "cost_direct": False},
            {"splitter": Splitter.EVERY},
            {"quantum": 0.1},
            {"node_merger": False},
        ),
        (None, 0),
    )
    found = 0
    for seed, (dispatch, mixed, dummies, batching, hardware, split, rounds) in enumerate(combinations):
        options = HarpagonOptions(dispatch, mixed, dummies, batching, hardware, reassignments=rounds, **split)
        instance = random_instance(random.Random(seed), modules=(1, 4), configurations=(1, 6), hardware=(1, 3))
        plan = plan_harpagon(instance, billing, options)
        if plan is not None:
            found += 1
            assert plan.dispatch is dispatch
            assert check(instance, plan).violations == ()
    assert found > 500


@pytest.mark.parametrize("billing", list(APART))
def test_limits_and_several_pipelines(billing: Billing) -> None:
    found = 0
    for instance in random_instances(150, pipelines=2, limits=True):
        plan = plan_harpagon(instance, billing)
        if plan is not None:
            found += 1
            assert [pipeline.name for pipeline in plan.pipelines] == [p.name for p in instance.pipelines]
            assert check(instance, plan).violations == ()
    assert found > 30


@pytest.mark.parametrize("billing", list(APART))
def test_hardware_names_decide_only_ties(billing: Billing) -> None:
    compared = 0
    for instance in random_instances(120, hardware=(2, 3)):
        if not has_ties(instance):
            compared += 1
            plan, renamed = plan_harpagon(instance, billing), plan_harpagon(renamed_hardware(instance), billing)
            assert plan is not None and renamed is not None
            assert renamed.cost == pytest.approx(plan.cost)
    assert compared > 50


def test_no_plan_below_the_shortest_batch(worked_example: Instance) -> None:
    hurried = replace(worked_example, pipelines=(replace(worked_example.pipelines[0], slo=0.1),))
    assert plan_harpagon(hurried, Billing.WHOLE) is None


def test_refuses_a_dispatch_without_a_bound() -> None:
    with pytest.raises(ValueError, match="not under free"):
        HarpagonOptions(dispatch=Dispatch.FREE)
    with pytest.raises(ValueError, match="one latency splitter"):
        HarpagonOptions(splitter=Splitter.THROUGHPUT, quantum=0.1)
