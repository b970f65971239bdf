"""Trade-off curves: the same cost all along a step, another one beside it, and brute force in between."""

from __future__ import annotations

import json
import random
from itertools import islice, pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harpagon.cli import main
from harpagon.cli.exits import ExitCode
from harpagon.formulations.checker import check
from harpagon.instances.generate import random_instance
from harpagon.instances.library.shipped import worked_example
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.capabilities import UnsupportedError
from harpagon.solvers.enumeration.brute_force import solve_brute_force
from harpagon.solvers.exact.solve import solve_exact
from harpagon.solvers.sensitivity.changes import with_rates, with_slos
from harpagon.solvers.sensitivity.curve import rate_curve, slo_curve

if TYPE_CHECKING:
    from pathlib import Path

    from harpagon.instances.instance import Instance
    from harpagon.solvers.result import Result

EDGE = 1e-6
"""Relative distance from a step's end: beyond the tolerances, short of the next step."""


def at_slo(instance: Instance, factor: float) -> Instance:
    return with_slos(instance, {p.name: factor * p.slo for p in instance.pipelines})


def at_rate(instance: Instance, factor: float) -> Instance:
    return with_rates(instance, {p.name: factor * p.rate for p in instance.pipelines})


def exactly(instance: Instance) -> Result:
    return solve_exact(instance, Billing.WHOLE, Dispatch.TC)


def drawn(seed: int) -> Instance:
    rng = random.Random(seed)
    return random_instance(
        rng, pipelines=1 + seed % 2, modules=(1, 2), configurations=(1, 3), machines=2.0, tightness=(1.2, 2.0)
    )


def test_worked_example_by_hand() -> None:
    steps = list(slo_curve(worked_example(), exactly, 0.5, 2.0))
    # Five machines at b=32 collect a batch in 32 / 200 s after 0.8 s; no fewer machines serve 198 req/s.
    assert steps[0].cost == pytest.approx(5.0) and steps[0].high == 2.0
    assert steps[0].low <= 0.96 + 1e-9
    (rate,) = rate_curve(worked_example(), exactly, Billing.WHOLE, 0.9, 200 / 198)
    assert rate.cost == pytest.approx(5.0) and rate.high == pytest.approx(200 / 198)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000))
def test_slo_steps_adjoin_rise_and_agree_with_brute_force(seed: int) -> None:
    instance = drawn(seed)
    steps = list(slo_curve(instance, exactly, 0.9, 1.6))
    assert steps and steps[0].high == 1.6
    for looser, tighter in pairwise(steps):
        assert tighter.high == looser.low and tighter.cost > looser.cost
    rng = random.Random(seed)
    for step in rng.sample(steps, min(3, len(steps))):
        plan = step.result.plan
        assert plan is not None and check(with_slos(instance, {p.name: p.slo for p in plan.pipelines}), plan).ok
        for factor in (step.low, (step.low + step.high) / 2):
            result = solve_brute_force(at_slo(instance, factor), Billing.WHOLE, Dispatch.TC)
            assert result.objective == pytest.approx(step.cost)
        if step.low > 0.9:
            below = solve_brute_force(at_slo(instance, step.low * (1 - EDGE)), Billing.WHOLE, Dispatch.TC)
            assert below.objective is None or below.objective > step.cost * (1 + 1e-9)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000))
def test_rate_steps_adjoin_rise_and_agree_with_brute_force(seed: int) -> None:
    instance = drawn(seed)
    steps = list(rate_curve(instance, exactly, Billing.WHOLE, 0.5, 1.5))
    assert steps and steps[0].low == 0.5 and steps[-1].high == 1.5
    for lower, higher in pairwise(steps):
        assert higher.low == lower.high and higher.cost > lower.cost
    rng = random.Random(seed)
    for step in rng.sample(steps, min(3, len(steps))):
        for factor in (step.low * (1 + EDGE), (step.low + step.high) / 2, step.high):
            result = solve_brute_force(at_rate(instance, factor), Billing.WHOLE, Dispatch.TC)
            assert result.objective == pytest.approx(step.cost)


def test_fractional_billing_has_no_steps_over_the_rate() -> None:
    with pytest.raises(UnsupportedError, match="no step function"):
        next(rate_curve(worked_example(), exactly, Billing.FRACTIONAL, 0.5, 2.0))


def test_a_fractional_curve_ends_though_cost_falls_all_the_way() -> None:
    """Each step has the optimum at its tight end, and none is the step in time below another."""
    instance = worked_example()
    traced = slo_curve(instance, lambda changed: solve_exact(changed, Billing.FRACTIONAL, Dispatch.PACED), 0.75, 1.5)
    steps = list(islice(traced, 150))
    assert len(steps) < 105
    assert (steps[0].high, steps[-1].low) == (1.5, pytest.approx(0.75))
    assert all(looser.low == tighter.high and looser.cost < tighter.cost for looser, tighter in pairwise(steps))
    for step in steps[:6]:
        tight = solve_exact(at_slo(instance, step.low), Billing.FRACTIONAL, Dispatch.PACED)
        assert tight.objective == pytest.approx(step.cost)


def test_command_writes_tables_plans_and_figure(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "curves"
    arguments = ["curve", "worked-example", "--billing", "whole", "--out", str(folder), "--json"]
    assert main(arguments) == ExitCode.DONE
    document = json.loads(capfd.readouterr().out)
    assert document == json.loads((folder / "curves.json").read_text())
    assert document["complete"] and set(document["curves"]) == {"slo", "rate"}
    for over, steps in document["curves"].items():
        assert len((folder / f"{over}.csv").read_text().splitlines()) == len(steps) + 1
        assert all(step["plan"]["cost_per_hour"] == step["cost_per_hour"] for step in steps)
    assert (folder / "curves.png").stat().st_size > 1000


def test_interrupted_curve_keeps_its_steps(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    import harpagon.solvers.methods

    solved: list[Result] = []

    def few(instance: Instance, *_: object) -> Result:
        if len(solved) == 3:
            raise KeyboardInterrupt
        solved.append(exactly(instance))
        return solved[-1]

    monkeypatch.setattr(harpagon.solvers.methods, "solve", few)
    code = main(["curve", "worked-example", "--over", "slo", "--from", "0.2", "--billing", "whole", "--json"])
    document = json.loads(capfd.readouterr().out)
    assert code == ExitCode.INTERRUPTED
    assert not document["complete"] and 1 <= len(document["curves"]["slo"]) <= 3


@pytest.mark.parametrize("ends", [("0", "1"), ("2", "1"), ("1", "inf")])
def test_bad_range_is_a_usage_error(ends: tuple[str, str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["curve", "worked-example", "--from", ends[0], "--to", ends[1]]) == ExitCode.USAGE
    assert "from" in capfd.readouterr().err
