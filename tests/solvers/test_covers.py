"""Covers that are kept: what they cost is what a search anew says, whatever was asked before."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harpagon.formulations.problem import ModuleProblem
from harpagon.instances.instance import Configuration
from harpagon.solvers.exact.climb import climb
from harpagon.solvers.exact.covers import Covers
from harpagon.solvers.exact.pricing import Pricing

PROFILE = tuple(Configuration(f"gpu{i % 2}", 2**i, 0.05 + 0.03 * 2**i, 1.0 + 1.3 * (i % 2)) for i in range(4))
PRICING = Pricing({"gpu1": 0.25})


@given(st.lists(st.tuples(st.floats(1, 200), st.integers(1, 15)), min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
def test_kept_covers_cost_what_a_search_anew_says(asked: list[tuple[float, int]]) -> None:
    covers = Covers(PRICING).of(PROFILE)
    for rate, usable in asked:
        able = tuple(c for place, c in enumerate(PROFILE) if usable >> place & 1)
        counts = next(climb(ModuleProblem("m", rate, able), math.inf, pricing=PRICING))
        anew = sum(n * PRICING.charge(c) for c, n in counts)
        assert covers.least(rate, usable, None) == pytest.approx(anew, rel=1e-12)


def test_one_cover_serves_all_rates_up_to_its_capacity(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the rate that it was found for, which it may miss by the tolerance."""
    covers = Covers(PRICING).of(PROFILE)
    first, within = covers.least(1.0, 15, None), 3 * PROFILE[0].throughput * (1 + 5e-10)
    second = covers.least(within, 1, None)
    assert second == pytest.approx(3 * PROFILE[0].price)
    monkeypatch.setattr("harpagon.solvers.exact.covers.climb", None)
    assert covers.least(2.0, 15, None) == first
    assert covers.least(within, 1, None) == second
    assert Covers(PRICING).of(PROFILE) is not covers
