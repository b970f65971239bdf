"""What `harpagon plan` does on long solves: a plan to start from, progress, and Ctrl-C."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harpagon.cli import main
from harpagon.instances.library.shipped import resolve
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers import methods
from harpagon.solvers.options import SolverOptions
from harpagon.solvers.result import SolveInterrupted


def test_a_plan_to_start_from_is_used_or_refused_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start = str(tmp_path / "plan.json")
    arguments = ["plan", "worked-example", "--billing", "whole", "--dispatch", "tc"]
    assert main([*arguments, "--out", start]) == 0
    capsys.readouterr()
    assert main([*arguments, "--method", "compact", "--start", start, "--json"]) == 0
    certificate = json.loads(capsys.readouterr().out)
    assert certificate["cost_per_hour"] == pytest.approx(5.0)
    assert "used" in certificate["solver"]["options"]["start"]
    assert main(["plan", "worked-example", "--billing", "fractional", "--dispatch", "tc", "--start", start]) == 0
    assert "plan to start from: refused" in capsys.readouterr().out


def test_a_start_that_is_no_plan_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start = tmp_path / "plan.json"
    start.write_text('{"format": "harpagon-plan/1"')
    assert main(["plan", "worked-example", "--start", str(start)]) == 2
    assert str(start) in capsys.readouterr().err


@pytest.mark.parametrize("method", ["exact", "compact", "pattern", "cp-sat"])
def test_progress_tells_of_valid_bounds(method: str) -> None:
    instance = resolve("traffic-198rps")
    told: list[tuple[float, float]] = []
    best = methods.find_method("exact").run(instance, Billing.WHOLE, Dispatch.TC, SolverOptions()).plan
    assert best is not None
    options = SolverOptions(start=best, progress=lambda cost, bound: told.append((cost, bound)))
    result = methods.find_method(method).run(instance, Billing.WHOLE, Dispatch.TC, options)
    assert result.objective == pytest.approx(best.cost)
    assert all(bound <= best.cost * (1 + 1e-6) <= cost * (1 + 2e-6) for cost, bound in told)


def test_ctrl_c_shows_the_best_plan_so_far(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    held = methods.solve(resolve("worked-example"), "harpagon")

    def interrupted(*_: object) -> None:
        raise SolveInterrupted(held)

    monkeypatch.setattr(methods, "solve", interrupted)
    assert main(["plan", "worked-example"]) == 130
    printed = capsys.readouterr()
    assert "$5.0000/h" in printed.out
    assert "best plan so far" in printed.err
