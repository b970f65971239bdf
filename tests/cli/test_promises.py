"""``harpagon plan`` for a recorded trace and with machines in spare, through check and simulate."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from harpagon.cli import main
from harpagon.cli.exits import ExitCode
from studies.dispatch.traces import main as trace_study

WORKED = ["worked-example", "--billing", "whole"]


@pytest.fixture
def trace(tmp_path: Path) -> str:
    """20 s of Poisson arrivals at 100 req/s."""
    path = tmp_path / "trace.csv"
    times = np.cumsum(np.random.default_rng(3).exponential(0.01, 2_000))
    path.write_text("time_s\n" + "\n".join(f"{time:.6f}" for time in times))
    return str(path)


def test_a_plan_for_a_trace_names_it_and_keeps_it(
    trace: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    plan = str(tmp_path / "plan.json")
    assert main(["plan", *WORKED, "--arrivals", trace, "--out", plan]) == ExitCode.DONE
    assert "every request of trace.csv" in " ".join(capfd.readouterr().out.split())
    assert main(["check", "worked-example", plan]) == ExitCode.DONE
    capfd.readouterr()
    assert main(["simulate", "worked-example", plan, "--arrivals", trace, "--json"]) == ExitCode.DONE
    pipeline = json.loads(capfd.readouterr().out)["pipelines"][0]
    assert (pipeline["promised"], pipeline["violations"]) == (True, 0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--arrivals", "poisson"], "has no end"),
        (["--arrivals", "/nowhere.csv"], "no file"),
        (["--arrivals", "TRACE", "--headroom", "0.2"], "leave out --headroom"),
        (["--arrivals", "TRACE", "--dispatch", "edf"], "under edf dispatch"),
        (["--spare", "1", "--dispatch", "edf"], "spare machines"),
        (["--spare", "1", "--method", "harpagon"], "spare machines"),
    ],
)
def test_what_cannot_be_promised_is_refused(
    options: list[str], words: str, trace: str, capfd: pytest.CaptureFixture[str]
) -> None:
    options = [trace if option == "TRACE" else option for option in options]
    assert main(["plan", *WORKED, *options]) == ExitCode.USAGE
    assert words in " ".join(capfd.readouterr().err.split())


def test_a_plan_with_a_machine_in_spare_may_lose_one(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    plan = tmp_path / "plan.json"
    assert main(["plan", *WORKED, "--spare", "1", "--out", str(plan)]) == ExitCode.DONE
    assert "with any 1 machine of every module gone" in " ".join(capfd.readouterr().out.split())
    document = json.loads(plan.read_text())
    assert document["spare"] == 1
    (module,) = document["pipelines"][0]["modules"]
    assert main(["check", "worked-example", str(plan)]) == ExitCode.DONE
    capfd.readouterr()
    for machines, kept in ((1, True), (2, False)):
        lost = ["--lose", f"{module}:{machines}", "--json"]
        assert main(["simulate", "worked-example", str(plan), *lost]) == ExitCode.DONE
        pipeline = json.loads(capfd.readouterr().out)["pipelines"][0]
        assert (pipeline["promised"], pipeline["late"] == 0) == (kept, kept)


def test_the_study_of_traces_runs(capsys: pytest.CaptureFixture[str]) -> None:
    trace_study(["--instance", "worked-example", "--seeds", "1", "--seconds", "5"])
    assert "daily" in capsys.readouterr().out
