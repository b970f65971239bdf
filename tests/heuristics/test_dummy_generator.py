"""Harpagon's dummy generator: completing a machine when that is cheaper."""

from __future__ import annotations

import math
from dataclasses import replace

from heuristic_cases import WORKED_PROFILE, module, modules, rules
from hypothesis import given
from hypothesis import strategies as st

from harpagon.formulations.physics import COST_TOLERANCE
from harpagon.formulations.problem import ModuleProblem
from harpagon.heuristics.harpagon.dummy_generator import cheapest_completion
from harpagon.heuristics.harpagon.module_scheduler import schedule_module
from harpagon.heuristics.scheduling_rules import SchedulingRules
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Billing, Dispatch

RULES = SchedulingRules(Billing.FRACTIONAL, Dispatch.TC)


def test_two_dummies_per_second_complete_the_fifth_machine_of_the_worked_example() -> None:
    problem = module(198.0, *WORKED_PROFILE)
    large, medium, small = problem.configurations
    taken = [DispatchTuple.full(large, 4), DispatchTuple.full(medium, 1)]
    least = sum(part.cost for part in (*taken, DispatchTuple.residual(small, 6.0)))
    completed = cheapest_completion(198.0, problem.configurations, 1.0, RULES, taken, least)
    assert completed == [DispatchTuple.full(large, 5)]


def test_keeps_a_cheap_residual() -> None:
    problem = module(162.0, *WORKED_PROFILE)
    large, _, small = problem.configurations
    taken = [DispatchTuple.full(large, 4)]
    least = sum(part.cost for part in (*taken, DispatchTuple.residual(small, 2.0)))
    assert cheapest_completion(162.0, problem.configurations, 1.1, RULES, taken, least) is None
    assert cheapest_completion(162.0, problem.configurations, 1.1, RULES, taken, math.inf) == [
        DispatchTuple.full(large, 5)
    ]


def test_completes_where_no_residual_collects_in_time() -> None:
    schedule = schedule_module(module(1.0, (4, 0.1)), 0.25, RULES)
    assert schedule is not None
    assert [(part.machines, part.rate) for part in schedule.tuples] == [(1, 40.0)]


@given(modules(), rules(), st.floats(0.02, 3.0))
def test_dummies_never_cost_more_within_one_budget(problem: ModuleProblem, how: SchedulingRules, budget: float) -> None:
    without = schedule_module(problem, budget, replace(how, dummies=False))
    if without is not None:
        with_dummies = schedule_module(problem, budget, replace(how, dummies=True))
        assert with_dummies is not None
        assert with_dummies.cost <= without.cost * (1 + COST_TOLERANCE)
