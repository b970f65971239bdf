"""Harpagon's dummy generator: completing a machine when that is cheaper."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from heuristic_cases import DISPATCHES, WORKED_PROFILE, module, modules, rules
from hypothesis import given
from hypothesis import strategies as st

from harpagon.formulations.physics import COST_TOLERANCE, module_latency
from harpagon.formulations.problem import ModuleProblem
from harpagon.heuristics.harpagon.dummy_generator import cheapest_completion, cheapest_padded_end
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


@pytest.mark.parametrize(("billing", "rate"), [(Billing.FRACTIONAL, 4 / 0.15), (Billing.WHOLE, 40.0)])
def test_pads_where_no_residual_collects_in_time(billing: Billing, rate: float) -> None:
    schedule = schedule_module(module(1.0, (4, 0.1)), 0.25, SchedulingRules(billing, Dispatch.TC))
    assert schedule is not None
    (only,) = schedule.tuples
    assert (only.rate, only.machines) == (pytest.approx(rate), pytest.approx(rate / 40))


def test_a_padded_residual_works_at_the_rate_that_the_tuples_before_it_need() -> None:
    """Four machines of 40 req/s and 2 req/s collect 32 in 1.0 s only with 165 - 160 = 5 req/s, at batch 2 or 8."""
    problem = module(162.0, *WORKED_PROFILE)
    large, medium, small = problem.configurations
    taken = [DispatchTuple.full(large, 4)]
    budget = 0.8 + 32 / 165
    ends = {}
    for allowed in (medium, small):
        found = cheapest_padded_end(162.0, (large, allowed), budget, RULES, taken, math.inf)
        assert found is not None
        assert found[:-1] == taken
        ends[allowed] = found[-1].rate
    assert ends == {small: pytest.approx(5.0), medium: pytest.approx(8 / (budget - 0.25))}
    assert cheapest_padded_end(162.0, problem.configurations, budget, RULES, taken, 4.2) is None


@given(modules(), st.sampled_from(DISPATCHES), st.floats(0.02, 3.0), st.floats(0.0, 4.0))
def test_no_slower_residual_would_do(problem: ModuleProblem, dispatch: Dispatch, budget: float, limit: float) -> None:
    rules_of = SchedulingRules(Billing.FRACTIONAL, dispatch)
    schedule = schedule_module(problem, budget, rules_of, {"a": limit})
    if schedule is not None and schedule.tuples[-1].is_residual:
        *full, last = schedule.tuples
        slower = [*full, DispatchTuple.residual(last.configuration, last.rate * (1 - 1e-6))]
        serves = sum(part.rate for part in slower) >= problem.rate
        assert not serves or module_latency(slower, dispatch) > budget


@given(modules(), rules(), st.floats(0.02, 3.0))
def test_dummies_never_cost_more_within_one_budget(problem: ModuleProblem, how: SchedulingRules, budget: float) -> None:
    without = schedule_module(problem, budget, replace(how, dummies=False))
    if without is not None:
        with_dummies = schedule_module(problem, budget, replace(how, dummies=True))
        assert with_dummies is not None
        assert with_dummies.cost <= without.cost * (1 + COST_TOLERANCE)
