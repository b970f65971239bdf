"""The compact model: equal to enumeration, tight where it must be, honest at limits."""

from __future__ import annotations

import random
from itertools import product

import pytest

from harpagon.formulations.assembly import plan_pipeline
from harpagon.formulations.bounds import first_plan
from harpagon.formulations.checker import check
from harpagon.formulations.planning.compact import build_compact
from harpagon.formulations.planning.data import PlanningData
from harpagon.formulations.planning.linear_program import linear_program
from harpagon.formulations.problem import pipeline_problems
from harpagon.instances.generate import random_instance
from harpagon.instances.instance import Instance
from harpagon.instances.policies import APART, Billing, Dispatch
from harpagon.solvers.capabilities import UnsupportedError
from harpagon.solvers.enumeration.brute_force import solve_brute_force
from harpagon.solvers.methods import METHODS, solve
from harpagon.solvers.models.compact import solve_compact
from harpagon.solvers.models.highs import relaxation_bound
from harpagon.solvers.options import DEFAULT_OPTIONS, SolverOptions
from harpagon.solvers.result import Termination

CASES = sorted(METHODS["compact"].capabilities.cases)


@pytest.mark.parametrize(
    ("billing", "dispatch", "cost"),
    [
        (Billing.WHOLE, Dispatch.TC, 5.0),
        (Billing.FRACTIONAL, Dispatch.TC, 5.0),
        (Billing.WHOLE, Dispatch.ROUND_ROBIN, 7.0),
        (Billing.FRACTIONAL, Dispatch.ROUND_ROBIN, 6.3),
    ],
)
def test_worked_example(worked_example: Instance, billing: Billing, dispatch: Dispatch, cost: float) -> None:
    result = solve_compact(worked_example, billing, dispatch)
    assert result.termination is Termination.OPTIMAL
    assert result.objective == pytest.approx(cost)
    assert result.dual_bound == pytest.approx(cost)
    assert result.solver.name == "HiGHS"
    assert result.solver.options["mip_rel_gap"] == 0


@pytest.mark.parametrize("case", range(12))
def test_equals_brute_force(case: int) -> None:
    instance = random_instance(random.Random(1000 + case), pipelines=1 + case % 2, modules=(1, 3))
    for billing, dispatch in CASES:
        expected, result = solve_brute_force(instance, billing, dispatch), solve_compact(instance, billing, dispatch)
        assert result.termination is expected.termination
        if expected.plan is not None:
            assert result.plan is not None
            assert check(instance, result.plan).violations == ()
            assert result.objective == pytest.approx(expected.objective)


@pytest.mark.parametrize(("billing", "dispatch"), list(product(APART, (Dispatch.FREE, Dispatch.EDF))))
def test_what_it_cannot_do_is_a_clear_error(worked_example: Instance, billing: Billing, dispatch: Dispatch) -> None:
    with pytest.raises(UnsupportedError, match=f"compact does not support {billing} billing under {dispatch} dispatch"):
        solve(worked_example, "compact", billing, dispatch)


@pytest.mark.parametrize("case", range(8))
def test_the_relaxation_lies_between_the_cost_floor_and_the_optimum(case: int) -> None:
    instance = random_instance(random.Random(case), modules=(1, 3))
    problems = pipeline_problems(instance)
    optimum = solve_compact(instance, Billing.WHOLE, Dispatch.TC).objective
    assert optimum is not None
    data = PlanningData.compile(instance, problems, Billing.WHOLE, Dispatch.TC, 2 * optimum)
    program = linear_program(build_compact(data))
    floor = sum(module.rate / max(c.ratio for c in module.configurations) for module in problems[0].modules)
    assert floor * (1 - 1e-6) <= relaxation_bound(program, DEFAULT_OPTIONS) <= optimum * (1 + 1e-6)
    assert program.rows == len(program.row_names)
    assert program.columns == len(program.column_names) == len(program.integer)


@pytest.mark.parametrize("case", range(10))
def test_the_first_plan_stands(case: int) -> None:
    """The plan that bounds the machine counts meets its SLO under every policy that has one."""
    instance = random_instance(random.Random(case))
    for problem, dispatch in product(pipeline_problems(instance), Dispatch):
        schedules = first_plan(problem, dispatch)
        if schedules is None:
            assert solve_brute_force(instance, Billing.WHOLE, dispatch).termination is Termination.INFEASIBLE
        else:
            assert plan_pipeline(problem, schedules, dispatch).latency <= problem.slo + 1e-9


def test_no_time_is_a_result_with_a_valid_bound(worked_example: Instance) -> None:
    result = solve_compact(worked_example, Billing.WHOLE, Dispatch.TC, SolverOptions(time_limit=0.0))
    assert result.termination is Termination.FEASIBLE
    assert result.plan is not None
    assert 0 < result.dual_bound <= 5.0
