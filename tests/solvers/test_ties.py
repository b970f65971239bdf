"""Of plans of equal cost the quickest is returned: no plan that costs as much is quicker."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from itertools import count, product
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harpagon.formulations.physics import COST_TOLERANCE
from harpagon.formulations.problem import pipeline_problems
from harpagon.instances.files.instances import read_instance
from harpagon.instances.library.shipped import resolve
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.enumeration.schedules import Rules, module_options
from harpagon.solvers.methods import find_method, solve
from harpagon.solvers.options import DEFAULT_OPTIONS
from harpagon.solvers.ties import with_quickest_plan
from studies.agreement import Sample
from studies.ties import count as count_ties
from studies.ties import is_quickest

if TYPE_CHECKING:
    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan

CASES = Path(__file__).parents[1] / "cases"
SAMPLE = Sample(11, 36)


@pytest.mark.parametrize("number", range(36))
@pytest.mark.parametrize("dispatch", [Dispatch.PACED, Dispatch.FREE])
def test_no_plan_of_equal_cost_is_quicker(number: int, dispatch: Dispatch) -> None:
    instance = SAMPLE.draw(number)
    plan = solve(instance, billing=Billing.WHOLE, dispatch=dispatch).plan
    assert plan is not None
    (pipeline,) = instance.pipelines
    tighter = replace(pipeline, slo=plan.pipelines[0].latency * (1 - 1e-6))
    quicker = solve(replace(instance, pipelines=(tighter,)), billing=Billing.WHOLE, dispatch=dispatch).plan
    assert quicker is None or quicker.cost > plan.cost * (1 + COST_TOLERANCE)


def test_ties_go_to_the_quicker_plan_in_pipelines_that_are_not_series_parallel() -> None:
    instance = Sample(5, 400, modules=6, machines=3.0).draw(373)
    plan = solve(instance, billing=Billing.WHOLE, dispatch=Dispatch.PACED).plan
    assert plan is not None and plan.cost == pytest.approx(5.58)
    assert plan.pipelines[0].latency == pytest.approx(2.0821564683663834, rel=1e-9)


def test_tied_edges_leave_the_quickest_plan() -> None:
    plan = solve(read_instance(CASES / "tied-edges.json"), billing=Billing.WHOLE).plan
    assert plan is not None
    assert plan.dispatch is Dispatch.PACED
    assert plan.cost == pytest.approx(4.0)
    assert plan.pipelines[0].latency == pytest.approx(0.030)


def test_every_module_at_its_least_cost_is_as_quick_as_that_allows() -> None:
    plan = solve(resolve("traffic-198rps"), billing=Billing.WHOLE).plan
    assert plan is not None
    assert plan.cost == pytest.approx(3.682)
    assert plan.pipelines[0].latency == pytest.approx(0.278548)


METHODS = [
    ("brute-force", Dispatch.PACED),
    ("pattern", Dispatch.PACED),
    ("compact", Dispatch.TC),
    ("disjunctive-hull", Dispatch.TC),
    ("cp-sat", Dispatch.FREE),
]


@pytest.mark.parametrize(("method", "dispatch"), METHODS)
def test_every_exact_method_returns_the_quickest(method: str, dispatch: Dispatch) -> None:
    quicker = 0
    for number in range(4):
        instance = SAMPLE.draw(number)
        best = solve(instance, billing=Billing.WHOLE, dispatch=dispatch)
        found = solve(instance, method, Billing.WHOLE, dispatch)
        own = find_method(method).run(instance, Billing.WHOLE, dispatch, DEFAULT_OPTIONS)
        assert found.plan is not None and best.plan is not None and own.plan is not None
        assert found.method == method
        assert found.plan.cost == pytest.approx(best.plan.cost, rel=1e-6)
        assert found.plan.pipelines[0].latency <= best.plan.pipelines[0].latency * (1 + 1e-9)
        quicker += found.plan.pipelines[0].latency < own.plan.pipelines[0].latency * (1 - 1e-6)
    assert quicker > 0 or method == "brute-force"


def test_under_a_shared_limit_no_plan_of_equal_cost_is_quicker() -> None:
    changed = 0
    for number in (1, 3, 5, 7, 9, 11):
        instance = Sample(12, 12, pipelines=2, limits=True, machines=3.0).draw(number)
        own = find_method("pattern").run(instance, Billing.WHOLE, Dispatch.PACED, DEFAULT_OPTIONS).plan
        plans = [solve(instance, method, Billing.WHOLE, Dispatch.PACED).plan for method in ("exact", "pattern")]
        if own is None:
            continue
        lengths = []
        for plan in plans:
            assert plan is not None and plan.cost == pytest.approx(own.cost)
            lengths.append(length(plan))
        assert lengths[0] == pytest.approx(lengths[1])
        assert lengths[0] <= length(own) * (1 + 1e-9)
        changed += lengths[0] < length(own) * (1 - 1e-6)
    assert changed > 0


def length(plan: Plan) -> float:
    return sum(pipeline.latency / pipeline.slo for pipeline in plan.pipelines)


@pytest.mark.parametrize("number", [0, 8, 9])
@pytest.mark.parametrize(("method", "dispatch"), [("exact", Dispatch.PACED), *METHODS])
def test_of_all_plans_of_equal_cost_none_is_quicker(number: int, method: str, dispatch: Dispatch) -> None:
    instance = Sample(21, 10, machines=2.0).draw(number)
    plan = solve(instance, method, Billing.WHOLE, dispatch).plan
    assert plan is not None
    assert length(plan) == pytest.approx(least_length(instance, dispatch, plan.cost), rel=1e-8)


def least_length(instance: Instance, dispatch: Dispatch, cost: float) -> float:
    """Least latency / SLO of all plans of one pipeline that cost at most ``cost``, every schedule enumerated."""
    (problem,) = pipeline_problems(instance)
    rules = Rules((problem,), {}, Billing.WHOLE, dispatch, math.inf)
    most = cost * (1 + COST_TOLERANCE)
    options = [list(module_options(rules, m, m.configurations, most, problem.slo)) for m in problem.modules]
    lengths = (
        problem.network.length([option.latency for option in chosen])
        for chosen in product(*options)
        if sum(option.cost for option in chosen) <= most
    )
    return min(lengths) / problem.slo


@pytest.mark.parametrize("method", ["exact", "pattern", "brute-force"])
def test_ties_go_to_the_quicker_plan_in_fractional_billing_too(method: str) -> None:
    """Three machines of b=4 and three of b=1 do in 743 ms what others do in 780 ms at the same cost."""
    instance = SAMPLE.draw(37)
    plan = solve(instance, method, Billing.FRACTIONAL, Dispatch.PACED).plan
    assert plan is not None and plan.cost == pytest.approx(3.0)
    assert plan.pipelines[0].latency == pytest.approx(0.74333333)


@pytest.mark.parametrize("number", range(0, 36, 6))
def test_no_fractional_plan_of_equal_cost_is_quicker(number: int) -> None:
    instance = SAMPLE.draw(number)
    plan = solve(instance, billing=Billing.FRACTIONAL, dispatch=Dispatch.PACED).plan
    assert plan is not None
    (pipeline,) = instance.pipelines
    tighter = replace(pipeline, slo=plan.pipelines[0].latency * (1 - 1e-5))
    quicker = find_method("exact").run(
        replace(instance, pipelines=(tighter,)), Billing.FRACTIONAL, Dispatch.PACED, DEFAULT_OPTIONS
    )
    assert quicker.plan is None or quicker.plan.cost > plan.cost * (1 + COST_TOLERANCE)


@pytest.mark.parametrize("family", ["tied", "equal-ratios"])
@pytest.mark.parametrize("dispatch", Dispatch)
def test_enumeration_finds_no_quicker_fractional_plan_of_equal_cost(family: str, dispatch: Dispatch) -> None:
    ties = count_ties(Sample(1, 8, family=family, machines=2.0, modules=2), "exact", Billing.FRACTIONAL, [dispatch])
    assert ties.slow == []
    assert ties.quickest[dispatch] >= 7


@pytest.mark.parametrize(
    ("family", "seed", "number", "dispatch"),
    [("tied", 2, 0, Dispatch.TC), ("tied", 2, 0, Dispatch.PACED), ("equal-ratios", 4, 3, Dispatch.EDF)],
)
def test_of_tied_choices_on_curves_none_is_quicker(family: str, seed: int, number: int, dispatch: Dispatch) -> None:
    """Where the SLO binds and several structures of a module cost the same."""
    instance = Sample(seed, number + 1, family=family, machines=2.0, modules=3).draw(number)
    plan = find_method("exact").run(instance, Billing.FRACTIONAL, dispatch, DEFAULT_OPTIONS).plan
    assert plan is not None
    assert is_quickest(instance, plan) is True


@pytest.mark.parametrize("method", ["pattern", "compact", "exact"])
def test_the_plan_is_the_same_at_any_speed(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that loses an hour at every look at it: work is counted, not timed."""
    instance = Sample(12, 12, pipelines=2, limits=True, machines=3.0).draw(7)
    dispatch = Dispatch.TC if method == "compact" else Dispatch.PACED
    own = find_method(method).run(instance, Billing.WHOLE, dispatch, DEFAULT_OPTIONS)
    expected = with_quickest_plan(instance, own, DEFAULT_OPTIONS).plan
    hours = count()
    monkeypatch.setattr(time, "perf_counter", lambda: 3600.0 * next(hours))
    found = with_quickest_plan(instance, own, DEFAULT_OPTIONS).plan
    assert found is not None and expected is not None and own.plan is not None
    assert found == expected
    assert method == "exact" or length(found) < length(own.plan)
