"""What the commands answer, on the worked example and on shipped workloads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from harpagon.cli import main
from harpagon.cli.exits import ExitCode
from harpagon.solvers.methods import METHODS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Answer = Callable[..., Any]

TIGHT = "traffic-198rps-46ms"
"""Above every batch duration, below what any number of machines can reach: 24.46 + 21.98 ms."""


@pytest.fixture
def answer(capfd: pytest.CaptureFixture[str]) -> Answer:
    """Run one command with ``--json`` and return its document."""

    def run(*arguments: str, code: ExitCode = ExitCode.DONE) -> Any:
        assert main([*arguments, "--json"]) == code
        return json.loads(capfd.readouterr().out)

    return run


@pytest.mark.parametrize(
    ("method", "cost"), [("harp-2d", 6.3), ("harp-nd", 5.3), ("harpagon", 5.0), ("exact", 5.0), ("brute-force", 5.0)]
)
def test_worked_example_costs_what_the_paper_says(method: str, cost: float, answer: Answer) -> None:
    assert answer("plan", "worked-example", "--method", method)["cost_per_hour"] == pytest.approx(cost)


@pytest.mark.parametrize("billing", ["whole", "fractional"])
@pytest.mark.parametrize("dispatch", ["tc", "free"])
def test_optimum_of_the_worked_example_is_5_everywhere(billing: str, dispatch: str, answer: Answer) -> None:
    document = answer("plan", "worked-example", "--billing", billing, "--dispatch", dispatch)
    assert document["cost_per_hour"] == document["lower_bound"] == pytest.approx(5.0)
    assert (document["status"], document["billing"], document["dispatch"]) == ("optimal", billing, dispatch)


@pytest.mark.parametrize("method", [name for name in METHODS if name != "brute-force"])
def test_every_method_plans_a_shipped_workload_and_passes_the_check(
    method: str, answer: Answer, tmp_path: Path
) -> None:
    plan = tmp_path / "plan.json"
    billing = METHODS[method].capabilities.billings[0]
    planned = answer("plan", "tts-50rps-900ms", "--method", method, "--billing", billing, "--out", str(plan))
    checked = answer("check", "tts-50rps-900ms", str(plan))
    assert checked["ok"] and checked["cost_per_hour"] == pytest.approx(planned["cost_per_hour"])


def test_drawing_names_rates_tuples_and_costs_of_every_module(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "pose-198rps-900ms"]) == ExitCode.DONE
    drawing = capfd.readouterr().out
    for words in ("detect", "appearance", "keypoints", "classify", "198 req/s", "297 req/s", "from detect x 1.5"):
        assert words in drawing
    assert drawing.count("╭─ ") == 4 and drawing.count("▼") == 3
    assert "optimal: no plan costs less than" in drawing


def test_check_names_every_broken_rule(answer: Answer, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    answer("plan", "worked-example", "--out", str(path))
    document = json.loads(path.read_text())
    document["cost_per_hour"] = 3.5
    document["pipelines"][0]["modules"]["detect"]["tuples"][0]["machines"] = 4
    path.write_text(json.dumps(document))
    report = answer("check", "worked-example", str(path), code=ExitCode.CHECK_FAILED)
    messages = " ".join(violation["message"] for violation in report["violations"])
    assert "too little capacity" in messages and "claims cost_per_hour 3.5, recomputed 4" in messages


def test_plan_without_a_plan_explains_and_ends_with_1(answer: Answer, capfd: pytest.CaptureFixture[str]) -> None:
    document = answer("plan", TIGHT, code=ExitCode.NO_PLAN)
    assert document["status"] == "infeasible" and document["cost_per_hour"] is None
    assert document["explanation"]["pipelines"][0]["feasible"] is False
    assert main(["plan", TIGHT]) == ExitCode.NO_PLAN
    assert "no plan" in capfd.readouterr().out


def test_heuristic_without_a_plan_claims_no_proof(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", TIGHT, "--method", "harpagon"]) == ExitCode.NO_PLAN
    assert "does not prove that there is none" in capfd.readouterr().out


def test_explain_of_a_feasible_instance_names_the_critical_path(answer: Answer) -> None:
    document = answer("explain", "traffic-198rps-350ms")
    assert document["feasible"] is True
    assert document["critical_paths"]["traffic"][0][0] == "detect"


def test_instances_made_from_a_seed_are_the_same_and_can_be_planned(answer: Answer, tmp_path: Path) -> None:
    for folder in ("first", "second"):
        arguments = ["instances", "make", "--seed", "5", "--shape", "diamond", "--count", "3"]
        assert main([*arguments, "--out", str(tmp_path / folder)]) == ExitCode.DONE
    first, second = (sorted((tmp_path / folder).iterdir()) for folder in ("first", "second"))
    assert len(first) == 3
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert answer("plan", str(first[0]))["status"] == "optimal"


def test_instance_shown_as_a_file_plans_to_the_same_cost(answer: Answer, tmp_path: Path) -> None:
    path = tmp_path / "copy.json"
    path.write_text(json.dumps(answer("instances", "show", "traffic-198rps-350ms")))
    costs = {answer("plan", name)["cost_per_hour"] for name in ("traffic-198rps-350ms", str(path))}
    assert len(costs) == 1


def test_a_suite_is_listed_with_its_optima_and_best_heuristics(
    answer: Answer, capfd: pytest.CaptureFixture[str]
) -> None:
    (first, *others) = answer("instances", "list", "--suite", "smoke", "--billing", "fractional", "--dispatch", "tc")
    assert len(others) == 41
    assert (first["billing"], first["policy"]) == ("fractional", "tc")
    best = answer("plan", first["instance"], "--billing", "fractional", "--method", first["heuristic"])
    assert best["cost_per_hour"] == pytest.approx(first["heuristic_cost"])
    plan = answer("plan", first["instance"], "--billing", "fractional", "--dispatch", "tc")
    assert plan["cost_per_hour"] == pytest.approx(first["optimum"])
    assert plan["instance_digest"] == first["digest"]
    assert main(["instances", "list", "--suite", "hard"]) == ExitCode.DONE
    assert "sixty-configurations-limits" in capfd.readouterr().out
    assert main(["instances", "list", "--suite", "hard", "--billing", "fractional"]) == ExitCode.USAGE
    assert "Use --billing whole --dispatch free" in capfd.readouterr().err


def test_every_nth_instance_of_a_suite_is_compared(answer: Answer, tmp_path: Path) -> None:
    arguments = ["--suite", "smoke", "--every", "21", "--billing", "whole", "--methods", "harpagon"]
    assert answer("gap", *arguments, "--out", str(tmp_path))["tasks"] == 2 * 4


def test_every_listed_example_and_application_is_known(answer: Answer, capfd: pytest.CaptureFixture[str]) -> None:
    catalogue = answer("instances", "list")
    assert "smoke" in catalogue["suites"]
    for name in (*catalogue["examples"], *(f"{application}-50rps-900ms" for application in catalogue["applications"])):
        assert main(["instances", "show", name]) == ExitCode.DONE
        assert name in capfd.readouterr().out
