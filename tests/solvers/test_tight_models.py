"""Models on tight objectives: no optimum is claimed beside which a cheaper plan stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from harpagon.instances.files.instances import read_instance
from harpagon.instances.policies import Dispatch
from harpagon.solvers.methods import solve
from harpagon.solvers.result import Termination

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
