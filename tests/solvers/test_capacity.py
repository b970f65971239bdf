"""Capacity profiles and quantiles: every exact method plans them and agrees with brute force."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from harpagon.formulations.checker import check
from harpagon.formulations.physics import tuple_latencies
from harpagon.instances.errors import InputError
from harpagon.instances.files.instances import from_document
from harpagon.instances.files.plans import plan_document, plan_from_document
from harpagon.instances.generate import random_instance
from harpagon.instances.instance import Configuration, Instance
from harpagon.instances.library.shipped import worked_example
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import APART, Billing, Dispatch
from harpagon.simulation import simulate
from harpagon.simulation.arrivals.processes import EvenArrivals
from harpagon.solvers.capabilities import UnsupportedError
from harpagon.solvers.certificates import certificate
from harpagon.solvers.method import Kind
from harpagon.solvers.methods import METHODS, solve
from harpagon.solvers.result import Termination

EXACT = [name for name, method in METHODS.items() if method.kind is Kind.EXACT]


def with_capacity(instance: Instance, rng: random.Random) -> Instance:
    """Every other configuration becomes a capacity point or gets a mean below its duration."""

    def changed(c: Configuration) -> Configuration:
        kind = rng.random()
        if kind < 0.5:
            return Configuration.of_capacity(c.hardware, c.throughput, c.duration, c.price)
        if kind < 0.75:
            return Configuration.measured(c.hardware, c.batch, 0.9 * c.duration, c.price, ((0.99, c.duration),))
        return c

    profiles = {model: tuple(changed(c) for c in profile) for model, profile in instance.profiles.items()}
    return replace(instance, profiles=profiles)


def llm(slo_ms: float, rate: float = 10) -> Instance:
    """One module on a capacity profile of two points: 4 req/s at 900 ms, 6 req/s at 1,400 ms, $2 a machine."""
    points = [{"rate_rps": 6, "latency_ms": 1400}, {"rate_rps": 4, "latency_ms": 900}]
    instance = from_document(
        {
            "format": "harpagon-instance/1",
            "name": "llm",
            "hardware": {"V100": {"price_per_hour": 2}},
            "profiles": {"llm": {"V100": {"capacity": points, "memory_gb": 14}}},
            "pipelines": [{"name": "chat", "rate_rps": rate, "slo_ms": 1e4, "modules": {"answer": {"model": "llm"}}}],
        },
        "llm",
    )
    return replace(instance, pipelines=(replace(instance.pipelines[0], slo=slo_ms / 1e3),))


@pytest.mark.parametrize("dispatch", Dispatch)
@pytest.mark.parametrize("method", [m for m in EXACT if m != "brute-force"])
def test_exact_methods_agree_with_brute_force(method: str, dispatch: Dispatch) -> None:
    for billing in APART:
        if (billing, dispatch) not in METHODS[method].capabilities.cases:
            continue
        for seed in range(8 if method == "exact" else 2):
            rng = random.Random(seed)
            instance = with_capacity(random_instance(rng, limits=True, billing=billing, machines=2.0), rng)
            try:
                referee = METHODS["brute-force"].run(instance, billing, dispatch)
            except UnsupportedError:
                continue
            found = METHODS[method].run(instance, billing, dispatch)
            assert found.termination is referee.termination, seed
            if found.plan is None:
                assert referee.plan is None
                continue
            assert referee.plan is not None
            assert check(instance, found.plan).ok
            assert found.plan.cost == pytest.approx(referee.plan.cost, rel=1e-6), seed


@pytest.mark.parametrize("dispatch", Dispatch)
@pytest.mark.parametrize("method", EXACT)
def test_the_stated_latency_is_the_latency(method: str, dispatch: Dispatch) -> None:
    if (Billing.WHOLE, dispatch) not in METHODS[method].capabilities.cases:
        pytest.skip("not supported")
    loose, exact, tight = (solve(llm(slo), method, Billing.WHOLE, dispatch) for slo in (1400, 900, 899.9))
    assert loose.plan is not None
    assert (loose.plan.cost, loose.plan.pipelines[0].latency) == pytest.approx((4.0, 1.4))
    assert exact.plan is not None
    assert (exact.plan.cost, exact.plan.pipelines[0].latency) == pytest.approx((6.0, 0.9))
    assert tight.termination is Termination.INFEASIBLE


def test_the_physics_of_a_capacity_point_has_no_collection() -> None:
    point = DispatchTuple.full(Configuration.of_capacity("gpu", 4.0, 0.9, 1.0), 3)
    assert point.rate == 12
    for dispatch in (policy for policy in Dispatch if policy is not Dispatch.PACED):
        assert tuple_latencies([point], dispatch) == pytest.approx((0.9,))


def test_the_mean_is_the_capacity_and_the_largest_quantile_the_duration() -> None:
    measured = Configuration.measured("gpu", 8, 0.2, 1.0, ((0.9, 0.21), (0.99, 0.25)))
    assert (measured.throughput, measured.duration) == (40.0, 0.25)
    tuples = [DispatchTuple.full(measured, 2)]
    assert tuple_latencies(tuples, Dispatch.TC) == pytest.approx((0.25 + 8 / 80,))


def test_a_plan_on_a_capacity_profile_survives_its_file() -> None:
    instance = llm(1000)
    result = solve(instance)
    assert result.plan is not None
    document = plan_document(result.plan, certificate(result))
    part = document["pipelines"][0]["modules"]["answer"]["tuples"][0]
    assert part["capacity_rps"] == 4
    assert "batch" not in part
    assert plan_from_document(document, instance, "plan") == result.plan


def test_what_cannot_use_a_capacity_profile_says_so() -> None:
    instance = llm(1000)
    plan = solve(instance).plan
    assert plan is not None
    with pytest.raises(UnsupportedError, match="capacity profiles; use exact"):
        solve(instance, "nexus")
    with pytest.raises(InputError, match="a simulation needs batch durations"):
        simulate(instance, plan, EvenArrivals(), duration=1.0)


def test_a_capacity_profile_of_no_module_hinders_nothing() -> None:
    instance = replace(worked_example(), billing=Billing.WHOLE)
    beside = replace(
        instance, profiles={**instance.profiles, "llm": (Configuration.of_capacity("gpu", 4.0, 0.9, 1.0),)}
    )
    assert solve(beside, "nexus").plan is not None
    plan = solve(beside).plan
    assert plan is not None
    assert simulate(beside, plan, EvenArrivals(), duration=2.0).pipelines[0].late == 0


def test_only_paced_plans_for_bursts() -> None:
    instance = replace(worked_example(), billing=Billing.WHOLE)
    bursting = replace(instance, pipelines=(replace(instance.pipelines[0], burst=5),))
    with pytest.raises(UnsupportedError, match="bursts under edf dispatch"):
        solve(bursting, "exact", dispatch=Dispatch.EDF)
    with pytest.raises(UnsupportedError, match="bursts under round-robin dispatch"):
        solve(bursting, "nexus")
    plans = [solve(one, "exact", dispatch=Dispatch.PACED).plan for one in (instance, bursting)]
    assert plans[0] is not None
    assert plans[1] is None or plans[1].pipelines[0].latency > plans[0].pipelines[0].latency
