"""Readings of the baselines: each has its row; Scrooge's program is solved exactly; no reading is a straw man."""

from __future__ import annotations

import random
from statistics import mean

import pytest
from heuristic_cases import random_instances

from harpagon.formulations.physics import PROOF_TOLERANCE
from harpagon.heuristics.baselines.readings import DEFAULT_READINGS, READINGS, SYSTEMS
from harpagon.instances.generate import random_instance
from harpagon.instances.instance import Instance
from harpagon.instances.policies import APART, Billing, Dispatch
from harpagon.solvers.method import Kind
from harpagon.solvers.methods import METHODS, solve
from harpagon.solvers.result import Termination

PROGRAMS = {"scrooge": Dispatch.PER_CONFIG, "scrooge-2d": Dispatch.ROUND_ROBIN}


def cost(instance: Instance, method: str, billing: Billing) -> float | None:
    return solve(instance, method, billing).objective


def test_every_reading_is_a_method_and_every_default_carries_the_name_of_its_system() -> None:
    assert {METHODS[name].kind for name in READINGS} == {Kind.HEURISTIC}
    assert len(set(READINGS)) == len(READINGS)
    assert tuple(system.name.lower() for system in SYSTEMS) == DEFAULT_READINGS
    assert all(system.reason for system in SYSTEMS)


@pytest.mark.parametrize("billing", APART)
@pytest.mark.parametrize(("method", "dispatch"), PROGRAMS.items())
def test_scrooge_is_one_program_solved_to_its_optimum(method: str, dispatch: Dispatch, billing: Billing) -> None:
    for seed in range(25):
        instance = random_instance(random.Random(seed), modules=(1, 3), configurations=(1, 3), hardware=(1, 2))
        found, expected = solve(instance, method, billing), solve(instance, "brute-force", billing, dispatch)
        assert found.termination is expected.termination
        assert found.method == method
        if expected.plan is not None:
            assert found.plan is not None
            assert found.plan.dispatch is dispatch
            assert found.objective == pytest.approx(expected.objective, rel=1e-6)
            assert found.termination is Termination.OPTIMAL


@pytest.mark.parametrize("billing", APART)
def test_a_configuration_that_collects_as_one_never_costs_more(billing: Billing) -> None:
    dearer = 0
    for instance in random_instances(60):
        together, alone = cost(instance, "scrooge", billing), cost(instance, "scrooge-2d", billing)
        if alone is not None:
            assert together is not None
            assert together <= alone * (1 + PROOF_TOLERANCE)
            dearer += alone > together * 1.001
    assert dearer > 3


@pytest.mark.parametrize("system", ["inferline", "clipper"])
def test_a_machine_bought_whole_differs_in_fractional_billing_alone(system: str) -> None:
    ratios = []
    for instance in random_instances(60):
        by_use, whole = (cost(instance, name, Billing.FRACTIONAL) for name in (system, f"{system}-whole"))
        assert cost(instance, system, Billing.WHOLE) == cost(instance, f"{system}-whole", Billing.WHOLE)
        if by_use is not None and whole is not None:
            ratios.append(whole / by_use)
    assert mean(ratios) > 1.02
