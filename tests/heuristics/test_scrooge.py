"""Scrooge: the allocation of two tuples against every pair, and valid plans."""

from __future__ import annotations

import itertools
import math

import pytest
from heuristic_cases import module, modules, random_instances
from hypothesis import assume, given
from hypothesis import strategies as st

from harpagon.formulations.checker import check
from harpagon.formulations.physics import RATE_TOLERANCE, TIME_TOLERANCE, module_latency
from harpagon.formulations.problem import ModuleProblem
from harpagon.heuristics.baselines.scrooge import cheapest_pair, plan_scrooge
from harpagon.instances.instance import Configuration, Instance
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Billing, Dispatch

MOST = 12
"""Machines of one configuration that the enumeration of the test goes up to."""


def all_schedules(problem: ModuleProblem, billing: Billing) -> list[list[DispatchTuple]]:
    """Every schedule of at most two tuples with up to `MOST` machines each."""
    counts = range(1, MOST + 1)
    ones = [DispatchTuple.full(c, n) for c in problem.configurations for n in counts]
    pairs = [[a, b] for a, b in itertools.combinations(ones, 2) if a.configuration != b.configuration]
    schedules = [[one] for one in ones] + pairs
    if billing is Billing.FRACTIONAL:
        for first in (None, *ones):
            rest = problem.rate - (first.rate if first else 0.0)
            schedules += [
                [*([first] if first else []), DispatchTuple.residual(last, rest)]
                for last in problem.configurations
                if 0 < rest < last.throughput
            ]
    return schedules


def cheapest_by_enumeration(problem: ModuleProblem, budget: float, billing: Billing) -> float:
    return min(
        (
            sum(part.cost for part in tuples)
            for tuples in all_schedules(problem, billing)
            if sum(part.rate for part in tuples) >= problem.rate * (1 - RATE_TOLERANCE)
            and module_latency(tuples, Dispatch.PER_CONFIG) <= budget
        ),
        default=math.inf,
    )


def needs_few(configuration: Configuration, rate: float, budget: float) -> bool:
    slack = budget - configuration.duration
    return slack > 0 and max(rate, configuration.batch / slack) < (MOST - 1) * configuration.throughput


@given(modules(), st.sampled_from(list(Billing)), st.floats(0.05, 3.0))
def test_equals_the_enumeration_of_all_pairs(problem: ModuleProblem, billing: Billing, budget: float) -> None:
    few = tuple(c for c in problem.configurations if needs_few(c, problem.rate, budget))
    assume(few)
    problem = ModuleProblem("module", problem.rate, few)
    schedule = cheapest_pair(problem, budget, billing)
    assert schedule is not None
    assert schedule.latency <= budget + TIME_TOLERANCE
    assert schedule.cost == pytest.approx(cheapest_by_enumeration(problem, budget, billing))


def test_a_budget_that_equals_a_duration_buys_no_crowd_of_machines() -> None:
    problem = module(10.0, (2, 0.3), (8, 0.6))
    schedule = cheapest_pair(problem, 0.6, Billing.WHOLE)
    assert schedule is not None
    assert [(part.configuration.batch, part.machines) for part in schedule.tuples] == [(2, 2)]
    assert cheapest_pair(problem, 0.3, Billing.WHOLE) is None


@pytest.mark.parametrize("billing", list(Billing))
def test_worked_example(worked_example: Instance, billing: Billing) -> None:
    plan = plan_scrooge(worked_example, billing)
    assert plan is not None
    assert plan.dispatch is Dispatch.PER_CONFIG
    assert plan.cost == pytest.approx(5.0)


@pytest.mark.parametrize("billing", list(Billing))
def test_plans_stand_the_checker(billing: Billing) -> None:
    for instance in random_instances(80):
        plan = plan_scrooge(instance, billing)
        assert plan is not None
        assert check(instance, plan).violations == ()
    for instance in random_instances(80, pipelines=2, limits=True):
        plan = plan_scrooge(instance, billing)
        assert plan is None or check(instance, plan).violations == ()
