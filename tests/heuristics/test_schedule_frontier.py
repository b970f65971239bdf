"""Every schedule of the module scheduler: no budget gives one that the walk over its turns misses."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from heuristic_cases import DISPATCHES, WORKED_PROFILE, module, modules, rules
from hypothesis import assume, given
from hypothesis import strategies as st

from harpagon.formulations.problem import ModuleProblem
from harpagon.heuristics.harpagon.module_scheduler import schedule_module
from harpagon.heuristics.harpagon.schedule_frontier import every_schedule, schedule_frontier
from harpagon.heuristics.scheduling_rules import SchedulingRules
from harpagon.instances.policies import APART, Billing, Dispatch

POLICIES = (*DISPATCHES, Dispatch.TC_SAFE, Dispatch.EDF)


def test_worked_example() -> None:
    frontier = schedule_frontier(module(198.0, *WORKED_PROFILE), SchedulingRules(Billing.WHOLE, Dispatch.TC), 1.0)
    assert [(round(one.latency, 4), one.cost) for one in frontier] == [(0.96, 5.0), (0.2857, 7.0), (0.11, 10.0)]


def test_goes_on_below_a_loosest_budget_that_rounding_puts_just_below_a_latency() -> None:
    problem, applied = module(30.0, *WORKED_PROFILE), SchedulingRules(Billing.WHOLE, Dispatch.TC)
    loosest = next(every_schedule(problem, applied, 2.0)).latency - 1e-13
    assert [one.cost for one in schedule_frontier(problem, applied, loosest)] == [1.0, 2.0]


@given(modules(), rules(), st.integers(0, 10**6))
def test_holds_what_any_budget_gives(problem: ModuleProblem, applied: SchedulingRules, seed: int) -> None:
    assume(not applied.pads)
    made = {one.tuples for one in every_schedule(problem, applied, 3.0)}
    draws = random.Random(seed)
    for _ in range(40):
        budget = 3.0 * draws.random() ** 2
        schedule = schedule_module(problem, budget, applied)
        assert schedule is None or schedule.tuples in made


@pytest.mark.parametrize("dispatch", POLICIES)
@pytest.mark.parametrize("billing", APART)
def test_holds_what_any_budget_gives_under_every_policy(billing: Billing, dispatch: Dispatch) -> None:
    problem = module(97.0, (1, 0.03), *WORKED_PROFILE)
    applied = SchedulingRules(billing, dispatch, dummies=billing is Billing.WHOLE)
    made = {one.tuples for one in every_schedule(problem, applied, 2.0)}
    found = [schedule_module(problem, budget / 1000, applied) for budget in range(1, 2000)]
    assert {one.tuples for one in found if one is not None} == made
    assert len(made) > 1


@pytest.mark.parametrize("dispatch", POLICIES)
def test_samples_what_every_budget_gives_where_residuals_are_padded(dispatch: Dispatch) -> None:
    """A little more latency than a budget buys a schedule on the frontier that is no dearer."""
    problem, applied = module(17.0, (1, 0.03), *WORKED_PROFILE), SchedulingRules(Billing.FRACTIONAL, dispatch)
    frontier = schedule_frontier(problem, applied, 2.0)
    for budget in range(31, 1900, 5):
        found = schedule_module(problem, budget / 1000, applied)
        if found is None:
            continue
        slower = [one for one in frontier if one.latency <= budget / 1000 * 1.05]
        assert min(one.cost for one in slower) <= found.cost * (1 + 1e-9)
    assert 10 < len(frontier) < 120


@given(modules(), rules())
def test_frontier_is_strictly_ordered(problem: ModuleProblem, applied: SchedulingRules) -> None:
    frontier = schedule_frontier(problem, applied, 3.0)
    assert all(a.cost < b.cost and a.latency > b.latency for a, b in pairwise(frontier))
