"""The ablations: costs on the worked example, valid plans, and what they cost on average."""

from __future__ import annotations

from statistics import mean

import pytest
from heuristic_cases import random_instances

from harpagon.formulations.checker import check
from harpagon.formulations.physics import COST_TOLERANCE
from harpagon.heuristics.harpagon.ablations import ABLATIONS, plan_ablation
from harpagon.heuristics.harpagon.plan import HarpagonOptions, plan_harpagon
from harpagon.instances.instance import Instance
from harpagon.instances.policies import APART, Billing

WORKED_EXAMPLE = {"harp-2d": (6.3, 7.0), "harp-nb": (9.9, 10.0), "harp-nd": (5.3, 6.0)}
"""Fractional and whole cost where it is not 5.0; 6.3 and 5.3 are the paper's own figures [R]."""


def test_distinct_ablations_each_unlike_the_whole_heuristic() -> None:
    options = [*ABLATIONS.values(), HarpagonOptions()]
    assert len(ABLATIONS) == 17
    assert len(set(options)) == 18


@pytest.mark.parametrize("name", ABLATIONS)
def test_worked_example(worked_example: Instance, name: str) -> None:
    expected = WORKED_EXAMPLE.get(name, (5.0, 5.0))
    for billing, cost in zip((Billing.FRACTIONAL, Billing.WHOLE), expected, strict=True):
        plan = plan_ablation(worked_example, billing, name)
        assert plan is not None
        assert plan.cost == pytest.approx(cost)
        assert check(worked_example, plan).violations == ()


@pytest.mark.parametrize("name", ABLATIONS)
def test_plans_stand_the_checker(name: str) -> None:
    for instance in random_instances(40):
        for billing in APART:
            plan = plan_ablation(instance, billing, name)
            assert plan is None or check(instance, plan).violations == ()


def cost_ratios(name: str) -> list[float]:
    """Cost of an ablation over that of the whole heuristic, where both find a plan."""
    ratios = []
    for instance in random_instances(80):
        for billing in APART:
            plan, whole = plan_ablation(instance, billing, name), plan_harpagon(instance, billing)
            if plan is not None and whole is not None:
                ratios.append(plan.cost / whole.cost)
    assert len(ratios) > 50
    return ratios


@pytest.mark.parametrize("name", ["harp-0re", "harp-1re", "harp-ncd"])
def test_dropping_a_part_that_only_improves_never_saves(name: str) -> None:
    ratios = cost_ratios(name)
    assert min(ratios) >= 1 - COST_TOLERANCE
    assert max(ratios) > 1 or name == "harp-1re"


def test_brute_force_over_splits_is_never_dearer_than_any_splitter_with_the_same_scheduler() -> None:
    """Where residuals are padded it samples the splits, and is never dearer than the heuristic itself."""
    for name in ("harp-1cs", "harp-0re", "harp-tb", "harp-q0.01", "harp-nnm", "harp-ncd", "harp-bf"):
        whole = HarpagonOptions() if name == "harp-bf" else ABLATIONS[name]
        ratios = []
        for instance in random_instances(30):
            for billing in APART if name == "harp-bf" else (Billing.WHOLE,):
                plan, best = plan_harpagon(instance, billing, whole), plan_ablation(instance, billing, "harp-bf")
                if plan is not None:
                    assert best is not None
                    ratios.append(plan.cost / best.cost)
        assert min(ratios) >= 1 - COST_TOLERANCE
        assert max(ratios) > 1


@pytest.mark.parametrize(
    "name", ["harp-2d", "harp-dt", "harp-1c", "harp-nb", "harp-nhc", "harp-nhe", "harp-nd", "harp-tb"]
)
def test_dropping_a_part_costs_on_average(name: str) -> None:
    assert mean(cost_ratios(name)) > 1
