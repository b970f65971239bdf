"""Branch and price: pricing within ranges of latency, and the optimum that listing finds."""

from __future__ import annotations

import math
import random

import pytest

from harpagon.formulations.planning.pattern import Column
from harpagon.formulations.problem import pipeline_problem
from harpagon.instances.generate import random_instance
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.exact import module_generation
from harpagon.solvers.exact.branching import Node, Range
from harpagon.solvers.exact.frontier import frontier, step_below
from harpagon.solvers.exact.sampled_frontier import SampledFrontier
from harpagon.solvers.exact.schedule import ScheduleSearch
from harpagon.solvers.exact.solve import solve_exact
from harpagon.solvers.result import Termination


@pytest.mark.parametrize("seed", range(12))
def test_within_a_range_the_least_is_that_of_the_frontiers_points_in_it(seed: int) -> None:
    rng = random.Random(seed)
    instance = random_instance(rng, modules=(1, 1), configurations=(2, 4), machines=12.0)
    problem = pipeline_problem(instance, instance.pipelines[0])
    module, slo = problem.modules[0], problem.slo
    points = list(frontier(module, slo, Billing.WHOLE, Dispatch.TC, cap=1e3))[:30]
    sampled = SampledFrontier(ScheduleSearch(module, Billing.WHOLE, Dispatch.TC), step_below(points[-1].latency), slo)
    for _ in range(12):
        second = rng.choice((0.0, 10.0, 300.0))
        low, high = sorted((rng.choice((0.0, *(p.latency for p in points))), rng.choice([p.latency for p in points])))
        high += 2e-10  # a search may miss a schedule that is exactly as slow as its budget
        within = [p.cost + second * p.latency for p in points if low < p.latency <= high]
        bound, point = sampled.least(second, 1e-9, low, high)
        if not within:
            assert point is None and bound == math.inf
        else:
            assert point is not None and low < point.latency <= high
            assert bound == pytest.approx(min(within))


def test_the_two_sides_of_a_split_lose_no_latency_and_no_side_has_the_mixture() -> None:
    quick, slow = Column(2.0, 0.1, (), ()), Column(1.0, 0.3, (), ())
    ranges = (Range(0.0, 0.5), Range(0.05, 0.4))
    node = Node(1.0, ranges, [[(1.0, quick)], [(0.5, quick), (0.5, slow)]])
    parts = node.split()
    assert parts is not None
    below, above = (part.ranges for part in parts)
    assert below[0] == above[0] == ranges[0]
    assert (below[1].low, above[1].high) == ranges[1]
    assert quick.latency < above[1].low < below[1].high < slow.latency


def test_branching_finds_the_optimum_that_listing_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    split, nodes = Node.split, []
    instances = [
        random_instance(random.Random(seed), modules=(2, 6), machines=8.0, tightness=(1.05, 2.5)) for seed in range(16)
    ]
    listed = [solve_exact(instance, Billing.WHOLE, Dispatch.TC) for instance in instances]
    monkeypatch.setattr("harpagon.solvers.exact.solve.LONG", 0)
    monkeypatch.setattr(module_generation, "_LONG", 0)
    monkeypatch.setattr(module_generation.SchedulePool, "close", None)
    monkeypatch.setattr(Node, "split", lambda node: nodes.append(node) or split(node))
    for instance, one in zip(instances, listed, strict=True):
        branched = solve_exact(instance, Billing.WHOLE, Dispatch.TC)
        assert branched.termination is one.termination is Termination.OPTIMAL
        assert branched.dual_bound == pytest.approx(one.dual_bound)
    assert len(nodes) > 10
