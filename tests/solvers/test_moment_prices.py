"""Prices of moments, against enumeration of all choices of points."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable
from typing import Any

import pytest

from harpagon.formulations.bounds import smallest_latency
from harpagon.formulations.problem import pipeline_problems
from harpagon.graphs import PathNetwork, decompose
from harpagon.graphs.shapes import random_dag
from harpagon.instances.generate import random_instance
from harpagon.instances.instance import Instance
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.exact import pipeline, solve
from harpagon.solvers.exact.effort import Effort
from harpagon.solvers.exact.moment_prices import MomentPrices, Narrowed
from harpagon.solvers.exact.schedule import Point
from harpagon.solvers.exact.schedule_pool import SchedulePool
from harpagon.solvers.result import SolveInterrupted


def draw(seed: int) -> tuple[PathNetwork, list[list[Point]], float]:
    """A small pipeline with points of each module and an objective that some choice meets."""
    rng = random.Random(seed)
    graph = random_dag(rng.randint(2, 6), rng, density=0.5)
    for _, _, data in graph.edges(data=True):
        data["transfer"] = rng.choice((0.0, 0.0, rng.uniform(0, 1)))
    points = [[Point(rng.uniform(0.5, 4), rng.uniform(1, 9), ()) for _ in range(rng.randint(1, 4))] for _ in graph]
    network = PathNetwork.from_graph(graph)
    lengths = sorted(network.length([point.latency for point in choice]) for choice in itertools.product(*points))
    return network, points, rng.choice(lengths) * (1 + 1e-9)


@pytest.mark.parametrize("seed", range(40))
def test_the_bound_holds_and_no_point_of_a_better_choice_is_left_out(seed: int) -> None:
    network, points, slo = draw(seed)
    within = [choice for choice in itertools.product(*points) if network.length([p.latency for p in choice]) <= slo]
    costs = [sum(point.cost for point in choice) for choice in within]
    ceiling = min(costs) + random.Random(seed).choice((0.5, 5.0, 50.0))
    second = {edge: random.Random(seed).uniform(0, 2) for edge in MomentPrices(network, slo).edges}
    found = MomentPrices(network, slo).narrow(points, second, ceiling, 1e-6, Effort())
    assert found.bound <= min(costs) * (1 + 1e-12)
    assert found.ceiling >= min(costs) * (1 - 1e-12)
    if found.choice is not None:
        chosen = [own[k] for own, k in zip(points, found.choice, strict=True)]
        assert sum(point.cost for point in chosen) == pytest.approx(found.ceiling)
        assert network.length([point.latency for point in chosen]) <= slo * (1 + 1e-12)
    beyond = [dict(zip(own, costs, strict=True)) for own, costs in zip(points, found.beyond, strict=True)]
    for choice, cost in zip(within, costs, strict=True):
        if cost < found.ceiling - 1e-9:
            assert all(found.bound + own[point] <= cost + 1e-6 for own, point in zip(beyond, choice, strict=True))


def test_prices_of_moments_know_what_seconds_do_not() -> None:
    """Four modules one after the other, five seconds to save by two at a time: fractions cost 9, whole choices 10."""
    network = PathNetwork.from_graph(random_dag(4, random.Random(3), density=1.0))
    points = [[Point(3.0, 1.0, ()), Point(1.0, 3.0, ())] for _ in network.modules]
    found = MomentPrices(network, 7.0).narrow(points, {}, 100.0, 1e-6, Effort())
    assert found.bound == pytest.approx(10.0, rel=1e-6)
    assert found.ceiling == 10.0


def not_series_parallel(seed: int) -> Instance:
    """A pipeline of six modules with slack, which no expression of sums and maxima describes."""
    rng = random.Random(seed)
    while True:
        instance = random_instance(rng, shape="random", modules=(6, 6))
        (problem,) = pipeline_problems(instance)
        loosest = problem.network.length([smallest_latency(module, Dispatch.TC) for module in problem.modules])
        if decompose(problem.network) is None and loosest < problem.slo < math.inf:
            return instance


@pytest.fixture
def long_from_two_modules_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "LONG", 1)
    monkeypatch.setattr(solve, "LONG", 1)


@pytest.mark.parametrize("seed", range(3))
def test_long_pipelines_that_are_not_series_parallel_have_the_same_optimum(
    seed: int, request: pytest.FixtureRequest
) -> None:
    instance = not_series_parallel(seed)
    plan = solve.solve_exact(instance, Billing.WHOLE, Dispatch.TC).plan
    request.getfixturevalue("long_from_two_modules_on")
    by_moments = solve.solve_exact(instance, Billing.WHOLE, Dispatch.TC)
    assert plan is not None
    assert by_moments.plan is not None
    assert by_moments.plan.cost == pytest.approx(plan.cost)
    assert by_moments.dual_bound == pytest.approx(plan.cost)


def stopped_at(number: int, called: Callable[..., object]) -> Callable[..., object]:
    """``called``, with Ctrl-C pressed at its call of this number."""
    calls = itertools.count(1)

    def stopped(*given: object) -> object:
        if next(calls) == number:
            raise KeyboardInterrupt
        return called(*given)

    return stopped


def test_ctrl_c_in_a_sweep_keeps_what_it_found_by_then(monkeypatch: pytest.MonkeyPatch) -> None:
    network, points, slo = draw(3)
    passes = 2 * len(points)
    bounds = []
    for number in (1, passes, 10**9):
        with monkeypatch.context() as patch:
            patch.setattr(MomentPrices, "_pass_on", stopped_at(number, MomentPrices._pass_on))
            held = MomentPrices(network, slo).narrow(points, {}, 100.0, 1e-6, Effort())
        assert held.interrupted == (number < 10**9)
        chosen = [own[k].cost for own, k in zip(points, held.choice or (), strict=True)]
        assert held.ceiling == sum(chosen)
        bounds.append(held.bound)
    assert 0 < bounds[0] < bounds[1] <= bounds[2]


def test_sweeps_end_in_time_for_a_look_at_what_they_gained(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look takes five seconds here, to pass on what a moment costs one."""
    clock, looks = [0.0], []
    pass_on, evaluated = MomentPrices._pass_on, MomentPrices._evaluated

    def a_second_later(*given: Any) -> None:
        clock[0] += 1
        pass_on(*given)

    def five_seconds_later(*given: Any) -> Any:
        looks.append(evaluated(*given))
        clock[0] += 5
        return looks[-1]

    monkeypatch.setattr("time.perf_counter", lambda: clock[0])
    monkeypatch.setattr(MomentPrices, "_pass_on", a_second_later)
    monkeypatch.setattr(MomentPrices, "_evaluated", five_seconds_later)
    network, points, slo = draw(3)
    deadline = 10.0 + 2 * len(points)
    held = MomentPrices(network, slo).narrow(points, {}, 100.0, -1.0, Effort(deadline))
    first, last = looks
    assert clock[0] <= deadline + 1
    assert first[0] < last[0] == held.bound


@pytest.mark.parametrize(
    ("of", "name", "number"),
    [(MomentPrices, "_sweep", 2), (SchedulePool, "_chosen_by_highs", 1)],
    ids=["in a sweep", "after the sweeps"],
)
@pytest.mark.usefixtures("long_from_two_modules_on")
def test_ctrl_c_keeps_bound_and_plan_by_prices_of_moments(
    of: type, name: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The relaxation that they start from has a bound of $15.80."""
    narrowed, narrow = [], MomentPrices.narrow

    def kept(*given: Any) -> Narrowed:
        narrowed.append(narrow(*given))
        return narrowed[-1]

    monkeypatch.setattr(MomentPrices, "narrow", kept)
    monkeypatch.setattr(of, name, stopped_at(number, getattr(of, name)))
    with pytest.raises(SolveInterrupted) as caught:
        solve.solve_exact(not_series_parallel(32), Billing.WHOLE, Dispatch.TC)
    held, (found,) = caught.value.result, narrowed
    assert held.plan is not None and held.plan.cost <= found.ceiling * (1 + 1e-9)
    assert held.dual_bound == pytest.approx(found.bound) and found.bound > 17
