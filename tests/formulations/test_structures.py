"""Structures of paced modules: the closed forms against H itself."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paced_cases import random_module

from harpagon.formulations.physics import in_dispatch_order
from harpagon.formulations.structures import structures_with
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Dispatch

if TYPE_CHECKING:
    from harpagon.formulations.problem import ModuleProblem
    from harpagon.formulations.residual import Structure


def _drawn(seed: int) -> tuple[tuple[Structure, ...], ModuleProblem]:
    rng = random.Random(seed)
    module, _ = random_module(rng, 0.4, 1.4, (1.0, 5))
    full = in_dispatch_order(
        DispatchTuple.full(c, rng.randint(1, 2)) for c in module.configurations if rng.random() < 0.4
    )
    return structures_with(full, rng.choice(module.configurations), module, Dispatch.PACED), module


@given(st.integers(0, 10**6), st.floats(0.01, 0.999))
def test_latency_at_a_rate_is_h(seed: int, share: float) -> None:
    structures, module = _drawn(seed)
    assert structures
    rate = share * structures[0].most
    known = [structure.latency(rate) if rate >= structure.least else math.inf for structure in structures]
    expected = module.latency(structures[0].schedule(rate), Dispatch.PACED)
    assert min(known) == pytest.approx(expected, rel=1e-9)


@given(st.integers(0, 10**6), st.floats(0.0, 1.0))
def test_the_cheapest_rate_keeps_its_budget_and_less_does_not(seed: int, share: float) -> None:
    for structure in _drawn(seed)[0]:
        if math.isfinite(structure.quickest):
            budget = structure.quickest * (1 + share)
            rate = structure.rate(budget)
            assert structure.least <= rate <= structure.most
            assert structure.latency(rate) <= budget * (1 + 1e-9)
            assert rate <= structure.least * (1 + 1e-6) or structure.latency(rate * (1 - 1e-6)) > budget
