"""The exact method: the laws its optima obey, its bounds, and its paths through the decomposition."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harpagon.formulations.checker import check
from harpagon.formulations.physics import module_latency, tc_order
from harpagon.formulations.problem import ModuleProblem
from harpagon.graphs.shapes import SHAPES
from harpagon.instances.generate import random_instance
from harpagon.instances.instance import Configuration, Hardware, Instance
from harpagon.instances.library.shipped import resolve
from harpagon.instances.policies import APART, Billing, Dispatch
from harpagon.solvers.enumeration.brute_force import solve_brute_force
from harpagon.solvers.exact import pipeline, solve
from harpagon.solvers.exact.frontier import frontier
from harpagon.solvers.exact.schedule import cheapest_schedule
from harpagon.solvers.exact.solve import solve_exact
from harpagon.solvers.options import SolverOptions
from harpagon.solvers.result import Result, Termination

seeds = st.integers(0, 10**6)
billings = st.sampled_from(list(APART))
FORMULAS = [policy for policy in Dispatch if policy is not Dispatch.PACED]
policies = st.sampled_from(FORMULAS)
batch_aware = st.sampled_from([policy for policy in FORMULAS if policy is not Dispatch.ROUND_ROBIN])
laws = settings(max_examples=15, deadline=None)


def optimum(instance: Instance, billing: Billing, dispatch: Dispatch) -> float:
    result = solve_exact(instance, billing, dispatch)
    if result.plan is None:
        assert result.termination is Termination.INFEASIBLE
        return float("inf")
    assert check(instance, result.plan).ok
    assert result.termination is Termination.OPTIMAL
    assert result.dual_bound == pytest.approx(result.plan.cost)
    return result.plan.cost


def with_pipelines(instance: Instance, rate: float = 1.0, slo: float = 1.0) -> Instance:
    pipelines = tuple(replace(p, rate=p.rate * rate, slo=p.slo * slo) for p in instance.pipelines)
    return replace(instance, pipelines=pipelines)


@given(seeds, billings, policies)
@laws
def test_a_looser_slo_never_costs_more(seed: int, billing: Billing, dispatch: Dispatch) -> None:
    instance = random_instance(random.Random(seed))
    tight = optimum(instance, billing, dispatch)
    assert optimum(with_pipelines(instance, slo=1.2), billing, dispatch) <= tight * (1 + 1e-6)


@given(seeds, st.sampled_from([Dispatch.TC, Dispatch.FREE, Dispatch.EDF, Dispatch.TC_SAFE, Dispatch.PER_CONFIG]))
@laws
def test_a_higher_rate_never_costs_less_in_whole_billing(seed: int, dispatch: Dispatch) -> None:
    instance = random_instance(random.Random(seed))
    more = optimum(with_pipelines(instance, rate=1.3), Billing.WHOLE, dispatch)
    assert optimum(instance, Billing.WHOLE, dispatch) <= more * (1 + 1e-6)


@given(seeds, billings, policies)
@laws
def test_names_of_hardware_change_nothing(seed: int, billing: Billing, dispatch: Dispatch) -> None:
    instance = random_instance(random.Random(seed))
    names = {name: f"z{len(instance.hardware) - i}" for i, name in enumerate(sorted(instance.hardware))}
    renamed = replace(
        instance,
        hardware={names[h]: replace(v, name=names[h]) for h, v in instance.hardware.items()},
        profiles={
            model: tuple(Configuration(names[c.hardware], c.batch, c.duration, c.price) for c in profile)
            for model, profile in instance.profiles.items()
        },
    )
    assert optimum(renamed, billing, dispatch) == pytest.approx(optimum(instance, billing, dispatch))


@given(seeds, billings, st.sampled_from([Dispatch.FREE, Dispatch.EDF, Dispatch.PER_CONFIG, Dispatch.ROUND_ROBIN]))
@laws
def test_another_configuration_never_hurts(seed: int, billing: Billing, dispatch: Dispatch) -> None:
    instance = random_instance(random.Random(seed))
    before = optimum(instance, billing, dispatch)
    hardware = {**instance.hardware, "extra": Hardware("extra", 0.7)}
    profiles = {m: (*profile, Configuration("extra", 2, 0.11, 0.7)) for m, profile in instance.profiles.items()}
    more = replace(instance, hardware=hardware, profiles=profiles)
    assert optimum(more, billing, dispatch) <= before * (1 + 1e-6)


@given(seeds, billings)
@laws
def test_relations_between_policies(seed: int, billing: Billing) -> None:
    instance = random_instance(random.Random(seed))
    free = optimum(instance, billing, Dispatch.FREE)
    for dispatch in (Dispatch.TC, Dispatch.TC_SAFE, Dispatch.PER_CONFIG):
        assert free <= optimum(instance, billing, dispatch) * (1 + 1e-6)
    assert optimum(instance, billing, Dispatch.TC) <= optimum(instance, billing, Dispatch.TC_SAFE) * (1 + 1e-6)


@given(seeds, policies)
@laws
def test_fractional_billing_never_costs_more(seed: int, dispatch: Dispatch) -> None:
    instance = random_instance(random.Random(seed))
    whole = optimum(instance, Billing.WHOLE, dispatch)
    assert optimum(instance, Billing.FRACTIONAL, dispatch) <= whole * (1 + 1e-6)


@given(seeds, policies)
@laws
def test_frontier_points_are_the_cheapest_at_their_latency(seed: int, dispatch: Dispatch) -> None:
    rng = random.Random(seed)
    prices = [1.0, rng.choice([0.6, 2.5])]
    profile = tuple(
        Configuration(f"gpu{i % 2}", 2**i, round(0.05 + 0.04 * 2**i * rng.uniform(0.7, 1.2), 3), prices[i % 2])
        for i in range(4)
    )
    problem = ModuleProblem("m", rng.uniform(5, 60), tuple(sorted(profile, key=tc_order)))
    points = list(frontier(problem, 1.5, Billing.WHOLE, dispatch, cap=12.0))
    for cheaper, quicker in pairwise(points):
        assert cheaper.cost < quicker.cost
        assert cheaper.latency > quicker.latency
        between = (cheaper.latency + quicker.latency) / 2
        assert cheapest_schedule(problem, between, Billing.WHOLE, dispatch).cost == pytest.approx(quicker.cost)
    for point in points:
        assert module_latency(point.schedule, dispatch) == point.latency


@pytest.mark.parametrize("shape", sorted(SHAPES))
@pytest.mark.parametrize("billing", APART)
def test_column_generation_agrees_with_composition(
    shape: str, billing: Billing, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(3):
        instance = random_instance(random.Random(seed), shape=shape, pipelines=1 + seed % 2)
        expected = {dispatch: optimum(instance, billing, dispatch) for dispatch in FORMULAS}
        with monkeypatch.context() as patch:
            patch.setattr(pipeline, "LONG", 0)
            patch.setattr("harpagon.solvers.exact.solve.LONG", 0)
            patch.setattr("harpagon.solvers.exact.column_generation.LONG", 0)
            found = {dispatch: optimum(instance, billing, dispatch) for dispatch in FORMULAS}
        assert found == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(12))
def test_limits_agree_with_brute_force(seed: int) -> None:
    rng = random.Random(seed)
    instance = random_instance(rng, pipelines=rng.randint(1, 3), modules=(1, 3), limits=True)
    for billing in APART:
        for dispatch in (Dispatch.TC, Dispatch.FREE, Dispatch.EDF):
            result = solve_exact(instance, billing, dispatch)
            referee = solve_brute_force(instance, billing, dispatch, SolverOptions(time_limit=2.0))
            if referee.termination not in (Termination.OPTIMAL, Termination.INFEASIBLE):
                continue  # open residuals of a whole fleet are too many to combine
            assert result.termination is referee.termination
            if referee.plan is not None:
                assert result.plan is not None
                assert check(instance, result.plan).ok
                assert result.plan.cost == pytest.approx(referee.plan.cost)


def test_the_worked_example_in_both_billings(worked_example: Instance) -> None:
    for billing in APART:
        for dispatch in (Dispatch.TC, Dispatch.FREE):
            assert optimum(worked_example, billing, dispatch) == pytest.approx(5.0)
    assert optimum(worked_example, Billing.FRACTIONAL, Dispatch.ROUND_ROBIN) == pytest.approx(6.3)


def test_an_slo_at_the_batch_durations_is_infeasible(worked_example: Instance) -> None:
    at_infimum = with_pipelines(worked_example, slo=0.1)
    assert solve_exact(at_infimum, Billing.WHOLE, Dispatch.TC).termination is Termination.INFEASIBLE
    above = with_pipelines(worked_example, slo=0.11)
    assert solve_exact(above, Billing.WHOLE, Dispatch.TC).termination is Termination.OPTIMAL


def test_a_plan_to_start_from_is_checked_and_reported(worked_example: Instance) -> None:
    best = solve_exact(worked_example, Billing.WHOLE, Dispatch.TC).plan
    started = solve_exact(worked_example, Billing.WHOLE, Dispatch.TC, SolverOptions(start=best))
    assert started.objective == pytest.approx(5.0)
    assert "used" in str(started.solver.options["start"])
    refused = solve_exact(worked_example, Billing.FRACTIONAL, Dispatch.TC, SolverOptions(start=best))
    assert str(refused.solver.options["start"]).startswith("refused")


def test_no_time_gives_a_valid_bound() -> None:
    instance = random_instance(random.Random(5), shape="chain", modules=(4, 4))
    best = optimum(instance, Billing.WHOLE, Dispatch.TC)
    result = solve_exact(instance, Billing.WHOLE, Dispatch.TC, SolverOptions(time_limit=0.0))
    assert result.termination in (Termination.OPTIMAL, Termination.FEASIBLE, Termination.LIMIT)
    assert result.dual_bound <= best * (1 + 1e-6)
    if result.plan is not None:
        assert check(instance, result.plan).ok


def test_pipelines_that_nothing_couples_are_solved_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are: what one may take does not shrink with their number."""

    def never(*_: object) -> Result:
        raise AssertionError("all pipelines in one master problem")

    monkeypatch.setattr(solve, "QUICK", 200)
    monkeypatch.setattr(solve, "_by_columns", never)
    instance = resolve("traffic-198rps")
    (one,) = instance.pipelines
    many = tuple(replace(one, name=f"p{k}", rate=one.rate + 7 * k) for k in range(12))
    assert solve_exact(replace(instance, pipelines=many), Billing.WHOLE, Dispatch.TC).termination is Termination.OPTIMAL
