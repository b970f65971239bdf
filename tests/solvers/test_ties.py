"""Of plans of equal cost the quickest is returned: no plan that costs as much is quicker."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harpagon.formulations.physics import COST_TOLERANCE
from harpagon.instances.files.instances import read_instance
from harpagon.instances.library.shipped import resolve
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.methods import find_method, solve
from harpagon.solvers.options import DEFAULT_OPTIONS
from studies.agreement import Sample

if TYPE_CHECKING:
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
