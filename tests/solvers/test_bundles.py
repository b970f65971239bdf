"""Hardware sold in bundles: every exact method fills them up at the least cost, as brute force says."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harpagon.formulations.assembly import idle_machines
from harpagon.formulations.checker import check
from harpagon.instances.generate import random_instance
from harpagon.instances.instance import Instance
from harpagon.instances.library.shipped import resolve
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.capabilities import UnsupportedError
from harpagon.solvers.enumeration.brute_force import solve_brute_force
from harpagon.solvers.methods import METHODS, solve
from harpagon.solvers.result import Termination

POLICIES = [policy for policy in Dispatch if (Billing.WHOLE, policy) in METHODS["exact"].capabilities.cases]


def bundled(seed: int, pipelines: int = 1) -> Instance:
    """A small instance whose types come in bundles of up to four, some limited, so that bundles are often not full."""
    rng = random.Random(seed)
    instance = random_instance(
        rng, pipelines=pipelines, modules=(1, 3), configurations=(2, 3), hardware=(2, 3), machines=3
    )
    hardware = {
        name: replace(one, bundle=rng.randint(1, 4), limit=rng.choice([None, None, rng.randint(2, 9)]))
        for name, one in instance.hardware.items()
    }
    return replace(instance, hardware=hardware)


@given(st.integers(0, 10**6), st.sampled_from(POLICIES))
@settings(max_examples=60, deadline=None)
def test_exact_is_brute_force(seed: int, dispatch: Dispatch) -> None:
    instance = bundled(seed)
    found = solve(instance, "exact", Billing.WHOLE, dispatch)
    known = solve_brute_force(instance, Billing.WHOLE, dispatch)
    assert found.termination is known.termination
    if known.objective is not None:
        assert found.objective == pytest.approx(known.objective)


@pytest.mark.parametrize("method", ["pattern", "compact", "levels", "disjunctive-hull", "cp-sat"])
@pytest.mark.parametrize("seed", range(8))
def test_models_are_exact(method: str, seed: int) -> None:
    instance = bundled(seed, pipelines=1 + seed % 2)
    found = solve(instance, method, Billing.WHOLE, Dispatch.TC)
    known = solve(instance, "exact", Billing.WHOLE, Dispatch.TC)
    assert found.termination is known.termination
    assert found.objective == pytest.approx(known.objective)


def test_idle_machines_are_paid_for_and_used_where_that_is_cheaper() -> None:
    """Eight A100 cost $32.80 whether in use or not: then V100 are bought no more."""
    instance = resolve("tts-400rps-58ms")
    alone = solve(instance, billing=Billing.WHOLE).plan
    a100 = replace(instance.hardware["A100"], bundle=8)
    instance = replace(instance, hardware={**instance.hardware, "A100": a100})
    result = solve(instance, billing=Billing.WHOLE)
    assert result.termination is Termination.OPTIMAL
    plan = result.plan
    assert plan is not None and alone is not None
    assert (alone.cost, plan.cost) == (pytest.approx(28.7), pytest.approx(32.8))
    assert plan.usage()["A100"] + idle_machines(instance, plan)["A100"] == 8
    assert plan.cost == pytest.approx(sum(p.cost for p in plan.pipelines) + 4.1 * idle_machines(instance, plan)["A100"])
    assert check(instance, plan).ok


def test_the_checker_counts_whole_bundles() -> None:
    instance = resolve("tts-400rps-58ms")
    plan = solve(instance, billing=Billing.WHOLE).plan
    assert plan is not None
    a100 = replace(instance.hardware["A100"], bundle=8, limit=7)
    faults = check(replace(instance, hardware={**instance.hardware, "A100": a100}), replace(plan, instance_digest=""))
    assert {fault.place for fault in faults.violations} == {"hardware.A100", "cost_per_hour"}
    assert faults.cost == pytest.approx(32.8)


def test_a_limit_below_one_bundle_is_a_type_that_is_not_there() -> None:
    instance = resolve("tts-400rps-58ms")
    none = {name: replace(one, bundle=8, limit=7) for name, one in instance.hardware.items()}
    assert solve(replace(instance, hardware=none), billing=Billing.WHOLE).termination is Termination.INFEASIBLE


@pytest.mark.parametrize("billing", [Billing.FRACTIONAL, Billing.SHARED])
def test_only_whole_machines_come_in_bundles(billing: Billing) -> None:
    instance = bundled(0)
    with pytest.raises(UnsupportedError, match=r"bundles in .* billing; plan with --billing whole"):
        solve(instance, "exact", billing, METHODS["exact"].dispatch_for(billing))


def test_heuristics_pay_for_bundles() -> None:
    instance = resolve("tts-400rps-58ms")
    eight = {name: replace(one, bundle=8) for name, one in instance.hardware.items()}
    instance = replace(instance, hardware=eight)
    plan, least = (solve(instance, name, Billing.WHOLE, Dispatch.TC).plan for name in ("harpagon", "exact"))
    assert plan is not None and least is not None and plan.cost >= least.cost
    assert plan.cost > sum(pipeline.cost for pipeline in plan.pipelines)
