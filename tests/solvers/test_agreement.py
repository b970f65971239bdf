"""Every exact method agrees with brute force: a small set of what ``python -m studies.agreement`` runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harpagon.graphs.shapes import SHAPES
from harpagon.instances.policies import APART, Billing, Dispatch
from harpagon.solvers.methods import METHODS
from harpagon.solvers.result import Termination
from studies.agreement import Sample, Tally, compare, main
from studies.families import FAMILIES


def tally(sample: Sample, method: str, dispatches: list[Dispatch]) -> Tally:
    counts = Tally()
    cases = [(billing, dispatch) for billing in APART for dispatch in dispatches]
    for _ in compare(sample, [method], cases, counts):
        pass
    return counts


@pytest.mark.parametrize("dispatch", Dispatch)
def test_exact_agrees_on_every_shape(dispatch: Dispatch) -> None:
    counts = tally(Sample(1, 4 * len(SHAPES)), "exact", [dispatch])
    assert counts.disagreements == []
    billings = sum((billing, dispatch) in METHODS["exact"].capabilities.cases for billing in APART)
    assert sum(counts.agreed.values()) + counts.refused == 4 * len(SHAPES) * billings
    assert counts.refused <= 6
    assert {key[3] for key in counts.agreed} == set(SHAPES)


@pytest.mark.parametrize(
    ("method", "pipelines"),
    [("compact", 1), ("levels", 1), ("disjunctive-bigm", 1), ("disjunctive-hull", 1), ("cp-sat", 2), ("pattern", 2)],
)
def test_formulations_agree_with_and_without_limits(method: str, pipelines: int) -> None:
    counts = tally(Sample(2, 4, pipelines=pipelines, limits=True), method, list(Dispatch))
    assert counts.disagreements == []
    supported = len(METHODS[method].capabilities.cases)
    assert sum(counts.agreed.values()) >= max(supported, 3 * supported - counts.refused)
    assert sum(counts.unsupported.values()) >= 4 * (len(APART) * len(Dispatch) - supported)


@pytest.mark.parametrize("family", FAMILIES)
def test_exact_agrees_on_tight_and_odd_families(family: str) -> None:
    counts = Tally()
    sample = Sample(4, 10, pipelines=2, limits=True, machines=2.0, modules=3, family=family)
    cases = [(Billing.WHOLE, dispatch) for dispatch in (Dispatch.TC, Dispatch.EDF, Dispatch.PACED)]
    assert all(number >= 0 for number in compare(sample, ["exact"], cases, counts))
    assert counts.disagreements == []
    assert sum(counts.agreed.values()) + counts.refused == 30
    assert sum(counts.agreed.values()) >= 15


def test_a_disagreement_is_reported_with_its_reproducer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    right = METHODS["exact"]

    def wrong(*case: object) -> object:
        return replace(right.runner(*case), termination=Termination.FEASIBLE)  # type: ignore[arg-type]

    monkeypatch.setitem(METHODS, "exact", replace(right, runner=wrong))  # type: ignore[arg-type]
    arguments = ["--seed", "7", "--instances", "2", "--methods", "exact", "--billing", "whole", "--dispatch", "tc"]
    assert main(arguments) == 1
    output = " ".join(capsys.readouterr().out.split())
    assert "exact: --family usual --seed 7, instance 1, whole billing, tc dispatch: feasible at" in output


def test_the_command_counts_agreements(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--instances", "3", "--methods", "compact", "--billing", "whole"]) == 0
    assert "3 agree with brute-force, 0 disagree, 0 stopped in time, 3 not supported" in " ".join(
        capsys.readouterr().out.split()
    )
