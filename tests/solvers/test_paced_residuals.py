"""Cheapest schedules of a paced module in fractional billing, by enumeration and bisection over the residual's rate."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import pytest
from paced_cases import random_module

from harpagon.formulations.physics import in_dispatch_order
from harpagon.formulations.problem import ModuleProblem, pipeline_problems
from harpagon.instances.instance import Configuration
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.exact import open_batch_descent
from harpagon.solvers.exact.effort import Effort
from harpagon.solvers.exact.pricing import LIST_PRICES
from harpagon.solvers.exact.schedule import cheapest_schedule, structures_between
from studies.agreement import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator

_BISECTIONS = 50


def module(seed: int) -> tuple[ModuleProblem, float]:
    return random_module(random.Random(seed), 0.4, 1.4, (1.0, 5))


def least(problem: ModuleProblem, budget: float, cap: float) -> float:
    """Least cost of the schedules that cost at most ``cap``, infinity where none keeps the budget."""
    counts = (range(int(cap / c.price + 1e-9) + 1) for c in problem.configurations)
    return min((cost for chosen in product(*counts) for cost in _costs(problem, budget, chosen, cap)), default=math.inf)


def _costs(problem: ModuleProblem, budget: float, counts: tuple[int, ...], cap: float) -> Iterator[float]:
    pairs = zip(problem.configurations, counts, strict=True)
    full = tuple(DispatchTuple.full(c, n) for c, n in pairs if n)
    spent = sum(part.cost for part in full)
    if spent > cap * (1 + 1e-9):
        return
    if full and _keeps(problem, full, budget):
        yield spent
    for configuration in problem.configurations:
        rate = _least_rate(problem, full, configuration, budget)
        if rate is not None:
            yield spent + configuration.price * rate / configuration.throughput


def _least_rate(
    problem: ModuleProblem, full: tuple[DispatchTuple, ...], configuration: Configuration, budget: float
) -> float | None:
    """Every rate from the least one on keeps the budget."""
    low, high = 0.0, configuration.throughput * (1 - 1e-9)
    if not _keeps(problem, (*full, DispatchTuple.residual(configuration, high)), budget):
        return None
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        kept = _keeps(problem, (*full, DispatchTuple.residual(configuration, middle)), budget)
        low, high = (low, middle) if kept else (middle, high)
    return high


def _keeps(problem: ModuleProblem, schedule: tuple[DispatchTuple, ...], budget: float) -> bool:
    return problem.latency(in_dispatch_order(schedule), Dispatch.PACED) <= budget * (1 + 1e-12)


def test_no_schedule_with_a_residual_is_cheaper() -> None:
    residuals = several = 0
    for seed in range(70):
        problem, budget = module(seed)
        best = cheapest_schedule(problem, budget, Billing.FRACTIONAL, Dispatch.PACED)
        assert best is not None
        assert problem.latency(best.schedule, Dispatch.PACED) <= budget * (1 + 1e-9)
        assert best.cost == pytest.approx(least(problem, budget, best.cost), rel=1e-7), seed
        partly = any(part.is_residual for part in best.schedule)
        residuals += partly
        several += partly and len(best.schedule) > 1
    assert residuals > 10
    assert several > 2


def test_no_structure_between_two_budgets_is_left_out() -> None:
    several = 0
    for seed in range(60):
        problem, budget = module(seed)
        tightest = (min(c.duration for c in problem.configurations) + budget) / 2
        between = tightest + random.Random(seed).uniform(0.05, 0.95) * (budget - tightest)
        cheapest = cheapest_schedule(problem, between, Billing.FRACTIONAL, Dispatch.PACED)
        assert cheapest is not None
        listed = structures_between(problem, tightest, budget, Dispatch.PACED, cheapest.cost * (1 + 1e-6), LIST_PRICES)
        fitting = [one for one in listed if one.quickest <= between * (1 + 1e-12)]
        costs = [sum(part.cost for part in one.schedule(one.rate(between))) for one in fitting]
        assert min(costs) == pytest.approx(cheapest.cost, rel=1e-9)
        several += len(fitting[costs.index(min(costs))].full) > 0
    assert several > 10


def test_a_looser_budget_never_costs_more() -> None:
    for seed in range(40):
        problem, budget = module(seed)
        budgets = [budget * factor for factor in (1.0, 1.1, 1.5, 3.0)]
        points = [cheapest_schedule(problem, limit, Billing.FRACTIONAL, Dispatch.PACED) for limit in budgets]
        costs = [point.cost for point in points if point is not None]
        assert costs == sorted(costs, reverse=True)
        whole = cheapest_schedule(problem, budget, Billing.WHOLE, Dispatch.PACED)
        assert whole is not None and costs[0] <= whole.cost * (1 + 1e-9)


@pytest.mark.parametrize("better", [{"capacity": 11.0}, {"head": 6.0}, {"spent": 2.0}])
def test_only_a_label_that_is_no_better_in_any_figure_is_dropped(better: dict[str, float]) -> None:
    usable = [Configuration("gpu", 8, 0.2, 1.0), Configuration("gpu", 32, 0.6, 1.0)]
    rates = {c: c.throughput for c in usable}
    descent = open_batch_descent._Descent(50.0, rates, (1.0, 1.0), [(0.0, 0.0)], 100.0, LIST_PRICES, Effort())
    kept = open_batch_descent._Label(None, 0, 1, -1, 10.0, 5.0, (), 50.0, 3.0, LIST_PRICES.nothing())
    worse = replace(kept, capacity=9.0, head=4.0, spent=4.0)
    assert not descent._dominated(kept)
    assert descent._dominated(worse)
    assert not descent._dominated(replace(worse, **better))


def test_machines_that_serve_the_rate_to_the_last_digit_cut_off_no_residual() -> None:
    """Two machines serve 60 requests a second but for rounding; a sliver beside them makes open batches of theirs."""
    instance = Sample(2001, 25, family="tied", machines=2.0, modules=3).draw(23)
    (problem,) = pipeline_problems(instance)
    point = cheapest_schedule(problem.modules[0], 0.16, Billing.FRACTIONAL, Dispatch.PACED)
    assert point is not None
    assert point.cost == pytest.approx(3.0)
