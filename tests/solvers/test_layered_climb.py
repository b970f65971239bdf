"""Whole machines of one module in an order that the policy fixes, against enumeration of all machine counts."""

from __future__ import annotations

import math
import random
from itertools import product

import pytest

from harpagon.formulations.physics import RATE_TOLERANCE, in_dispatch_order
from harpagon.formulations.problem import ModuleProblem
from harpagon.instances.instance import Configuration
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Dispatch
from harpagon.solvers.exact.layered_climb import RULES, layered_climb
from harpagon.solvers.exact.pricing import Pricing, no_more

TYPES = ("a", "b")


def draw(seed: int) -> tuple[ModuleProblem, float]:
    """Up to three configurations on two types, whose ratios are close, and a budget from tight to loose."""
    rng = random.Random(seed)
    found: dict[tuple[str, int], Configuration] = {}
    prices = {name: rng.choice((1.0, 1.0, 1.5, 2.0)) for name in TYPES}
    for _ in range(rng.randint(1, 3)):
        hardware, batch = rng.choice(TYPES), rng.choice((1, 2, 4, 8))
        duration = round(batch / 20 * rng.uniform(0.6, 1.4) / prices[hardware], 3)
        found[hardware, batch] = Configuration(hardware, batch, duration, prices[hardware])
    configurations = tuple(found.values())
    rate = rng.uniform(5, 70)
    budget = max(c.duration for c in configurations) * rng.uniform(1.05, 3) + rng.choice((0.0, 0.1))
    return ModuleProblem("m", rate, configurations), budget


def schedules(problem: ModuleProblem, budget: float, dispatch: Dispatch, cap: float) -> list[dict[Configuration, int]]:
    """All machine counts that cost at most ``cap``, carry the rate and keep the budget."""
    kept = []
    for counts in product(*(range(int(cap / c.price + 1e-9) + 1) for c in problem.configurations)):
        chosen = {c: n for c, n in zip(problem.configurations, counts, strict=True) if n}
        tuples = in_dispatch_order(DispatchTuple.full(c, n) for c, n in chosen.items())
        enough = sum(part.rate for part in tuples) >= problem.rate * (1 - RATE_TOLERANCE)
        if enough and problem.latency(tuples, dispatch) <= budget * (1 + 1e-12):
            kept.append(chosen)
    return kept


def charge(chosen: dict[Configuration, int], pricing: Pricing) -> float:
    return sum(n * pricing.charge(c) for c, n in chosen.items())


def usage(chosen: dict[Configuration, int], tracked: tuple[str, ...]) -> tuple[float, ...]:
    return tuple(float(sum(n for c, n in chosen.items() if c.hardware == name)) for name in tracked)


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("dispatch", RULES)
def test_the_first_schedule_is_the_cheapest(dispatch: Dispatch, seed: int) -> None:
    problem, budget = draw(seed)
    cap = 8.0
    found = next(layered_climb(problem, budget, RULES[dispatch], cap), None)
    least = min((charge(one, Pricing()) for one in schedules(problem, budget, dispatch, cap)), default=math.inf)
    assert (math.inf if found is None else charge(dict(found), Pricing())) == pytest.approx(least)


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("dispatch", RULES)
def test_every_schedule_is_beaten_by_one_that_uses_no_more(dispatch: Dispatch, seed: int) -> None:
    problem, budget = draw(seed)
    pricing = Pricing({"a": 0.7}, ("a",))
    cap = 8.0
    climbed = [dict(one) for one in layered_climb(problem, budget, RULES[dispatch], cap, pricing)]
    allowed = schedules(problem, budget, dispatch, cap)
    assert all(one in allowed for one in climbed)
    for other in allowed:
        spent = charge(other, Pricing())
        if charge(other, pricing) <= cap:
            assert any(
                charge(one, Pricing()) <= spent * (1 + 1e-9) and no_more(usage(one, ("a",)), usage(other, ("a",)))
                for one in climbed
            )
