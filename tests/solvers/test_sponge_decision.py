"""Sponge's decision: three methods, one optimum; the rows by their definition."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harpagon.formulations.sponge.core_latency import SPONGE_REFIT
from harpagon.formulations.sponge.problem import SpongeProblem, SpongeVariant, interval_problem
from harpagon.heuristics.sponge import enumerate_sponge
from harpagon.instances.cpu.profile import CoreProfile, published_yolo_profile
from harpagon.solvers.result import Termination
from harpagon.solvers.sponge import solve_sponge, solve_sponge_cp_sat

SMALL = SPONGE_REFIT.profile("yolo", range(1, 7), (1, 2, 3, 5, 8))


@st.composite
def problems(draw: st.DrawFn) -> SpongeProblem:
    """Random decisions; times in 1/1024 s, so that a row is met or not in any solver's arithmetic."""
    cores = draw(st.lists(st.integers(1, 16), min_size=1, max_size=5, unique=True))
    batches = draw(st.lists(st.integers(1, 12), min_size=1, max_size=5, unique=True))
    durations = {(c, b): draw(st.integers(1, 512)) / 1024 for c in cores for b in batches}
    remaining = sorted(k / 1024 for k in draw(st.lists(st.integers(-200, 2048), max_size=20)))
    return SpongeProblem(
        profile=CoreProfile("random", durations),
        throughput=draw(st.sampled_from([0.0, 1.0, 20.0])),
        remaining=tuple(remaining),
        current_cores=draw(st.sampled_from([None, cores[0]])),
        change_cost=draw(st.sampled_from([0.0, 0.5, 3.0])),
    )


def is_met(problem: SpongeProblem, cores: int, batch: int) -> bool:
    """Whether the pair meets every row: the definition, read off row by row."""
    duration = problem.profile.durations[cores, batch]
    enough = batch >= problem.throughput * duration
    return enough and all((i // batch + 1) * duration <= left for i, left in enumerate(problem.remaining))


def by_definition(problem: SpongeProblem) -> float | None:
    """Smallest objective over the pairs that meet every row."""
    met = [problem.objective(c, b) for c, b in problem.profile.durations if is_met(problem, c, b)]
    return min(met, default=None)


@pytest.mark.parametrize("solve", [solve_sponge, solve_sponge_cp_sat])
@pytest.mark.parametrize("variant", SpongeVariant)
@pytest.mark.parametrize("rate", [5.0, 37.5])
@pytest.mark.parametrize("communication", [0.0, 0.3, 0.8, 1.1])
def test_models_agree_with_the_enumeration(solve, variant, rate, communication):
    problem = interval_problem(SMALL, rate, 1.0, communication, variant)
    result = solve(problem)
    assert result.plan == enumerate_sponge(problem)
    assert (result.termination is Termination.INFEASIBLE) == (result.plan is None)


@pytest.mark.parametrize("solve", [solve_sponge, solve_sponge_cp_sat])
def test_models_agree_on_a_queue_and_a_cost_of_change(solve):
    queue = [0.09, 0.12, 0.2, 0.2, 0.31, 0.5]
    for current in (1, 4, 6):
        problem = interval_problem(SMALL, 10.0, 1.0, 0.1, queue=queue, current_cores=current, change_cost=1.5)
        assert solve(problem).plan == enumerate_sponge(problem)


@given(problems())
def test_the_enumeration_finds_the_optimum_of_the_rows(problem):
    decision = enumerate_sponge(problem)
    expected = by_definition(problem)
    assert (decision and decision.objective) == expected
    assert decision is None or is_met(problem, decision.cores, decision.batch)


@settings(max_examples=15, deadline=None)
@given(problems())
def test_cp_sat_finds_the_optimum_of_the_rows(problem):
    """Up to 10 us by which its whole numbers may miss a row that is met with equality."""
    decision, expected = solve_sponge_cp_sat(problem).plan, by_definition(problem)
    slower = {key: duration + 1e-5 for key, duration in problem.profile.durations.items()}
    cautious = by_definition(replace(problem, profile=CoreProfile("slower", slower)))
    if decision is not None:
        assert expected is not None and decision.objective >= expected - 1e-6
    if cautious is not None:
        assert decision is not None and decision.objective <= cautious + 1e-6


def test_the_published_case():
    """100 req/s, cl_max 50 ms, whole SLO of 1 s: 5 cores and batch 10 (the refit; batch up to 10)."""
    profile = SPONGE_REFIT.profile("yolo", range(1, 17), range(1, 11))
    problem = interval_problem(profile, 100.0, 1.0, 0.05)
    for decision in (enumerate_sponge(problem), solve_sponge(problem).plan, solve_sponge_cp_sat(problem).plan):
        assert decision is not None
        assert (decision.cores, decision.batch) == (5, 10)


def test_the_published_code_keeps_a_tenth_of_the_slo():
    """The code's condition, ceil(rate / b) l(b, c) + cl_max <= 0.9 SLO, c outer and b inner, first pair found."""
    profile = SPONGE_REFIT.profile("yolo", range(1, 17), range(1, 17))
    for rate in (3.5, 20.0, 100.0, 117.0):
        for communication in (0.05, 0.4, 0.7):
            first = next(
                (
                    (c, b)
                    for c in range(1, 17)
                    for b in range(1, 17)
                    if -(-rate // b) * SPONGE_REFIT.duration(b, c) + communication <= 0.9
                ),
                None,
            )
            decision = enumerate_sponge(
                interval_problem(profile, rate, 1.0, communication, SpongeVariant.PUBLISHED_CODE)
            )
            assert (decision and (decision.cores, decision.batch)) == first


@given(st.floats(1, 120), st.floats(0, 0.9), st.floats(0, 0.09))
def test_less_time_left_never_takes_fewer_cores(rate, communication, more):
    profile = SPONGE_REFIT.profile("yolo", range(1, 17), range(1, 17))
    relaxed = enumerate_sponge(interval_problem(profile, rate, 1.0, communication))
    tight = enumerate_sponge(interval_problem(profile, rate, 1.0, communication + more))
    assert tight is None or (relaxed is not None and relaxed.cores <= tight.cores)


def test_the_published_code_ignores_the_queue():
    problem = interval_problem(SMALL, 5.0, 1.0, 0.1, SpongeVariant.PUBLISHED_CODE, queue=[0.01])
    assert len(problem.remaining) == 5
    assert enumerate_sponge(interval_problem(SMALL, 5.0, 1.0, 0.1, queue=[0.001])) is None


def test_the_measured_table_is_planned_on_its_own_points():
    problem = interval_problem(published_yolo_profile().within(16, 16), 100.0, 1.0, 0.05)
    decision = enumerate_sponge(problem)
    assert decision is not None
    assert (decision.cores, decision.batch) in published_yolo_profile().durations
    assert decision == solve_sponge(problem).plan


def test_a_change_must_pay():
    def decide(change_cost: float) -> int:
        problem = interval_problem(SMALL, 10.0, 1.0, 0.0, current_cores=3, change_cost=change_cost)
        decision = enumerate_sponge(problem)
        assert decision is not None
        return decision.cores

    free = decide(0.0)
    assert free < 3
    assert decide(3 - free - 0.01) == free
    assert decide(3 - free + 0.1) == 3
