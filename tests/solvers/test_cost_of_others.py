"""What the other modules of a pipeline cost at least, once one module takes its time."""

from __future__ import annotations

import random
from itertools import product

import pytest

from harpagon.formulations.bounds import smallest_latency
from harpagon.formulations.physics import TIME_TOLERANCE
from harpagon.formulations.problem import PipelineProblem, pipeline_problem
from harpagon.graphs import decompose
from harpagon.instances.generate import random_instance
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.exact.effort import Effort
from harpagon.solvers.exact.frontier import frontier
from harpagon.solvers.exact.pipeline import PipelineSearch
from harpagon.solvers.exact.schedule import Point
from harpagon.solvers.options import DEFAULT_OPTIONS


def search_of(seed: int) -> PipelineSearch:
    instance = random_instance(random.Random(seed), modules=(2, 4), tightness=(1.05, 2.5))
    problem = pipeline_problem(instance, instance.pipelines[0])
    return PipelineSearch(problem, Billing.WHOLE, Dispatch.TC, DEFAULT_OPTIONS, Effort())


def least(problem: PipelineProblem, frontiers: list[list[Point]], module: int, latency: float) -> float:
    """By enumeration of the frontiers of all modules but one; infinity where none is left to choose."""
    chosen = [[Point(latency, 0.0, ())] if m == module else points for m, points in enumerate(frontiers)]
    plans = (
        sum(point.cost for point in points)
        for points in product(*chosen)
        if problem.network.length([point.latency for point in points]) <= problem.slo + TIME_TOLERANCE
    )
    return min(plans, default=float("inf"))


@pytest.mark.parametrize("seed", range(24))
def test_the_others_cost_what_enumeration_says_or_what_the_frontiers_leave_out(seed: int) -> None:
    search = search_of(seed)
    problem, found = search.problem, search.run()
    ends, bound = found.plan.frontiers, found.dual_bound
    floor = sum(points[0].cost for points in ends)
    excess = bound - floor
    shortest = [smallest_latency(module, search.dispatch) for module in problem.modules]
    slacks = [search.slo - length for length in problem.network.path_lengths(shortest)]
    frontiers = [
        list(frontier(module, own + slack, search.billing, search.dispatch, points[0].cost + 1.5 * excess))
        for module, own, slack, points in zip(problem.modules, shortest, slacks, ends, strict=True)
    ]
    for module, points in enumerate(ends):
        others = floor - points[0].cost
        for latency in (0.0, *(point.latency for point in frontiers[module]), search.slo, 1.1 * search.slo):
            expected = others
            if decompose(problem.network) is not None and latency <= search.slo:
                expected = min(others + excess, least(problem, frontiers, module, latency))
            assert search.cost_of_others(module, latency, ends, bound) == pytest.approx(expected), (module, latency)
