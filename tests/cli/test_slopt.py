"""``harpagon slopt``: what it prints, and how it refuses."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from harpagon.cli import main

if TYPE_CHECKING:
    from pathlib import Path

_QUICK = ["slopt", "video", "--peak", "150", "--seconds", "10"]


def test_a_run_accounts_for_every_request(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    figure = tmp_path / "run.svg"
    assert main([*_QUICK, "--json", "--figure", str(figure)]) == 0
    (run,) = json.loads(capsys.readouterr().out).values()
    assert run["arrived"] == run["finished"] + run["dropped"] + run["in_flight"] > 0
    assert figure.stat().st_size > 1000


def test_the_comparison_swaps_every_stage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*_QUICK, "--compare", "--json"]) == 0
    runs = json.loads(capsys.readouterr().out)
    assert {"chosen", "estimation fanout", "tuning reactive", "drop proactive"} <= set(runs)
    assert len({run["arrived"] for run in runs.values()}) == 1


def test_a_dropped_request_counts_as_late_in_the_quantile_of_all(capsys: pytest.CaptureFixture[str]) -> None:
    drowned = ["slopt", "video", "--peak", "900", "--seconds", "10", "--fleet", "3", "--json"]
    assert main(drowned) == 0
    (run,) = json.loads(capsys.readouterr().out).values()
    assert run["dropped_share"] > 0.01
    assert run["p99_ms"] > 0
    assert run["p99_all_ms"] is None
    assert main([*_QUICK, "--json"]) == 0
    (run,) = json.loads(capsys.readouterr().out).values()
    assert run["p99_all_ms"] == run["p99_ms"] > 0


def test_whole_systems_serve_the_same_requests(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*_QUICK, "--systems", "--json"]) == 0
    runs = json.loads(capsys.readouterr().out)
    assert set(runs) == {"chosen", "nexus", "clipper++", "inferline", "scrooge", "pard"}
    assert len({run["arrived"] for run in runs.values()}) == 1


def test_the_hindsight_optimum_is_run_and_drawn_beside_it(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    figure = tmp_path / "run.svg"
    assert main([*_QUICK, "--hindsight", "--figure", str(figure)]) == 0
    (regret,) = re.findall(r"regret: ([0-9.]+) % over the hindsight optimum", capsys.readouterr().out)
    assert float(regret) > 0
    assert "hindsight" in figure.read_text()
    assert main([*_QUICK, "--hindsight", "--fleet", "3"]) == 0
    assert "more than --fleet" in capsys.readouterr().err


def test_a_window_of_a_public_trace_is_served(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace = tmp_path / "workload.txt"
    trace.write_text(" ".join(["20"] * 100))
    assert main(["slopt", "video", "--trace", str(trace), "--window", "80:10", "--scale", "2", "--json"]) == 0
    (run,) = json.loads(capsys.readouterr().out).values()
    assert run["arrived"] == 400
    for flags in (["--window", "80:5"], ["--window", "95:10"], ["--scale", "nan"]):
        assert main(["slopt", "video", "--trace", str(trace), *flags]) == 2
    assert main([*_QUICK, "--window", "80:10"]) == 2
    assert "trace files" in capsys.readouterr().err


@pytest.mark.parametrize("flags", [["--estimation", "ewma"], ["--provisioning", "greedy"], ["--tuning", "reactive"]])
def test_stages_can_be_swapped(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*_QUICK, *flags]) == 0
    assert "chosen" in capsys.readouterr().out


def test_a_trace_file_is_served_count_by_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace = tmp_path / "trace.csv"
    trace.write_text("requests\n40\n50\n60\n")
    assert main(["slopt", "video", "--trace", str(trace), "--json"]) == 0
    (run,) = json.loads(capsys.readouterr().out).values()
    assert run["arrived"] == 150


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("requests\n4\nmany\n", "line 3"),
        ("requests\n4\n-1\n", "line 3"),
        ("time_s\n0.5\n0.6\n", "timestamps"),
        ("", "is empty"),
        ("requests\n9000000\n9000000\n", "Give a shorter trace"),
    ],
)
def test_bad_traces_are_refused_with_file_and_place(
    content: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace = tmp_path / "bad.csv"
    trace.write_text(content)
    assert main(["slopt", "video", "--trace", str(trace)]) == 2
    message = capsys.readouterr().err
    assert str(trace) in message
    assert words in message


@pytest.mark.parametrize(
    "flags",
    [
        ["--trace", "nowhere"],
        ["--headroom", "0"],
        ["--headroom", "nan"],
        ["--peak", "-3"],
        ["--startup", "inf"],
        ["--estimation", "magic"],
        ["--figure", "run.txt"],
    ],
)
def test_bad_flags_are_refused(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["slopt", "video", *flags]) == 2
    assert capsys.readouterr().err.startswith("harpagon: ")


def test_an_unreachable_slo_is_no_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "tight.yaml"
    file.write_text(
        "format: harpagon-instance/1\nname: tight\nbilling: whole\nhardware: {gpu: {price_per_hour: 1}}\n"
        "profiles: {model: {gpu: {1: 30}}}\n"
        "pipelines: [{name: p, rate_rps: 10, slo_ms: 31, modules: {a: {model: model}, b: {model: model}},"
        " edges: [{from: a, to: b}]}]\n"
    )
    assert main(["slopt", str(file), "--seconds", "10"]) in (1, 2)
    assert "tight" in capsys.readouterr().err
