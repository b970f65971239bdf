"""Schedules of a pool: what is listed within caps, what a mixture is rounded to, and how a choice is made."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harpagon.formulations.planning.pattern import pattern_program
from harpagon.graphs import PathNetwork
from harpagon.instances.generate import random_instance
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.exact.branching import mixtures
from harpagon.solvers.exact.frontier import frontier
from harpagon.solvers.exact.schedule_pool import SchedulePool
from harpagon.solvers.exact.solve import solve_exact
from harpagon.solvers.models.highs import solve_relaxation
from harpagon.solvers.models.model_method import first_start
from harpagon.solvers.options import SolverOptions
from harpagon.solvers.result import Termination

if TYPE_CHECKING:
    from harpagon.instances.instance import Instance


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([Dispatch.TC, Dispatch.EDF]), st.data())
def test_rising_caps_keep_every_schedule_within_its_own(seed: int, dispatch: Dispatch, data: st.DataObject) -> None:
    """Of whole billing: in fractional billing costs are curves, and structures are listed instead."""
    instance = random_instance(random.Random(seed))
    limited = {name: replace(hardware, limit=1_000) for name, hardware in instance.hardware.items()}
    task = first_start(replace(instance, hardware=limited), Billing.WHOLE, dispatch, SolverOptions()).task
    pool = SchedulePool(task)
    dear = 1.5 * task.budget
    everything = [pool.column(0, point.schedule) for point in pool.distinct_points(0, {}, [(0.0, dear)])]
    probe = data.draw(st.sampled_from(sorted({column.latency for column in everything})))
    cheap = data.draw(st.floats(0.0, dear))
    listed = [pool.column(0, point.schedule) for point in pool.distinct_points(0, {}, [(probe, cheap), (0.0, dear)])]
    for column in everything:
        if column.cost <= (cheap if column.latency > probe else dear):
            assert any(
                other.cost <= column.cost + 1e-9
                and other.latency <= column.latency + 1e-9
                and all(used <= most + 1e-9 for used, most in zip(other.usage, column.usage, strict=True))
                for other in listed
            )


def long_tree(seed: int) -> Instance:
    return random_instance(random.Random(seed), shape="tree", modules=(18, 24), tightness=(1.3, 2.0))


@pytest.mark.parametrize("seed", range(4))
def test_a_long_tree_is_composed_to_the_optimum_that_highs_chooses(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    instance = long_tree(seed)
    with monkeypatch.context() as patch:
        patch.setattr(SchedulePool, "_composed", lambda *_: None)
        chosen = solve_exact(instance, Billing.WHOLE, Dispatch.TC)
    monkeypatch.setattr(SchedulePool, "_chosen_by_highs", None)
    composed = solve_exact(instance, Billing.WHOLE, Dispatch.TC)
    assert chosen.termination is composed.termination is Termination.OPTIMAL
    assert composed.dual_bound == pytest.approx(chosen.dual_bound)


def full_pool(instance: Instance, budget: float) -> SchedulePool:
    """Every schedule of the frontiers within ``budget``, and no plan."""
    task = replace(first_start(instance, Billing.WHOLE, Dispatch.TC, SolverOptions()).task, budget=budget)
    task.incumbent.plan = None
    pool = SchedulePool(task)
    for m, module in enumerate(pool.data.modules):
        for point in frontier(module, pool.latest(m), Billing.WHOLE, Dispatch.TC, budget):
            pool.add(m, pool.column(m, point.schedule))
    return pool


@pytest.mark.parametrize("seed", range(6))
def test_a_composition_looks_as_far_as_the_budget_reaches(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However bad the prices are that it is given: what it does not find there is no plan."""
    instance = random_instance(random.Random(seed), shape="tree", modules=(5, 7), tightness=(1.1, 1.5))
    optimum = solve_exact(instance, Billing.WHOLE, Dispatch.TC).objective
    assert optimum is not None
    monkeypatch.setattr(SchedulePool, "_chosen_by_highs", None)
    pool = full_pool(instance, optimum * 1.01)
    found = pool.choose(0.0, [0.0] * len(pool.columns))
    assert found.termination is Termination.OPTIMAL
    assert found.dual_bound == pytest.approx(optimum)
    pool = full_pool(instance, optimum * 0.99)
    assert pool.choose(0.0, [0.0] * len(pool.columns)).termination is Termination.INFEASIBLE


@pytest.mark.parametrize("seed", [0, 5])
def test_a_mixture_of_the_master_is_rounded_to_a_plan_not_much_dearer(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = random_instance(random.Random(seed), shape="tree", modules=(18, 24), machines=10, tightness=(0.75, 0.9))
    pool = full_pool(instance, first_start(instance, Billing.WHOLE, Dispatch.TC, SolverOptions()).task.budget)
    relaxation = solve_relaxation(pattern_program(pool.pattern()), SolverOptions())
    assert relaxation is not None
    known = [list(columns.values()) for columns in pool.columns]
    mixed = mixtures(known, relaxation.values)
    passes, tails = [], PathNetwork.tails
    monkeypatch.setattr(PathNetwork, "tails", lambda *given: passes.append(1) or tails(*given))
    pool.round(known, mixed)
    assert len(passes) == 1, "not one for every module that mixes"
    cost, quickest = pool.task.incumbent.cost, [min(column.latency for _, column in own) for own in mixed]
    quick = [min(column.cost for column in own if column.latency == q) for own, q in zip(known, quickest, strict=True)]
    assert relaxation.value <= cost * (1 + 1e-9) < sum(quick)
    assert cost <= 1.05 * relaxation.value
