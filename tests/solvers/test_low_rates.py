"""Rates and durations far from one a second: searches end, and frontiers fall strictly."""

from __future__ import annotations

import random
from itertools import islice, pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harpagon.formulations.problem import ModuleProblem
from harpagon.instances.files.instances import read_instance
from harpagon.instances.instance import Configuration
from harpagon.instances.policies import APART, Billing, Dispatch
from harpagon.solvers.exact.frontier import frontier, step_below
from harpagon.solvers.methods import solve
from harpagon.solvers.result import Termination

CASES = Path(__file__).parent.parent / "cases"


@pytest.mark.parametrize("dispatch", [Dispatch.TC, Dispatch.EDF, Dispatch.TC_SAFE, Dispatch.PER_CONFIG])
@pytest.mark.parametrize("billing", list(APART))
@pytest.mark.parametrize("method", ["exact", "pattern"])
def test_two_slow_modules_are_planned_at_once(method: str, billing: Billing, dispatch: Dispatch) -> None:
    """0.03 req/s in batches of 30 s: this never returned under edf."""
    instance = read_instance(CASES / "two-slow-modules-below-a-tenth-rps.yaml")
    result = solve(instance, method, billing, dispatch)
    assert result.termination is Termination.OPTIMAL
    assert result.objective == pytest.approx(12.0)


def scaled_module(seed: int, scale: float) -> ModuleProblem:
    """A module whose seconds are ``scale`` times as long."""
    rng = random.Random(seed)
    profile = tuple(
        Configuration(f"gpu{i % 2}", 2**i, scale * round(0.05 + 0.04 * 2**i * rng.uniform(0.7, 1.2), 3), 1.0 + i % 2)
        for i in range(4)
    )
    return ModuleProblem("m", rng.uniform(5, 60) / scale, profile)


@given(
    st.integers(0, 10**6),
    st.sampled_from([policy for policy in Dispatch if policy is not Dispatch.PACED]),
    st.integers(-4, 5),
)
@settings(max_examples=60, deadline=None)
def test_frontiers_fall_strictly_at_every_scale(seed: int, dispatch: Dispatch, power: int) -> None:
    """The frontier at another scale of time has the same costs, and every point is quicker than the one before."""
    scale = 10.0**power
    usual = list(islice(frontier(scaled_module(seed, 1.0), 1.5, Billing.WHOLE, dispatch, cap=12.0), 40))
    scaled = list(islice(frontier(scaled_module(seed, scale), 1.5 * scale, Billing.WHOLE, dispatch, cap=12.0), 40))
    assert [p.cost for p in scaled] == pytest.approx([p.cost for p in usual])
    for slower, quicker in pairwise(scaled):
        assert quicker.latency < slower.latency
        assert quicker.cost > slower.cost


@pytest.mark.parametrize("latency", [1e-3, 1.0, 1e5, 1e9])
def test_the_next_budget_lies_below_a_latency_at_every_scale(latency: float) -> None:
    assert step_below(latency) < latency
    assert step_below(latency) == pytest.approx(latency, rel=1e-6)
