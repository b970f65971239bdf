"""Hardware limits: a plan at once where there is one, a proof where there is none."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harpagon.formulations.bounds import hardware_limits
from harpagon.formulations.checker import check
from harpagon.formulations.problem import pipeline_problems
from harpagon.instances.files.instances import read_instance
from harpagon.instances.generate import random_instance
from harpagon.instances.instance import Instance
from harpagon.instances.policies import APART, Billing, Dispatch
from harpagon.solvers.capacity import capacity_share
from harpagon.solvers.enumeration.brute_force import solve_brute_force
from harpagon.solvers.methods import solve
from harpagon.solvers.options import SolverOptions
from harpagon.solvers.result import Termination
from harpagon.solvers.sensitivity.changes import with_limits

CASES = Path(__file__).parent.parent / "cases"
POLICIES = [Dispatch.TC, Dispatch.FREE, Dispatch.PER_CONFIG, Dispatch.ROUND_ROBIN, Dispatch.TC_SAFE, Dispatch.EDF]


def case(name: str) -> Instance:
    return read_instance(CASES / name)


@pytest.mark.parametrize("name", ["capacity-below-rate.json", "no-plan-within-limits.json"])
@pytest.mark.parametrize("method", ["exact", "pattern"])
@pytest.mark.parametrize("dispatch", [Dispatch.TC, Dispatch.EDF])
def test_no_plan_is_proven(name: str, method: str, dispatch: Dispatch) -> None:
    result = solve(case(name), method, dispatch=dispatch)
    assert result.termination is Termination.INFEASIBLE
    assert result.dual_bound == math.inf


@pytest.mark.parametrize("method", ["compact", "cp-sat"])
def test_models_do_not_give_up_where_limits_leave_no_plan(method: str) -> None:
    result = solve(case("no-plan-within-limits.json"), method, Billing.WHOLE, Dispatch.TC)
    assert result.termination is Termination.INFEASIBLE


def test_capacity_says_how_much_of_the_rate_limits_serve() -> None:
    instance = case("capacity-below-rate.json")
    share = capacity_share(pipeline_problems(instance), hardware_limits(instance), Dispatch.TC)
    assert share * instance.pipelines[0].rate == pytest.approx(5 * 2 / 0.036, rel=1e-6)
    assert solve(with_limits(instance, {"g3": 12}), dispatch=Dispatch.TC).plan is not None
    assert solve(with_limits(instance, {"g3": 11}), dispatch=Dispatch.TC).termination is Termination.INFEASIBLE


@pytest.mark.parametrize("dispatch", [Dispatch.TC, Dispatch.EDF])
@pytest.mark.parametrize(
    ("name", "cost"), [("mall-30000rps-limit.yaml", 254.13), ("sixty-configurations-limits.json", 155.6)]
)
def test_a_large_instance_has_a_plan_at_once(name: str, cost: float, dispatch: Dispatch) -> None:
    instance = case(name)
    result = solve(instance, dispatch=dispatch, options=SolverOptions(time_limit=0.05))
    assert result.plan is not None and check(instance, result.plan).ok
    assert result.plan.cost <= cost
    assert 0 < result.dual_bound <= result.plan.cost


@given(st.integers(0, 10**6), st.sampled_from(list(APART)), st.sampled_from(POLICIES), st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_scarce_limits_agree_with_brute_force(seed: int, billing: Billing, dispatch: Dispatch, scarce: int) -> None:
    """Up to all types limited to few machines: infeasible or optimal as brute force says, never given up."""
    rng = random.Random(seed)
    instance = random_instance(rng, modules=(1, 2), configurations=(2, 3), hardware=(2, 3), machines=3)
    limited = rng.sample(sorted(instance.hardware), min(scarce, len(instance.hardware)))
    instance = with_limits(instance, {name: rng.randint(0, 3) for name in limited})
    found = solve(instance, "exact", billing, dispatch)
    known = solve_brute_force(instance, billing, dispatch)
    assert found.termination is known.termination
    if known.objective is not None:
        assert found.objective == pytest.approx(known.objective)


@given(st.integers(0, 10**6), st.sampled_from(list(APART)), st.sampled_from(POLICIES))
@settings(max_examples=30, deadline=None)
def test_limit_zero_is_a_type_that_is_not_there(seed: int, billing: Billing, dispatch: Dispatch) -> None:
    rng = random.Random(seed)
    instance = random_instance(rng, modules=(1, 3), configurations=(2, 3), hardware=(2, 2))
    gone = rng.choice(sorted(instance.hardware))
    profiles = {m: tuple(c for c in profile if c.hardware != gone) for m, profile in instance.profiles.items()}
    if not all(profiles.values()):
        return
    without = replace(instance, profiles=profiles, hardware={n: h for n, h in instance.hardware.items() if n != gone})
    left = solve(with_limits(instance, {gone: 0}), "exact", billing, dispatch)
    right = solve(without, "exact", billing, dispatch)
    assert left.termination is right.termination
    assert left.objective == pytest.approx(right.objective)
