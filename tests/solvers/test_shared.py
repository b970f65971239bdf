"""The exact method under shared billing: brute force, relaxations, limits, memory, time limits, and who refuses it."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared_cases import dealt_model, two_models

from harpagon.formulations.checker import check
from harpagon.formulations.problem import pipeline_problems
from harpagon.graphs.shapes import SHAPES
from harpagon.instances.instance import Hardware, Instance
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.capabilities import UnsupportedError
from harpagon.solvers.exact.effort import Effort
from harpagon.solvers.methods import METHODS, solve
from harpagon.solvers.options import SolverOptions
from harpagon.solvers.result import Termination
from harpagon.solvers.sensitivity.explain import find_explanation
from harpagon.solvers.shared.mixes import Duals, MixSearch
from harpagon.solvers.shared.problem import SharedProblem
from studies.agreement import Sample, Tally, compare

CASE = (Billing.SHARED, Dispatch.PACED)
SAMPLE = Sample(3, 48, pipelines=2, limits=True, machines=1.5, memory=True, modules=4)


def test_exact_agrees_with_brute_force() -> None:
    """A small set of what ``python -m studies.agreement --billing shared ...`` runs, `exact` and the model."""
    counts = Tally()
    for _ in compare(SAMPLE, ["exact", "assignment"], [CASE], counts):
        pass
    assert counts.disagreements == []
    assert sum(counts.agreed.values()) == 2 * (SAMPLE.instances - counts.refused)
    assert counts.refused <= SAMPLE.instances / 4, "two are too large for the enumeration, more where time is short"
    assert 0 < counts.infeasible < SAMPLE.instances / 4
    assert {key[3] for key in counts.agreed} == set(SHAPES)


def test_many_of_these_plans_share_machines() -> None:
    plans = [solve(SAMPLE.draw(number), billing=Billing.SHARED).plan for number in range(16)]
    assert sum(bool(plan and plan.shared_machines()) for plan in plans) >= 6


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_never_dearer_than_whole_and_a_looser_objective_never_costs_more(number: int) -> None:
    instance = SAMPLE.draw(number)
    shared, whole = solve(instance, billing=Billing.SHARED), solve(instance, billing=Billing.WHOLE, dispatch=CASE[1])
    if whole.plan is not None:
        assert shared.plan is not None
        assert shared.plan.cost <= whole.plan.cost * (1 + 1e-9)
    looser = replace(instance, pipelines=tuple(replace(p, slo=1.3 * p.slo) for p in instance.pipelines))
    loose = solve(looser, billing=Billing.SHARED)
    assert loose.dual_bound <= shared.dual_bound * (1 + 1e-9)


@pytest.mark.parametrize("number", range(0, 16, 2))
def test_of_plans_of_equal_cost_the_quickest_is_returned(number: int) -> None:
    """One pipeline: just below the latency of the plan every other one is dearer, as brute force has it."""
    plan = solve(SAMPLE.draw(number), billing=Billing.SHARED).plan
    assert plan is not None
    instance = SAMPLE.draw(number)
    (pipeline,) = instance.pipelines
    below = replace(instance, pipelines=(replace(pipeline, slo=plan.pipelines[0].latency - 1e-7),))
    dearer = solve(below, "brute-force", billing=Billing.SHARED).objective
    assert dearer is None or dearer > plan.cost * (1 + 1e-6)


def test_limits_that_leave_no_whole_plan_may_leave_a_shared_one() -> None:
    instance = two_models()
    one = replace(instance, hardware={"gpu": replace(instance.hardware["gpu"], limit=1)})
    assert solve(one, billing=Billing.WHOLE, dispatch=Dispatch.PACED).termination is Termination.INFEASIBLE
    result = solve(one, billing=Billing.SHARED)
    assert (result.termination, result.objective) == (Termination.OPTIMAL, pytest.approx(1.0))
    none = replace(instance, hardware={"gpu": replace(instance.hardware["gpu"], limit=0)})
    assert solve(none, billing=Billing.SHARED).termination is Termination.INFEASIBLE


def test_the_cost_may_fall_where_the_rate_rises() -> None:
    """Why no curve over the rate, and no trace: batches close after whole numbers of roots (docs/shared.md)."""
    costs = [solve(two_models((rate, rate), slo=0.17)).objective for rate in (22.0, 24.0)]
    assert costs == pytest.approx([2.0, 1.0])


def test_fractional_billing_is_no_bound() -> None:
    """At once a group claims d; a residual under edf claims d + 1 / W and pays for a rate that keeps it."""
    instance = two_models((16.0, 16.0), slo=0.065)
    alone = {model: profile[:1] for model, profile in instance.profiles.items()}
    instance = replace(instance, profiles=alone)
    assert solve(instance).objective == pytest.approx(1.0)
    fractional = solve(instance, billing=Billing.FRACTIONAL, dispatch=Dispatch.EDF)
    assert fractional.objective == pytest.approx(2 * 0.03 / 0.035)


def test_models_that_do_not_fit_together_stay_apart() -> None:
    assert solve(two_models(memory=4.0)).objective == pytest.approx(1.0)
    assert solve(two_models(memory=4.5)).objective == pytest.approx(2.0)


def test_an_unreachable_objective_is_infeasible() -> None:
    result = solve(two_models(slo=0.029))
    assert (result.termination, result.dual_bound) == (Termination.INFEASIBLE, math.inf)


def test_a_time_limit_leaves_a_valid_bound() -> None:
    instance = SAMPLE.draw(5)
    optimum = solve(instance, billing=Billing.SHARED).objective
    assert optimum is not None
    for seconds in (0.0, 1e-3, 0.02):
        result = solve(instance, billing=Billing.SHARED, options=SolverOptions(time_limit=seconds))
        assert result.dual_bound <= optimum * (1 + 1e-9)
        assert result.termination is not Termination.INFEASIBLE
        assert result.plan is None or result.plan.cost >= optimum * (1 - 1e-9)


def test_a_plan_to_start_from_is_used() -> None:
    instance = two_models()
    plan = solve(instance).plan
    assert solve(instance, options=SolverOptions(start=plan)).solver.options["start"] == "used"


def _problem(instance: Instance) -> SharedProblem:
    return SharedProblem.compile(instance, pipeline_problems(instance), 1e3)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 500), st.data())
def test_the_search_misses_no_mix(number: int, data: st.DataObject) -> None:
    """What it finds below a reduced cost is what all mixes hold below it, best latencies first."""
    problem = _problem(SAMPLE.draw(number))
    modules = len(problem.models)
    prices = st.lists(st.floats(0, 3), min_size=modules, max_size=modules).map(tuple)
    duals = Duals(data.draw(prices), data.draw(prices), {})
    every = MixSearch(problem, Effort()).below(Duals((1e6,) * modules, (0.0,) * modules, {}), math.inf)
    most = data.draw(st.floats(-4, 4))
    found = MixSearch(problem, Effort()).below(duals, most)
    assert {column.mix for column in found} == {column.mix for column in every if duals.mix(column) < most}
    few = MixSearch(problem, Effort()).below(duals, most, 1)
    assert min(map(duals.mix, few), default=most) == pytest.approx(min(map(duals.mix, found), default=most))


@pytest.mark.parametrize("name", sorted(METHODS))
def test_methods_that_cannot_share_refuse_it(name: str) -> None:
    if Billing.SHARED in METHODS[name].capabilities.billings:
        plan = solve(two_models(), name).plan
        assert plan is not None
        assert check(two_models(), plan).ok
        return
    with pytest.raises(UnsupportedError, match=r"shared billing.*use .*exact"):
        solve(two_models(), name)


def test_explanations_solve_again_under_shared_billing() -> None:
    explanation = find_explanation(two_models(), Billing.SHARED, None, Dispatch.EDF)
    assert explanation.result.objective == pytest.approx(1.0)
    assert explanation.complete
    instance = two_models()
    none = replace(instance, hardware={"gpu": replace(instance.hardware["gpu"], limit=0)})
    (remedy,) = find_explanation(none, Billing.SHARED, None, Dispatch.EDF).remedies
    assert (remedy.change.kind, remedy.steps) == ("machines", 1)
    with pytest.raises(UnsupportedError, match="shared billing under edf"):
        find_explanation(instance, Billing.SHARED, Dispatch.EDF, Dispatch.EDF)


@pytest.mark.parametrize("number", [24, 32])
def test_modules_that_need_more_than_one_machine_are_dealt_out(number: int) -> None:
    instance = replace(SAMPLE, seed=1, machines=4.0).draw(number)
    results = [solve(instance, method, billing=Billing.SHARED) for method in ("exact", "assignment", "brute-force")]
    assert [result.objective for result in results] == [pytest.approx(results[0].objective)] * 3
    assert results[0].plan is not None
    paces = [module.pace for pipeline in results[0].plan.pipelines for module in pipeline.modules.values()]
    assert any(pace is not None and pace.own_share for pace in paces)


@pytest.mark.parametrize("number", range(6))
def test_with_machines_in_spare_exact_agrees_with_enumeration(number: int) -> None:
    instance = SAMPLE.draw(number).with_spare(1)
    results = [solve(instance, method, billing=Billing.SHARED) for method in ("exact", "assignment", "brute-force")]
    assert [result.objective for result in results] == [pytest.approx(results[0].objective)] * 3
    assert results[0].plan is None or results[0].plan.spare == 1


@pytest.mark.parametrize("method", ["exact", "assignment", "brute-force"])
def test_a_module_with_nobody_to_take_turns_with_may_have_no_plan(method: str) -> None:
    """It could be dealt out, but alone on a machine it is not; machines of its own are one too few."""
    instance = dealt_model()
    alone = replace(instance, pipelines=instance.pipelines[1:], hardware={"gpu": Hardware("gpu", 1.0, 1)})
    assert solve(alone, method, billing=Billing.SHARED).termination is Termination.INFEASIBLE
