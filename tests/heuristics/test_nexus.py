"""Nexus: largest batch at twice its duration, one residual, quantised split."""

from __future__ import annotations

import pytest
from heuristic_cases import WORKED_PROFILE, module, modules, random_instances
from hypothesis import given
from hypothesis import strategies as st

from harpagon.formulations.checker import check
from harpagon.formulations.physics import RATE_TOLERANCE, TIME_TOLERANCE
from harpagon.formulations.problem import ModuleProblem
from harpagon.heuristics.baselines.nexus import plan_nexus, schedule_module_nexus
from harpagon.instances.instance import Instance
from harpagon.instances.policies import APART, Billing, Dispatch


@pytest.mark.parametrize(("billing", "cost"), [(Billing.FRACTIONAL, 6.3), (Billing.WHOLE, 7.0)])
def test_worked_example(worked_example: Instance, billing: Billing, cost: float) -> None:
    plan = plan_nexus(worked_example, billing)
    assert plan is not None
    assert plan.dispatch is Dispatch.ROUND_ROBIN
    assert plan.cost == pytest.approx(cost)


def test_what_is_left_over_pays_its_duty_cycle() -> None:
    """1 req/s left: no batch fills in 0.5 s, batch 2 takes 0.1 s of every 0.4 s; 4 req/s: two requests come in time."""
    for rate, share in ((33.0, 0.25), (36.0, 0.25), (40.0, 0.4)):
        schedule = schedule_module_nexus(module(rate, *WORKED_PROFILE), 0.5, Billing.FRACTIONAL)
        assert schedule is not None
        full, last = schedule.tuples
        assert (full.configuration.batch, full.machines) == (8, 1)
        assert (last.configuration.batch, last.machines) == (2, pytest.approx(share))


def test_takes_the_cheapest_type_that_has_machines_left() -> None:
    cheap, dear = module(64.0, *WORKED_PROFILE, hardware="cheap"), module(64.0, *WORKED_PROFILE, price=2.0)
    mixed = ModuleProblem("module", 64.0, cheap.configurations + dear.configurations)
    for left, cost in ((2.0, 2.0), (1.0, 4.0)):
        schedule = schedule_module_nexus(mixed, 0.5, Billing.WHOLE, {"cheap": left})
        assert schedule is not None
        assert schedule.cost == cost
    assert schedule_module_nexus(mixed, 0.5, Billing.WHOLE, {"cheap": 1.0, "gpu": 1.0}) is None


@given(modules(), st.sampled_from(list(APART)), st.floats(0.02, 3.0))
def test_keeps_the_budget_the_rate_and_one_type(problem: ModuleProblem, billing: Billing, budget: float) -> None:
    schedule = schedule_module_nexus(problem, budget, billing)
    possible = any(2 * c.duration <= budget for c in problem.configurations)
    assert (schedule is not None) or not possible
    if schedule is not None:
        assert schedule.latency <= budget + TIME_TOLERANCE
        assert sum(part.rate for part in schedule.tuples) >= problem.rate * (1 - RATE_TOLERANCE)
        assert len({part.configuration.hardware for part in schedule.tuples}) == 1


@pytest.mark.parametrize("billing", list(APART))
def test_plans_stand_the_checker(billing: Billing) -> None:
    found = 0
    for instance in [*random_instances(80), *random_instances(80, pipelines=2, limits=True)]:
        plan = plan_nexus(instance, billing)
        if plan is not None:
            found += 1
            assert check(instance, plan).violations == ()
    assert found > 70
