"""Frontiers known only where prices asked for them, and the proof at size that rests on them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harpagon.formulations.problem import ModuleProblem, pipeline_problems
from harpagon.instances.files.instances import read_instance
from harpagon.instances.instance import Configuration
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.exact.frontier import frontier
from harpagon.solvers.exact.module_generation import ModuleGeneration
from harpagon.solvers.exact.sampled_frontier import SampledFrontier
from harpagon.solvers.exact.schedule import ScheduleSearch
from harpagon.solvers.methods import solve
from harpagon.solvers.models.model_method import first_start
from harpagon.solvers.options import SolverOptions
from harpagon.solvers.result import Termination
from studies.growth.workloads import AXES

CASES = Path(__file__).parent.parent / "cases"
LATEST = 1.5
POLICIES = [Dispatch.TC, Dispatch.FREE, Dispatch.EDF, Dispatch.TC_SAFE, Dispatch.PER_CONFIG]


def module(seed: int) -> ModuleProblem:
    rng = random.Random(seed)
    profile = tuple(
        Configuration(f"gpu{i % 2}", 2**i, round(0.05 + 0.04 * 2**i * rng.uniform(0.7, 1.2), 3), 1.0 + 1.3 * (i % 2))
        for i in range(5)
    )
    return ModuleProblem("m", rng.uniform(5, 60), profile)


@given(st.integers(0, 10**6), st.sampled_from(POLICIES), st.lists(st.floats(0.1, 1e3), min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_prices_find_the_points_of_the_whole_frontier(seed: int, dispatch: Dispatch, prices: list[float]) -> None:
    """One after another, whatever was asked before: the least of cost + price x latency, and all within a margin."""
    problem = module(seed)
    earliest = min(c.duration for c in problem.configurations)
    sampled = SampledFrontier(ScheduleSearch(problem, Billing.WHOLE, dispatch), earliest, LATEST)
    cheapest = sampled.marks[0].cost
    whole = list(frontier(problem, LATEST, Billing.WHOLE, dispatch, cap=cheapest + 40.0))
    for second in prices:
        if second * LATEST > 40.0:
            continue
        least = min(point.cost + second * point.latency for point in whole)
        bound, point = sampled.least(second, 1e-9)
        assert point.cost + second * point.latency == pytest.approx(least)
        assert least - 1e-8 <= bound + 1e-9 <= least + 1e-8
        rough, _ = sampled.least(second, 0.5)
        assert rough <= least + 1e-8
        listed = {round(p.cost, 9) for p in sampled.within(second, least + 1.0)}
        assert listed >= {round(p.cost, 9) for p in whole if p.cost + second * p.latency <= least + 1.0 - 1e-7}


@given(st.integers(0, 10**6), st.sampled_from(POLICIES), st.lists(st.tuples(st.floats(0.1, 1e2), st.floats(0.3, 1.2))))
@settings(max_examples=40, deadline=None)
def test_a_shared_frontier_answers_for_modules_of_shorter_budgets(
    seed: int, dispatch: Dispatch, asked: list[tuple[float, float]]
) -> None:
    """As the frontier of each does that ends at its own latest budget, whatever the others asked before."""
    problem = module(seed)
    earliest = min(c.duration for c in problem.configurations)
    search = ScheduleSearch(problem, Billing.WHOLE, dispatch)
    shared = SampledFrontier(search, earliest, LATEST, is_shared=True)
    for second, latest in asked:
        own = SampledFrontier(ScheduleSearch(problem, Billing.WHOLE, dispatch), earliest, latest)
        bound, point = shared.least(second, 1e-9, high=latest)
        expected, _ = own.least(second, 1e-9)
        assert point is not None and point.latency <= latest
        assert point.cost + second * point.latency == pytest.approx(expected)
        assert bound == pytest.approx(expected)
        listed = [{round(p.cost, 9) for p in one.within(second, expected + 1.0, latest)} for one in (shared, own)]
        assert listed[0] == listed[1]


def test_equal_modules_share_a_frontier() -> None:
    """One frontier for each model of twenty modules in a row: whatever they run, the same requests reach them."""
    instance = AXES["modules in a chain"].workload(20, Billing.WHOLE, Dispatch.PACED)
    task = first_start(instance, Billing.WHOLE, Dispatch.PACED, SolverOptions()).task
    search = ModuleGeneration(task)
    search.run()
    models = {module.configurations for module in pipeline_problems(instance)[0].modules}
    assert len(search.frontiers) == len(models) < 20


@pytest.mark.parametrize("dispatch", [Dispatch.EDF, Dispatch.TC])
def test_sixty_configurations_a_module_are_proven(dispatch: Dispatch) -> None:
    """Frontiers alone ended at $787 against a bound of $238."""
    result = solve(read_instance(CASES / "sixty-configurations-dag.json"), "exact", Billing.WHOLE, dispatch)
    assert result.termination is Termination.OPTIMAL
    assert result.objective == pytest.approx(683.056)


def test_a_cut_off_frontier_proves_nothing() -> None:
    """What a time limit leaves is a plan and a bound below it, not a bound that equals it."""
    instance = read_instance(CASES / "sixty-configurations-dag.json")
    result = solve(instance, "exact", Billing.WHOLE, Dispatch.EDF, SolverOptions(time_limit=0.05))
    assert result.termination is Termination.FEASIBLE
    assert result.objective is not None and result.dual_bound < result.objective
    assert result.dual_bound <= 683.056 + 1e-6
