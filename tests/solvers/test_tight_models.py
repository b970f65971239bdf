"""Models on tight objectives: no optimum is claimed beside which a cheaper plan stands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harpagon.instances.files.instances import read_instance
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.methods import METHODS, find_method, solve
from harpagon.solvers.result import Termination
from studies.agreement import Sample

CASES = Path(__file__).parent.parent / "cases"
MODELS = ["compact", "levels", "disjunctive-bigm", "disjunctive-hull"]


@pytest.mark.filterwarnings("ignore::harpagon.HarpagonWarning")
@pytest.mark.parametrize("method", MODELS)
def test_slopes_of_tangents_are_not_dropped(method: str) -> None:
    """At 36,586 req/s the slope of a tangent is 7.5e-10; without it $3328.80 was claimed."""
    instance = read_instance(CASES / "tight-slo-hull-too-dear.json")
    result = solve(instance, method, dispatch=Dispatch.PER_CONFIG)
    assert result.termination is Termination.OPTIMAL
    assert result.objective == pytest.approx(3284.97936)


@pytest.mark.parametrize("method", [*MODELS, "pattern", "exact"])
def test_three_equal_modules_have_their_optimum(method: str) -> None:
    result = solve(read_instance(CASES / "three-equal-modules.json"), method, dispatch=Dispatch.TC)
    assert result.termination is Termination.OPTIMAL
    assert result.objective == pytest.approx(1786)


@pytest.mark.parametrize("method", ["exact", "pattern", "compact", "levels"])
@pytest.mark.parametrize(
    ("number", "billing", "dispatch"),
    [
        (4, Billing.WHOLE, Dispatch.TC_SAFE),
        (10, Billing.WHOLE, Dispatch.PACED),
        (10, Billing.FRACTIONAL, Dispatch.PACED),
    ],
)
def test_an_objective_within_the_tolerance_is_met(
    method: str, number: int, billing: Billing, dispatch: Dispatch
) -> None:
    """4e-10 s below what the cheapest plan takes: every search grants half of the checker's tolerance."""
    if (billing, dispatch) not in METHODS[method].capabilities.cases:
        return
    drawn = Sample(77, 1, shapes=("chain",), machines=2.0, modules=2, family="tight").draw(number)
    plan = solve(drawn, "brute-force", billing, dispatch).plan
    assert plan is not None
    pipelines = [replace(p, slo=q.latency - 4e-10) for p, q in zip(drawn.pipelines, plan.pipelines, strict=True)]
    result = find_method(method).run(replace(drawn, pipelines=tuple(pipelines)), billing, dispatch)
    assert result.objective == pytest.approx(plan.cost)


@pytest.mark.parametrize("number", [3, 10, 13])
def test_a_proof_does_not_hang_on_the_unit_of_time(number: int) -> None:
    """Of latencies of less than a millisecond the tolerance is a millionth: plans use what bounds grant."""
    instance = Sample(3, 1, shapes=("chain",), machines=2.0, family="short").draw(number)
    result = solve(instance, "exact", Billing.FRACTIONAL, Dispatch.TC)
    assert result.termination is Termination.OPTIMAL
