"""Of plans of equal cost the quickest is returned: no plan that costs as much is quicker."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harpagon.formulations.physics import COST_TOLERANCE
from harpagon.instances.files.instances import read_instance
from harpagon.instances.library.shipped import resolve
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.methods import solve
from studies.agreement import Sample

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
