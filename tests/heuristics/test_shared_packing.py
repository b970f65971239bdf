"""Heuristics for shared machines: plans that stand, never below the optimum, and what each is told to do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from shared_cases import two_models

from harpagon.formulations.checker import check
from harpagon.formulations.problem import pipeline_problems
from harpagon.heuristics.shared.sessions import finish, make_sessions, stands
from harpagon.instances.library.suites import spread, suite
from harpagon.instances.policies import Billing
from harpagon.solvers.exact.effort import Effort
from harpagon.solvers.methods import solve
from harpagon.solvers.options import DEFAULT_OPTIONS
from harpagon.solvers.shared.problem import SharedProblem
from harpagon.solvers.shared.relaxation import share_of_time_bound
from studies.agreement import Sample

NAMES = ("squishy", "packing")
SAMPLE = Sample(11, 40, pipelines=2, limits=True, machines=1.5, memory=True, modules=4)


@pytest.mark.parametrize("name", NAMES)
def test_plans_stand_and_none_is_cheaper_than_the_optimum(name: str) -> None:
    found = 0
    for number in range(20):
        instance = SAMPLE.draw(number)
        plan = solve(instance, name, Billing.SHARED).plan
        if plan is not None:
            assert check(instance, plan).ok
            assert plan.cost >= solve(instance, billing=Billing.SHARED).dual_bound * (1 - 1e-9)
            found += bool(plan.shared_machines())
    assert found >= 3


@pytest.mark.parametrize("name", NAMES)
def test_two_light_models_share_one_machine(name: str) -> None:
    plan = solve(two_models(), name).plan
    assert plan is not None
    assert plan.cost == pytest.approx(1.0)
    memory = solve(two_models(memory=4.5), name).plan
    assert memory is not None
    assert memory.cost == pytest.approx(2.0)


def test_packing_is_near_the_optimum_on_smoke() -> None:
    gaps = []
    for instance in spread(suite("smoke"), 6):
        best, plan = solve(instance, billing=Billing.SHARED).plan, solve(instance, "packing", Billing.SHARED).plan
        assert best is not None
        assert plan is not None
        gaps.append(plan.cost / best.cost - 1)
    assert min(gaps) >= -1e-9
    assert sum(gaps) / len(gaps) < 0.1


def test_a_limit_that_a_packing_breaks_leaves_no_plan() -> None:
    instance = two_models()
    none = replace(instance, hardware={"gpu": replace(instance.hardware["gpu"], limit=1)})
    problems = pipeline_problems(none)
    sessions = make_sessions(none, problems, [[0.4], [0.4]])
    assert sessions is not None
    assert finish(none, problems, sessions, []) is None
    pair = next(
        ((sessions[0], a), (sessions[1], b))
        for a in sessions[0].groups
        for b in sessions[1].groups
        if stands(none, ((sessions[0], a), (sessions[1], b)))
    )
    plan = finish(none, problems, sessions, [pair])
    assert plan is not None
    assert plan.usage() == {"gpu": pytest.approx(1.0)}


def test_the_relaxation_by_share_of_time_is_a_bound() -> None:
    below = 0
    for number in range(16):
        instance = SAMPLE.draw(number)
        plan = solve(instance, billing=Billing.SHARED).plan
        if plan is not None:
            problem = SharedProblem.compile(instance, pipeline_problems(instance), 2 * plan.cost)
            bound = share_of_time_bound(problem, DEFAULT_OPTIONS, Effort())
            assert bound <= plan.cost * (1 + 1e-9)
            below += bound < plan.cost * (1 - 1e-6)
    assert below >= 8
