"""InferLine: from one quick machine type to cheaper plans, action by action."""

from __future__ import annotations

from dataclasses import replace

import networkx as nx
import pytest
from heuristic_cases import random_instances

from harpagon.formulations.checker import check
from harpagon.heuristics.baselines.inferline import plan_inferline
from harpagon.instances.instance import Configuration, Hardware, Instance, Pipeline
from harpagon.instances.policies import APART, Billing, Dispatch


def two_types(slo: float, limit: int | None = None) -> Instance:
    """One module at 30 req/s; the fast type serves 20 and 30 req/s a machine, the slow one 10 and 16."""
    profile = (
        Configuration("fast", 1, 0.05, 4.0),
        Configuration("fast", 3, 0.1, 4.0),
        Configuration("slow", 1, 0.1, 1.0),
        Configuration("slow", 4, 0.25, 1.0),
    )
    graph = nx.DiGraph()
    graph.add_node("only", model="model", join="all")
    types = {"fast": Hardware("fast", 4.0), "slow": Hardware("slow", 1.0, limit)}
    return Instance("types", Billing.WHOLE, types, {"model": profile}, (Pipeline("p", 30.0, slo, graph),))


def used(instance: Instance, billing: Billing = Billing.WHOLE) -> list[tuple[str, float]]:
    plan = plan_inferline(instance, billing)
    assert plan is not None
    return [(str(t.configuration), round(t.machines, 9)) for t in plan.pipelines[0].modules["only"].tuples]


def test_keeps_the_start_where_the_slo_allows_nothing_else() -> None:
    assert used(two_types(slo=0.1)) == [("fast b=1", 2)]


def test_a_tight_slo_leaves_a_larger_batch_or_cheaper_hardware() -> None:
    assert used(two_types(slo=0.2)) == [("slow b=1", 3)]
    assert used(two_types(slo=0.2, limit=0)) == [("fast b=3", 1)]


def test_a_loose_slo_allows_both() -> None:
    assert used(two_types(slo=0.5)) == [("slow b=4", 2)]
    assert used(two_types(slo=0.6), Billing.FRACTIONAL) == [("slow b=4", 1), ("slow b=4", 0.875)]


def test_none_below_the_start() -> None:
    assert plan_inferline(two_types(slo=0.099), Billing.WHOLE) is None


@pytest.mark.parametrize(("billing", "cost"), [(Billing.FRACTIONAL, 6 + 1 / 3), (Billing.WHOLE, 7.0)])
def test_worked_example(worked_example: Instance, billing: Billing, cost: float) -> None:
    plan = plan_inferline(worked_example, billing)
    assert plan is not None
    assert plan.dispatch is Dispatch.ROUND_ROBIN
    assert plan.cost == pytest.approx(cost)


@pytest.mark.parametrize("billing", list(APART))
def test_plans_stand_the_checker_with_one_configuration_a_module(billing: Billing) -> None:
    found = 0
    for instance in [*random_instances(80), *random_instances(80, pipelines=2, limits=True)]:
        plan = plan_inferline(instance, billing)
        if plan is not None:
            found += 1
            assert check(instance, plan).violations == ()
            for pipeline in plan.pipelines:
                assert all(len({t.configuration for t in m.tuples}) == 1 for m in pipeline.modules.values())
    assert found > 70


def test_a_looser_slo_keeps_a_plan() -> None:
    for instance in random_instances(40):
        (pipeline,) = instance.pipelines
        loose = replace(instance, pipelines=(replace(pipeline, slo=1.5 * pipeline.slo),))
        if plan_inferline(instance, Billing.WHOLE) is not None:
            assert plan_inferline(loose, Billing.WHOLE) is not None
