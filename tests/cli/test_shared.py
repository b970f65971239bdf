"""Shared machines on the command line: plan, its picture, explain, gap, curve, and what refuses them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harpagon.cli import main

MALL = str(Path(__file__).parent.parent / "cases" / "mall-150ms.yaml")


def run(capfd: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> tuple[str, str]:
    assert main([*arguments]) == code
    captured = capfd.readouterr()
    return " ".join(captured.out.split()), " ".join(captured.err.split())


def test_the_mall_before_and_after(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Five models at 240 req/s: five machines apart, three of them nearly idle; three when machines are shared."""
    whole, _ = run(capfd, "plan", MALL)
    assert "$4.1324/h optimal" in whole
    plan, figure = str(tmp_path / "plan.json"), tmp_path / "plan.svg"
    output, _ = run(capfd, "plan", MALL, "--billing", "shared", "--out", plan, "--figure", str(figure))
    assert "$2.7188/h optimal: no plan costs less than $2.7188/h" in output
    assert "╭─ L4-1 ─" in output
    assert "takes turns on L4-1" in output
    assert "1/24 of it takes turns on A10G-1" in output
    assert "1/24 of detect A10G b=1 closes at once" in output
    assert "101.2 ms of 150 ms SLO" in output  # of equal cost the quickest
    assert "plate-det on L4-1" in figure.read_text()
    checked, _ = run(capfd, "check", MALL, plan)
    assert "OK $2.7188/h" in checked
    run(capfd, "simulate", MALL, plan, "--duration", "5")
    _, refusal = run(capfd, "deploy", MALL, plan, "--target", "triton", "--out", str(tmp_path / "out"), code=2)
    assert "A10G-1 hosts several" in refusal


def test_a_plan_that_puts_too_much_on_a_machine_fails_the_check(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "plan.json"
    run(capfd, "plan", MALL, "--billing", "shared", "--out", str(path))
    document = json.loads(path.read_text())
    document["pipelines"][0]["modules"]["read"]["tuples"][0]["close_after_ms"] = 0.0
    path.write_text(json.dumps(document))
    faults = " ".join(run(capfd, "check", MALL, str(path), code=3))
    assert "machine L4-1: its groups may take" in faults


def test_explain_says_what_binds_a_machine(capfd: pytest.CaptureFixture[str]) -> None:
    output, _ = run(capfd, "explain", MALL, "--billing", "shared")
    assert "machine L4-1: 3 modules take 98.6 % of its time; a batch is done 11.8 ms after it closed at most" in output


def test_gap_compares_what_plans_for_shared_machines(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    arguments = ["gap", "--suite", MALL, "--billing", "shared", "--out", str(tmp_path)]
    output, _ = run(capfd, *arguments)
    assert "shared billing" in output
    assert "exact (paced) 1/1 1/1 proven" in output
    assert "squishy paced 1/1" in output
    run(capfd, *arguments, "--report", str(tmp_path))
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    plans = json.loads(page.partition('type="application/json">')[2].partition("</script>")[0])["mall"]
    assert plans["paced optimum"].startswith("2.7188 $/hour, paced") and "3.7248 $/hour" in plans["squishy"]
    assert " on L4-1, " in plans["paced optimum"] and " on A10G-1, " in plans["squishy"]
    assert "| mall | 2.7188 | 37.00 % |" in (tmp_path / "workloads-shared.md").read_text(encoding="utf-8")
    _, refusal = run(capfd, *arguments, "--methods", "exact,harpagon", code=2)
    assert "harpagon does not support shared billing; use exact, assignment, brute-force, squishy or packing" in refusal


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("plan", MALL, "--billing", "shared", "--method", "nexus"), "use exact, assignment, brute-force, squishy or"),
        (("plan", MALL, "--billing", "shared", "--dispatch", "edf"), "shared billing under edf dispatch"),
        (("plan", MALL, "--billing", "shared", "--arrivals", "TRACE"), "recorded traces in shared billing"),
        (("explain", MALL, "--billing", "shared", "--dispatch", "tc"), "shared billing under tc dispatch"),
        (("curve", MALL, "--billing", "shared", "--over", "rate"), "shared billing over the rate"),
        (("export", MALL, "--billing", "shared", "--format", "lp"), "does not support shared billing"),
    ],
)
def test_what_cannot_share_refuses_it(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    trace = tmp_path / "trace.csv"
    trace.write_text("time_s\n0.0\n0.1\n0.2\n")
    named = [str(trace) if argument == "TRACE" else argument for argument in arguments]
    _, message = run(capfd, *named, code=2)
    assert words in message


def test_the_curve_over_the_objective_is_traced(capfd: pytest.CaptureFixture[str]) -> None:
    arguments = ["curve", MALL, "--billing", "shared", "--over", "slo", "--from", "0.9", "--to", "1.0", "--json"]
    assert main(arguments) == 0
    assert "2.7188" in capfd.readouterr().out
