"""``harpagon simulate`` and ``harpagon headroom``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harpagon.cli import main
from harpagon.cli.exits import ExitCode

WORKED = "worked-example"


@pytest.fixture
def plan(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> str:
    """Plan file of a pipeline that fans out, under ``edf``."""
    path = tmp_path / "plan.json"
    assert main(["plan", "traffic-198rps-350ms", "--dispatch", "edf", "--out", str(path)]) == ExitCode.DONE
    capfd.readouterr()
    return str(path)


def run(capfd: pytest.CaptureFixture[str], *arguments: str, code: ExitCode = ExitCode.DONE) -> Any:
    assert main([*arguments, "--json"]) == code
    return json.loads(capfd.readouterr().out)


def test_a_safe_plan_keeps_its_bound_and_allowance(plan: str, capfd: pytest.CaptureFixture[str]) -> None:
    document = run(capfd, "simulate", "traffic-198rps-350ms", plan)
    assert (document["dispatch"], document["paced"], document["padding"]) == ("edf", True, "time-out")
    pipeline = document["pipelines"][0]
    assert pipeline["promised"] and pipeline["late"] == 0
    assert pipeline["frames"]["count"] > 10_000 and pipeline["frames"]["max_ms"] == pipeline["latency"]["max_ms"]
    assert pipeline["latency"]["count"] > 20_000
    for module in pipeline["modules"].values():
        for part in module["tuples"]:
            assert part["max_ms"] <= part["bound_ms"] + part["allowance_ms"] + 1e-3


def test_unpaced_runs_say_so_and_differ(plan: str, capfd: pytest.CaptureFixture[str]) -> None:
    paced = run(capfd, "simulate", "traffic-198rps-350ms", plan)
    unpaced = run(capfd, "simulate", "traffic-198rps-350ms", plan, "--unpaced")
    assert unpaced["paced"] is False
    assert unpaced["pipelines"][0]["latency"]["mean_ms"] < paced["pipelines"][0]["latency"]["mean_ms"]


def test_seeds_repeat(plan: str, capfd: pytest.CaptureFixture[str]) -> None:
    command = ("simulate", "traffic-198rps-350ms", plan, "--arrivals", "gamma:2", "--duration", "20", "--seed")
    assert run(capfd, *command, "1") == run(capfd, *command, "1") != run(capfd, *command, "2")


def test_the_table_names_every_tuple(plan: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "traffic-198rps-350ms", plan, "--duration", "5"]) == ExitCode.DONE
    text = capfd.readouterr().out
    tuples = [
        f"{part['machines']} x {part['hardware']} b={part['batch']}"
        for module in json.loads(Path(plan).read_text())["pipelines"][0]["modules"].values()
        for part in module["tuples"]
    ]
    assert len(tuples) >= 3
    assert all(one in text for one in tuples)


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_figures_are_written(suffix: str, plan: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    figure = tmp_path / f"run.{suffix}"
    command = ["simulate", "traffic-198rps-350ms", plan, "--duration", "5", "--figure", str(figure)]
    assert main(command) == ExitCode.DONE
    assert figure.stat().st_size > 5_000


@pytest.mark.parametrize(
    "flags",
    [
        ("--arrivals", "burst"),
        ("--arrivals", "gamma:x"),
        ("--duration", "0"),
        ("--duration", "nan"),
        ("--duration", "1e8"),
        ("--figure", "run.txt"),
    ],
)
def test_bad_flags_are_one_message(flags: tuple[str, str], plan: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "traffic-198rps-350ms", plan, *flags]) == ExitCode.USAGE
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("harpagon: ")
    assert "Traceback" not in captured.err


def test_a_bad_trace_is_told_with_its_line(plan: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    trace = tmp_path / "trace.csv"
    trace.write_text("3\n2\n")
    assert main(["simulate", "traffic-198rps-350ms", plan, "--arrivals", str(trace)]) == ExitCode.USAGE
    assert "trace.csv: line 2: time_s is 2 after 3" in capfd.readouterr().err


def test_headroom_costs_more_than_none_and_meets_its_percentile(capfd: pytest.CaptureFixture[str]) -> None:
    document = run(capfd, "headroom", WORKED, "--percentile", "99", "--duration", "20")
    assert document["headroom"] > 0
    assert document["plan"]["cost_per_hour"] > 5.0
    measured = document["simulation"]["pipelines"][0]
    assert measured["latency"]["p99_ms"] <= measured["slo_ms"]
    assert document["runs"] == 19 and max(document["late_shares"]) <= document["bound"] <= 0.01


@pytest.mark.parametrize("percentile", ["0", "100", "nan"])
def test_a_percentile_is_between_0_and_100(percentile: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["headroom", WORKED, "--percentile", percentile]) == ExitCode.USAGE
    assert "--percentile" in capfd.readouterr().err


@pytest.mark.parametrize(("option", "meant"), [("--percentile", "99.5"), ("--confidence", "99.5")])
def test_a_fraction_is_refused_with_the_percentage_that_is_meant(
    option: str, meant: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["headroom", WORKED, option, "0.995"]) == ExitCode.USAGE
    assert f"write {meant}" in " ".join(capfd.readouterr().err.split())


def test_a_plan_with_headroom_serves_more(capfd: pytest.CaptureFixture[str]) -> None:
    plain = run(capfd, "plan", WORKED)
    roomy = run(capfd, "plan", WORKED, "--headroom", "0.5")
    assert roomy["cost_per_hour"] > plain["cost_per_hour"]


@pytest.mark.parametrize("headroom", ["-0.1", "nan", "9"])
def test_a_bad_headroom_is_refused(capfd: pytest.CaptureFixture[str], headroom: str) -> None:
    assert main(["plan", WORKED, "--headroom", headroom]) == ExitCode.USAGE
    assert "--headroom" in capfd.readouterr().err
