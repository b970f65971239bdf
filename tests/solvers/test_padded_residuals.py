"""Fractional billing: cheapest schedules and listed structures against enumeration, pipelines against the models."""

from __future__ import annotations

import math
import random
from itertools import permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harpagon.formulations.physics import in_dispatch_order, module_latency, tc_order
from harpagon.formulations.problem import ModuleProblem
from harpagon.formulations.residual import Structure
from harpagon.instances.generate import random_instance
from harpagon.instances.instance import Configuration
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.exact.pricing import LIST_PRICES
from harpagon.solvers.exact.schedule import cheapest_schedule, structures_between
from harpagon.solvers.exact.solve import solve_exact
from harpagon.solvers.methods import solve
from harpagon.solvers.result import Termination
from studies.agreement import Sample

POLICIES = [Dispatch.TC, Dispatch.FREE, Dispatch.PER_CONFIG, Dispatch.ROUND_ROBIN, Dispatch.TC_SAFE, Dispatch.EDF]


def draw(seed: int) -> tuple[ModuleProblem, float]:
    """A module of few machines, half of the time in round figures, and a budget in seconds that may be tight."""
    rng = random.Random(seed)
    is_round = rng.random() < 0.5
    prices = [1.0, rng.choice([0.5, 1.0, 2.0]) if is_round else rng.uniform(0.3, 2.5)]
    profile: dict[tuple[int, int], Configuration] = {}
    for _ in range(rng.randint(1, 4)):
        batch, kind = 2 ** rng.randint(0, 4), rng.randint(0, 1)
        first = rng.choice([0.05, 0.1, 0.2, 0.25]) if is_round else rng.uniform(0.02, 0.3)
        duration = round(first * batch ** (0.5 if is_round else rng.uniform(0.3, 0.95)), 3)
        profile[batch, kind] = Configuration(f"g{kind}", batch, duration, prices[kind])
    configurations = tuple(sorted(profile.values(), key=tc_order))
    rate = max(c.throughput for c in configurations) * rng.uniform(0.05, 3)
    return ModuleProblem("m", rate, configurations), min(c.duration for c in configurations) * rng.uniform(1.02, 5)


def enumerated(problem: ModuleProblem, budget: float, dispatch: Dispatch, cap: float) -> float:
    """Least cost of any schedule within ``budget`` that costs at most ``cap``: every count, order and residual."""
    best = math.inf
    for counts in product(*(range(int(cap / c.price + 1e-9) + 1) for c in problem.configurations)):
        full = [DispatchTuple.full(c, n) for c, n in zip(problem.configurations, counts, strict=True) if n]
        spent = sum(part.cost for part in full)
        for order in permutations(full) if dispatch is Dispatch.FREE else [in_dispatch_order(full)]:
            enough = order and sum(part.rate for part in order) >= problem.rate * (1 - 1e-9)
            if enough and module_latency(order, dispatch) <= budget + 1e-12:
                best = min(best, spent)
            for residual in problem.configurations:
                structure = Structure.of(order, residual, problem.rate, dispatch)
                if structure.quickest <= budget:
                    best = min(best, spent + structure.rate(budget) / residual.ratio)
    return best


@given(st.integers(0, 10**6), st.sampled_from(POLICIES))
@settings(max_examples=80, deadline=None)
def test_the_cheapest_schedule_is_that_of_enumeration(seed: int, dispatch: Dispatch) -> None:
    problem, budget = draw(seed)
    found = cheapest_schedule(problem, budget, Billing.FRACTIONAL, dispatch)
    if found is None:
        assert math.isinf(enumerated(problem, budget, dispatch, 4.0))
    elif found.cost < 8:
        assert found.cost == pytest.approx(enumerated(problem, budget, dispatch, found.cost * (1 + 1e-9)))
        assert found.latency <= budget + 1e-11


@given(st.integers(0, 10**6), st.sampled_from(POLICIES), st.floats(0.05, 0.95))
@settings(max_examples=80, deadline=None)
def test_no_structure_between_two_budgets_is_left_out(seed: int, dispatch: Dispatch, share: float) -> None:
    problem, budget = draw(seed)
    tightest = (min(c.duration for c in problem.configurations) + budget) / 2
    between = tightest + share * (budget - tightest)
    cheapest = cheapest_schedule(problem, between, Billing.FRACTIONAL, dispatch)
    if cheapest is None:
        return
    cap = cheapest.cost * (1 + 1e-6)
    listed = structures_between(problem, tightest, budget, dispatch, cap, LIST_PRICES)
    fitting = [one for one in listed if one.quickest <= between + 1e-12]
    costs = [sum(part.cost for part in one.schedule(one.rate(between))) for one in fitting]
    assert min(costs) == pytest.approx(cheapest.cost)


@pytest.mark.parametrize("number", range(8))
@pytest.mark.parametrize("limits", [False, True])
def test_exact_brute_force_pattern_and_compact_agree(number: int, limits: bool) -> None:
    instance = random_instance(
        random.Random(f"padded/{number}"), modules=(1, 3), configurations=(1, 3), machines=3.0, limits=limits
    )
    dispatch = [Dispatch.TC, Dispatch.PER_CONFIG, Dispatch.ROUND_ROBIN, Dispatch.TC_SAFE][number % 4]
    exact = solve_exact(instance, Billing.FRACTIONAL, dispatch)
    for method in ("brute-force", "pattern", "compact"):
        other = solve(instance, method, Billing.FRACTIONAL, dispatch)
        assert other.termination is exact.termination
        if exact.plan is not None:
            assert other.objective == pytest.approx(exact.objective, rel=1e-6)


@pytest.mark.parametrize("dispatch", POLICIES[:4])
def test_a_padded_residual_undercuts_one_that_only_serves_what_is_left(dispatch: Dispatch) -> None:
    """10 req/s on a machine of 8 with batches of 4: 2 req/s collect no batch within 1.5 s, 4 req/s do."""
    problem = ModuleProblem("m", 10.0, (Configuration("g", 4, 0.5, 1.0),))
    found = cheapest_schedule(problem, 1.5, Billing.FRACTIONAL, dispatch)
    assert found is not None
    assert found.schedule[-1].is_residual
    assert found.schedule[-1].rate >= 4.0 * (1 - 1e-9)
    assert found.cost < 2.0


def test_a_proof_outlasts_a_linear_program_that_the_solver_fails_on() -> None:
    """After its presolve HiGHS 1.16 ends a master problem of this instance with a residual just above its tolerance."""
    instance = Sample(51, 300, machines=3.0).draw(55)
    for dispatch in (Dispatch.TC, Dispatch.FREE):
        result = solve(instance, "exact", Billing.FRACTIONAL, dispatch)
        assert result.termination is Termination.OPTIMAL
        assert result.dual_bound == pytest.approx(2.0881670528798404, rel=1e-6)
