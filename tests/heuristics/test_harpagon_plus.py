"""harpagon+: plans that stand, never below the optimum, and closer to it than Harpagon's."""

from __future__ import annotations

import random
import statistics

import pytest

from harpagon.formulations.checker import check
from harpagon.formulations.problem import ModuleProblem
from harpagon.heuristics.harpagon.plan import plan_harpagon
from harpagon.heuristics.harpagon_plus.group_search import SearchEffort, search_groups
from harpagon.heuristics.harpagon_plus.plan import PLUS_ABLATIONS, plan_harpagon_plus, plan_plus_ablation
from harpagon.instances.generate import random_instance
from harpagon.instances.instance import Configuration
from harpagon.instances.library.benchmarks import benchmark_path, read_benchmarks
from harpagon.instances.library.suites import suite_workloads
from harpagon.instances.policies import APART, Billing, Dispatch
from harpagon.solvers.methods import METHODS, solve
from studies.benchmarks import AGREEMENT

SAMPLE = random.Random(7).sample(suite_workloads("paper"), 30)
OPTIMA = {one.case: one.best for one in read_benchmarks(benchmark_path("paper"))}


@pytest.mark.parametrize("billing", APART)
def test_plans_stand_and_are_nearer_to_the_optimum_than_harpagons(billing: Billing) -> None:
    gaps, others = [], []
    for workload in SAMPLE:
        instance = workload.instance()
        plan, other = plan_harpagon_plus(instance, billing), plan_harpagon(instance, billing)
        assert plan is not None and other is not None
        assert check(instance, plan).violations == ()
        optimum = OPTIMA[workload.name, billing, Dispatch.FREE]
        assert plan.cost >= optimum * (1 - AGREEMENT[billing])
        gaps.append(plan.cost / optimum - 1)
        others.append(other.cost / optimum - 1)
    assert statistics.fmean(gaps) < statistics.fmean(others)
    assert sum(gap < 1e-3 for gap in gaps) >= len(gaps) - 1


@pytest.mark.parametrize("name", PLUS_ABLATIONS)
def test_ablations_are_methods_whose_plans_stand(name: str) -> None:
    assert name in METHODS
    for workload in SAMPLE[:6]:
        instance = workload.instance()
        plan = plan_plus_ablation(instance, Billing.FRACTIONAL, name)
        assert plan is not None and check(instance, plan).ok


@pytest.mark.parametrize("billing", APART)
def test_random_instances_with_and_without_limits(billing: Billing) -> None:
    """Where there is a plan at all, it passes the checker, which counts limited machines too."""
    rng = random.Random(3)
    planned = 0
    for _ in range(40):
        instance = random_instance(rng, modules=(1, 4))
        plan = plan_harpagon_plus(instance, billing)
        if plan is not None:
            planned += 1
            assert check(instance, plan).violations == ()
    assert planned > 20


def test_the_worked_example_is_solved(worked_example) -> None:  # type: ignore[no-untyped-def]
    assert solve(worked_example, "harpagon+", Billing.FRACTIONAL).objective == pytest.approx(5.0)


def test_free_order_may_put_the_worse_ratio_first() -> None:
    """A big batch that can only be collected from the whole rate must stand first, whatever its ratio."""
    slow = Configuration("big", 40, 0.5, 2.0)  # 80 req/s, ratio 40
    quick = Configuration("small", 4, 0.08, 1.0)  # 50 req/s, ratio 50
    module = ModuleProblem("m", 130.0, (quick, slow))
    budget = 0.5 + 40 / 130 + 1e-9
    free = search_groups(module, budget, Billing.WHOLE, Dispatch.FREE, SearchEffort(), 1e9)
    tc = search_groups(module, budget, Billing.WHOLE, Dispatch.TC, SearchEffort(), 1e9)
    assert free is not None and tc is not None
    assert free.latency <= budget + 1e-9 and tc.latency <= budget + 1e-9
    assert free.cost <= tc.cost


@pytest.mark.parametrize(("billing", "cost"), [(Billing.FRACTIONAL, 1.75), (Billing.WHOLE, 2.0)])
def test_full_machines_may_exceed_the_rate_where_batches_need_it(billing: Billing, cost: float) -> None:
    """One big machine serves all of 90 req/s, but its batch needs 110: a small machine beside it is the cheapest."""
    big = Configuration("big", 20, 0.2, 1.5)  # 100 req/s
    small = Configuration("small", 1, 0.05, 0.5)  # 20 req/s
    module = ModuleProblem("m", 90.0, (big, small))
    budget = 0.2 + 20 / 110  # 10 req/s beside the big machine: half of the small one
    found = search_groups(module, budget, billing, Dispatch.FREE, SearchEffort(), 1e9)
    assert found is not None and found.latency <= budget + 1e-9
    assert [part.configuration for part in found.tuples] == [big, small]
    assert found.cost == pytest.approx(cost)


@pytest.mark.parametrize("billing", APART)
@pytest.mark.parametrize("dispatch", [Dispatch.TC, Dispatch.FREE])
def test_searched_schedules_keep_their_budget_and_their_cap(billing: Billing, dispatch: Dispatch) -> None:
    rng = random.Random(19)
    for _ in range(60):
        profile = tuple(
            Configuration(kind, batch, batch / rng.uniform(20, 200), rng.uniform(0.5, 4))
            for kind in ("a", "b")
            for batch in (1, 4, 16)
        )
        module = ModuleProblem("m", rng.uniform(5, 800), tuple(sorted(profile, key=lambda c: -c.ratio)))
        budget = rng.uniform(1.05, 4) * min(c.duration for c in profile)
        found = search_groups(module, budget, billing, dispatch, SearchEffort(), 1e9)
        assert found is not None
        assert found.latency <= budget + 1e-9
        assert sum(part.rate for part in found.tuples) >= module.rate * (1 - 1e-9)
        assert search_groups(module, budget, billing, dispatch, SearchEffort(), found.cost * 0.9) is None
