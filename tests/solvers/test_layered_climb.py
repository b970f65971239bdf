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
from harpagon.solvers.exact.pricing import Pricing

TYPES = ("a", "b", "c")
CAP = 6.0
SEEDS = (*range(10), 43, 62, 63, 115, 126, 265, 289, 306, 330, 338, 474, 616, 1160, 1374, 3444, 3564)
"""Ten, and those that tell apart: too many machines of a new tuple, too little slack kept, spares that are not counted,
what is dropped beside a label that is as good."""


def draw(seed: int) -> tuple[ModuleProblem, float]:
    """Up to three configurations on as many types, cheap slow ones among them; a budget of few batches; spares."""
    rng = random.Random(seed)
    found: dict[tuple[str, int], Configuration] = {}
    prices = {name: rng.choice((0.5, 1.0, 1.5, 2.0)) for name in TYPES}
    for _ in range(rng.randint(2, 3)):
        hardware, batch = rng.choice(TYPES), rng.choice((1, 2, 4, 8))
        duration = round(batch / 20 * rng.uniform(0.6, 1.4) / prices[hardware], 3)
        found[hardware, batch] = Configuration(hardware, batch, duration, prices[hardware])
    configurations = tuple(found.values())
    budget = max(c.duration for c in configurations) * rng.uniform(1.05, 3)
    return ModuleProblem("m", rng.uniform(5, 70), configurations, spare=rng.choice((0, 0, 1))), budget


def schedules(problem: ModuleProblem, budget: float, dispatch: Dispatch) -> list[dict[Configuration, int]]:
    """All machine counts, those in spare left out, that cost at most ``CAP``, carry the rate and keep the budget."""
    kept = []
    for counts in product(*(range(int(CAP / c.price + 1e-9) + 1) for c in problem.configurations)):
        chosen = {c: n for c, n in zip(problem.configurations, counts, strict=True) if n}
        if charge(problem, chosen, Pricing()) > CAP * (1 + 1e-12):
            continue
        tuples = in_dispatch_order(DispatchTuple.full(c, n) for c, n in chosen.items())
        enough = sum(part.rate for part in tuples) >= problem.rate * (1 - RATE_TOLERANCE)
        if enough and problem.latency(tuples, dispatch) <= budget * (1 + 1e-12):
            kept.append(chosen)
    return kept


def charge(problem: ModuleProblem, chosen: dict[Configuration, int], pricing: Pricing) -> float:
    return sum((n + problem.spare) * pricing.charge(c) for c, n in chosen.items())


def usage(problem: ModuleProblem, chosen: dict[Configuration, int]) -> float:
    return sum(n + problem.spare for c, n in chosen.items() if c.hardware == "a")


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("dispatch", RULES)
def test_the_first_schedule_is_the_cheapest_and_the_others_use_less(dispatch: Dispatch, seed: int) -> None:
    problem, budget = draw(seed)
    allowed = schedules(problem, budget, dispatch)
    found = next(layered_climb(problem, budget, RULES[dispatch], CAP), None)
    least = min((charge(problem, one, Pricing()) for one in allowed), default=math.inf)
    assert (math.inf if found is None else charge(problem, dict(found), Pricing())) == pytest.approx(least)

    pricing = Pricing({"a": 0.7}, ("a",))
    climbed = [dict(one) for one in layered_climb(problem, budget, RULES[dispatch], CAP, pricing)]
    assert all(one in allowed for one in climbed)
    for other in allowed:
        if charge(problem, other, pricing) <= CAP:
            spent, used = charge(problem, other, Pricing()) * (1 + 1e-9), usage(problem, other)
            assert any(charge(problem, one, Pricing()) <= spent and usage(problem, one) <= used for one in climbed)


def search(
    problem: ModuleProblem, dispatch: Dispatch, budget: float, cap: float = math.inf
) -> dict[Configuration, int]:
    return dict(next(layered_climb(problem, budget, RULES[dispatch], cap), []))


@pytest.mark.parametrize("dispatch", RULES)
def test_a_rate_that_machines_just_carry_and_a_cap_that_they_just_cost(dispatch: Dispatch) -> None:
    configuration = Configuration("a", 4, 0.1, 1.5)
    problem = ModuleProblem("m", 3 * configuration.throughput, (configuration,))
    assert search(problem, dispatch, 0.5, cap=4.5) == {configuration: 3}
    assert search(problem, dispatch, 0.5, cap=4.4) == {}


@pytest.mark.parametrize("dispatch", RULES)
def test_a_batch_longer_than_the_budget_is_left_out(dispatch: Dispatch) -> None:
    quick, slow = Configuration("a", 4, 0.1, 1.5), Configuration("b", 8, 0.6, 0.1)
    problem = ModuleProblem("m", 3 * quick.throughput, (quick, slow))
    assert search(problem, dispatch, 0.5) == {quick: 3}
