"""Pipelines one after another: order, shared limits, and what a plan of many is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harpagon.formulations.checker import check
from harpagon.formulations.problem import pipeline_problems
from harpagon.heuristics.fleet import by_tightness, machine_limits
from harpagon.heuristics.harpagon.plan import plan_harpagon
from harpagon.instances.instance import Hardware, Instance
from harpagon.instances.policies import APART, Billing


def fleet(example: Instance, *slos: float, limit: int | None = None) -> Instance:
    """The worked example once per SLO, on machines that are limited together."""
    (only,) = example.pipelines
    pipelines = tuple(replace(only, name=f"p{i}", slo=slo) for i, slo in enumerate(slos))
    return replace(example, pipelines=pipelines, hardware={"gpu": Hardware("gpu", 1.0, limit)})


def test_least_room_first(worked_example: Instance) -> None:
    problems = pipeline_problems(fleet(worked_example, 1.0, 0.4, 2.0))
    assert [problem.name for problem in by_tightness(problems)] == ["p1", "p0", "p2"]


def test_pipelines_keep_their_order_in_the_plan(worked_example: Instance) -> None:
    plan = plan_harpagon(fleet(worked_example, 1.0, 0.4, 2.0), Billing.WHOLE)
    assert plan is not None
    assert [pipeline.name for pipeline in plan.pipelines] == ["p0", "p1", "p2"]
    assert plan.cost == pytest.approx(sum(pipeline.cost for pipeline in plan.pipelines))


@pytest.mark.parametrize("billing", list(APART))
def test_pipelines_share_the_limit(worked_example: Instance, billing: Billing) -> None:
    enough, short = fleet(worked_example, 1.0, 1.0, limit=10), fleet(worked_example, 1.0, 1.0, limit=9)
    plan = plan_harpagon(enough, billing)
    assert plan is not None
    assert plan.cost == pytest.approx(10.0)
    assert check(enough, plan).violations == ()
    assert plan_harpagon(short, billing) is None


def test_machine_limits_name_the_limited_types(worked_example: Instance) -> None:
    assert machine_limits(fleet(worked_example, 1.0)) is None
    assert machine_limits(fleet(worked_example, 1.0, limit=3)) == {"gpu": 3.0}
