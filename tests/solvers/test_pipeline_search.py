"""The search of one pipeline from a plan that is handed in."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from harpagon.formulations.problem import pipeline_problems
from harpagon.instances.generate import random_instance
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.exact.effort import Effort
from harpagon.solvers.exact.pipeline import PipelineSearch
from harpagon.solvers.options import SolverOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.formulations.problem import PipelineProblem
    from harpagon.solvers.exact.schedule import Point


def searched(problem: PipelineProblem, start: Sequence[Point] = ()) -> tuple[float, float, Sequence[Point]]:
    search = PipelineSearch(problem, Billing.WHOLE, Dispatch.TC, SolverOptions(), Effort(), start=start)
    found = search.run()
    assert found.plan is not None
    return found.plan.cost, found.dual_bound, found.plan.points


@pytest.mark.parametrize("seed", range(8))
def test_any_plan_to_start_from_leads_to_the_optimum(seed: int) -> None:
    (problem,) = pipeline_problems(random_instance(random.Random(seed)))[:1]
    cost, bound, points = searched(problem)
    shortest = PipelineSearch(problem, Billing.WHOLE, Dispatch.TC, SolverOptions(), Effort())
    quick = [
        search.cheapest(point.latency * 0.95) or point for search, point in zip(shortest.searches, points, strict=True)
    ]
    cheap = [search.cheapest(2 * problem.slo) for search in shortest.searches]
    for start in (points, quick, cheap):
        assert searched(problem, [point for point in start if point is not None])[:2] == pytest.approx((cost, bound))
