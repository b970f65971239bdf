"""Harpagon's module scheduler: budgets, rates, dispatch order, mixing and limits."""

from __future__ import annotations

import pytest
from heuristic_cases import DISPATCHES, WORKED_PROFILE, module, modules, rules
from hypothesis import given
from hypothesis import strategies as st

from harpagon.formulations.physics import RATE_TOLERANCE, TIME_TOLERANCE, in_dispatch_order, module_latency
from harpagon.formulations.problem import ModuleProblem
from harpagon.heuristics.harpagon.module_scheduler import schedule_module
from harpagon.heuristics.scheduling_rules import SchedulingRules
from harpagon.instances.policies import Billing, Dispatch


def schedule_text(problem: ModuleProblem, budget: float, how: SchedulingRules) -> list[tuple[int, float]]:
    schedule = schedule_module(problem, budget, how)
    assert schedule is not None
    return [(part.configuration.batch, round(part.machines, 9)) for part in schedule.tuples]


def test_batch_aware_multi_tuple_schedule_of_the_worked_example() -> None:
    how = SchedulingRules(Billing.FRACTIONAL, Dispatch.TC, dummies=False)
    assert schedule_text(module(198.0, *WORKED_PROFILE), 1.0, how) == [(32, 4), (8, 1), (2, 0.3)]


def test_round_robin_cannot_use_the_large_batch() -> None:
    how = SchedulingRules(Billing.FRACTIONAL, Dispatch.ROUND_ROBIN, dummies=False)
    assert schedule_text(module(198.0, *WORKED_PROFILE), 1.0, how) == [(8, 6), (2, 0.3)]


def test_whole_billing_buys_the_last_machine_whole() -> None:
    how = SchedulingRules(Billing.WHOLE, Dispatch.TC, dummies=False)
    assert schedule_text(module(198.0, *WORKED_PROFILE), 1.0, how) == [(32, 4), (8, 2)]


def test_a_residual_of_a_configuration_also_used_in_full() -> None:
    how = SchedulingRules(Billing.FRACTIONAL, Dispatch.TC, dummies=False)
    assert schedule_text(module(50.0, (2, 0.1)), 0.4, how) == [(2, 2), (2, 0.5)]


def test_one_configuration_serves_all_or_is_passed_over() -> None:
    how = SchedulingRules(Billing.FRACTIONAL, Dispatch.TC, max_configurations=1, dummies=False)
    assert schedule_text(module(198.0, *WORKED_PROFILE), 1.0, how) == [(2, 9), (2, 0.9)]


def test_two_configurations_skip_what_would_need_a_third() -> None:
    how = SchedulingRules(Billing.FRACTIONAL, Dispatch.TC, max_configurations=2, dummies=False)
    assert schedule_text(module(198.0, *WORKED_PROFILE), 1.0, how) == [(32, 4), (2, 1), (2, 0.9)]


def test_no_schedule_below_the_shortest_duration() -> None:
    for dispatch in DISPATCHES:
        assert schedule_module(module(10.0, (1, 0.2)), 0.2, SchedulingRules(Billing.WHOLE, dispatch)) is None


def test_takes_what_is_left_of_a_limited_type_and_goes_on() -> None:
    fast, slow = module(100.0, (8, 0.1), hardware="fast"), module(100.0, (2, 0.1), hardware="slow")
    mixed = ModuleProblem("module", 200.0, fast.configurations + slow.configurations)
    schedule = schedule_module(mixed, 1.0, SchedulingRules(Billing.WHOLE, Dispatch.TC), {"fast": 2.0})
    assert schedule is not None
    assert [(part.configuration.hardware, part.machines) for part in schedule.tuples] == [("fast", 2), ("slow", 2)]


@given(modules(), rules(), st.floats(0.02, 3.0))
def test_keeps_the_budget_the_rate_and_the_order(problem: ModuleProblem, how: SchedulingRules, budget: float) -> None:
    schedule = schedule_module(problem, budget, how)
    if schedule is None:
        return
    assert module_latency(schedule.tuples, how.dispatch) <= budget + TIME_TOLERANCE
    assert sum(part.rate for part in schedule.tuples) >= problem.rate * (1 - RATE_TOLERANCE)
    assert schedule.cost == pytest.approx(sum(part.cost for part in schedule.tuples))
    assert in_dispatch_order(schedule.tuples) == schedule.tuples
    if how.max_configurations is not None:
        assert len({part.configuration for part in schedule.tuples}) <= how.max_configurations


@given(modules(), rules(), st.floats(0.02, 3.0), st.integers(0, 4))
def test_keeps_limits(problem: ModuleProblem, how: SchedulingRules, budget: float, limit: int) -> None:
    schedule = schedule_module(problem, budget, how, {"a": float(limit)})
    if schedule is not None:
        used = sum(part.machines for part in schedule.tuples if part.configuration.hardware == "a")
        assert used <= limit * (1 + RATE_TOLERANCE)
