"""Padded residuals: the closed forms against the latency formulas of the physics."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harpagon.formulations.physics import in_dispatch_order, module_latency
from harpagon.formulations.residual import Structure
from harpagon.instances.instance import Configuration
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Dispatch

policies = st.sampled_from([one for one in Dispatch if one.value != "paced"])


def _structure(seed: int, dispatch: Dispatch) -> Structure:
    rng = random.Random(seed)
    kinds = [Configuration(f"g{i % 2}", 2**i, rng.uniform(0.02, 0.4), rng.uniform(0.5, 2)) for i in range(4)]
    rng.shuffle(kinds)
    full = [DispatchTuple.full(c, rng.randint(1, 3)) for c in kinds[: rng.randint(0, 3)]]
    order = full if dispatch is Dispatch.FREE else in_dispatch_order(full)
    served = sum(part.rate for part in full)
    residual = rng.choice(kinds)
    return Structure.of(order, residual, served + rng.uniform(-1, 1) * residual.throughput, dispatch)


@given(st.integers(0, 10**6), policies, st.floats(0.01, 0.999))
def test_latency_at_a_rate_is_that_of_the_physics(seed: int, dispatch: Dispatch, share: float) -> None:
    structure = _structure(seed, dispatch)
    rate = share * structure.most
    assert structure.latency(rate) == pytest.approx(module_latency(structure.schedule(rate), dispatch))


@given(st.integers(0, 10**6), policies, st.floats(0.0, 1.0))
def test_the_cheapest_rate_meets_its_budget_and_less_does_not(seed: int, dispatch: Dispatch, share: float) -> None:
    structure = _structure(seed, dispatch)
    if not math.isfinite(structure.quickest):
        return
    budget = structure.quickest * (1 + share)
    rate = structure.rate(budget)
    assert structure.least <= rate <= structure.most
    if schedule := structure.schedule(rate):
        assert module_latency(schedule, dispatch) <= budget + 1e-12
    if rate > structure.least * (1 + 1e-6) + 1e-9:
        assert module_latency(structure.schedule(rate * (1 - 1e-6)), dispatch) > budget


@given(st.integers(0, 10**6), policies, st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_schedules_of_one_structure_mix_into_one_no_dearer(
    seed: int, dispatch: Dispatch, low: float, high: float, weight: float
) -> None:
    structure = _structure(seed, dispatch)
    if not math.isfinite(structure.quickest):
        return
    left, right = structure.quickest * (1 + low), structure.quickest * (1 + high)
    mixed = weight * structure.rate(left) + (1 - weight) * structure.rate(right)
    assert structure.rate(weight * left + (1 - weight) * right) <= mixed * (1 + 1e-9) + 1e-9


@given(st.integers(0, 10**6), policies, st.floats(0.05, 1.0), st.floats(0.0, 1.0))
def test_the_curve_lies_above_its_tangents(seed: int, dispatch: Dispatch, at: float, share: float) -> None:
    structure = _structure(seed, dispatch)
    if not math.isfinite(structure.quickest):
        return
    point, budget = structure.quickest * (1 + at), structure.quickest * (1 + share)
    tangent = structure.rate(point) + structure.slope(point) * (budget - point)
    assert structure.rate(budget) >= tangent - 1e-9 * (1 + abs(tangent))
