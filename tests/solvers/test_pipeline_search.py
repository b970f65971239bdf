"""The search of one pipeline: from a plan that is handed in, and under one surcharge after another."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from harpagon.formulations.problem import pipeline_problems
from harpagon.instances.generate import random_instance
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.exact.covers import Covers
from harpagon.solvers.exact.effort import Effort
from harpagon.solvers.exact.pipeline import PipelineSearch
from harpagon.solvers.exact.pipeline_generation import PipelineGeneration
from harpagon.solvers.exact.pricing import Pricing
from harpagon.solvers.models.model_method import first_start
from harpagon.solvers.options import SolverOptions
from studies.growth.workloads import AXES

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


@pytest.mark.parametrize("dispatch", [Dispatch.PACED, Dispatch.EDF])
def test_between_two_rounds_that_agree_a_pipeline_is_not_searched_again(dispatch: Dispatch) -> None:
    """What earlier surcharges tell of a pipeline at another one is its least charge there, for some of twelve."""
    instance = AXES["pipelines"].workload(12, Billing.WHOLE, dispatch)
    search = PipelineGeneration(first_start(instance, Billing.WHOLE, dispatch, SolverOptions()).task)
    told = 0
    for surcharge in (0.0, 0.9, 0.3, 0.25, 0.29, 0.3):
        covers = Covers(Pricing({"T4": surcharge}))
        known = search._known(covers.pricing)
        for q, priced in enumerate(search._price_all(covers.pricing.surcharges)):
            least = search._price_out(q, covers)[1]
            assert priced[1] == pytest.approx(least, rel=2e-9)
            assert priced[1] <= least * (1 + 1e-12)
            told += known[q] is not None
    assert 12 < told < 60
