"""The contract of the command line: exit codes, one message for bad usage, standard output for answers alone."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from bad_inputs import BAD_INSTANCES, BAD_PLANS

from harpagon.cli import COMMANDS, main
from harpagon.cli.exits import ExitCode
from harpagon.solvers.methods import METHODS

if TYPE_CHECKING:
    from pathlib import Path

    from bad_inputs import BadInput

PROGRAM = (sys.executable, "-c", "import sys; from harpagon.cli import main; sys.exit(main())")


def run(*arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own."""
    return subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True, cwd=folder, check=False)


BAD_USAGE = {
    "no such command": (["plann", "worked-example"], "plan"),
    "no such option": (["plan", "worked-example", "--metod", "exact"], "--method"),
    "no instance": (["plan"], "INSTANCE"),
    "two instances": (["plan", "worked-example", "worked-example"], "worked-example"),
    "no such instance": (["plan", "worked-exampel"], "worked-example"),
    "no such file": (["plan", "missing.yaml"], "missing.yaml"),
    "no such method": (["plan", "worked-example", "--method", "harpagn"], "harpagon"),
    "no such billing": (["plan", "worked-example", "--billing", "hourly"], "whole"),
    "no such dispatch": (["plan", "worked-example", "--dispatch", "fifo"], "round-robin"),
    "unsupported dispatch": (["plan", "worked-example", "--method", "harpagon", "--dispatch", "free"], "exact"),
    "time limit of words": (["plan", "worked-example", "--time-limit", "soon"], "--time-limit"),
    "time limit of zero": (["plan", "worked-example", "--time-limit", "0"], "above 0"),
    "time limit not a number": (["plan", "worked-example", "--time-limit", "nan"], "above 0"),
    "negative gap": (["plan", "worked-example", "--gap", "-0.1"], "fraction"),
    "gap of one": (["plan", "worked-example", "--gap", "1"], "fraction"),
    "no threads": (["plan", "worked-example", "--threads", "0"], "--threads"),
    "figure of no known kind": (["plan", "worked-example", "--figure", "plan.gif"], ".png"),
    "check without a plan": (["check", "worked-example"], "PLAN"),
    "check of a missing plan": (["check", "worked-example", "missing.json"], "missing.json"),
    "explain what is missing": (["explain", "nothing-here"], "nothing-here"),
    "no such suite": (["gap", "--suite", "smokee"], "smokee"),
    "no such method in a list": (["gap", "--methods", "exact,harpagn"], "harpagon"),
    "empty list of methods": (["gap", "--methods", ","], "--methods"),
    "no workers": (["gap", "--workers", "0"], "--workers"),
    "instances of nothing": (["instances", "lst"], "list"),
    "no such suite to list": (["instances", "list", "--suite", "smok"], "smoke"),
    "no such instance to show": (["instances", "show", "worked"], "worked-example"),
    "no such shape": (["instances", "make", "--shape", "diamnd"], "diamond"),
    "seed of words": (["instances", "make", "--seed", "many"], "--seed"),
    "several instances without a folder": (["instances", "make", "--count", "2"], "--out"),
}


@pytest.mark.parametrize(("arguments", "words"), BAD_USAGE.values(), ids=BAD_USAGE.keys())
def test_bad_usage_is_one_message_and_exit_code_2(
    arguments: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == ExitCode.USAGE
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("harpagon: ") and err.count("harpagon: ") == 1
    assert words in err
    assert "Traceback" not in err


@pytest.mark.parametrize("bad", BAD_INSTANCES, ids=lambda bad: bad.label)
@pytest.mark.parametrize("command", ["plan", "explain"])
def test_bad_instance_is_one_message_and_exit_code_2(
    command: str, bad: BadInput, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main([command, str(bad.write(tmp_path))]) == ExitCode.USAGE
    _one_message(bad, capfd)


@pytest.mark.parametrize("bad", BAD_PLANS, ids=lambda bad: bad.label)
def test_bad_plan_is_one_message_and_exit_code_2(
    bad: BadInput, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "worked-example", str(bad.write(tmp_path))]) == ExitCode.USAGE
    _one_message(bad, capfd)


def _one_message(bad: BadInput, capfd: pytest.CaptureFixture[str]) -> None:
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("harpagon: ") and "Traceback" not in err
    assert bad.place in err and bad.words in err


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS), ("instances", "make")])
def test_help_of_every_command_teaches(command: tuple[str, ...], capfd: pytest.CaptureFixture[str]) -> None:
    assert main([*command, "--help"]) == ExitCode.DONE
    text = capfd.readouterr().out
    assert "Usage" in text and "harpagon" in text
    assert len(text.splitlines()) > 10


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_help_wraps_to_the_terminal_and_names_values_in_words(
    width: int, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    for command in ((), *((name,) for name in COMMANDS), ("instances", "make")):
        assert main([*command, "--help"]) == ExitCode.DONE
        text = capfd.readouterr().out
        assert not re.search(r"<(bool|str|int|float|path)|range>|\[/?bold|\[/\]", text), command
        assert "…" not in text, command
        assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    first = next(line for line in text.splitlines() if "Without --out" in line)
    assert ("written into that folder" in first) is (width >= 120)


def test_methods_lists_the_registry(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["methods", "--json"]) == ExitCode.DONE
    listed = {row["name"]: row for row in json.loads(capfd.readouterr().out)}
    assert list(listed) == list(METHODS)
    for name, method in METHODS.items():
        pairs = {(paid, policy) for paid, policies in listed[name]["dispatch"].items() for policy in policies}
        assert pairs == {(str(paid), str(policy)) for paid, policy in method.capabilities.cases}
    assert main(["methods"]) == ExitCode.DONE
    table = capfd.readouterr().out
    assert all(f"  {name}  " in table for name in METHODS)


def test_json_is_the_only_thing_on_standard_output(tmp_path: Path) -> None:
    finished = run("plan", "worked-example", "--json", "--out", "plan.json", "--figure", "plan.svg", folder=tmp_path)
    assert finished.returncode == ExitCode.DONE
    document = json.loads(finished.stdout)
    assert document["cost_per_hour"] == pytest.approx(5.0)
    assert document == json.loads((tmp_path / "plan.json").read_text())
    assert "plan.svg" in finished.stderr
    assert (tmp_path / "plan.svg").stat().st_size > 1000


@pytest.mark.parametrize("arguments", [("plan", "worked-example"), ("plan", "worked-example", "--json")])
def test_a_reader_who_leaves_is_no_error(arguments: tuple[str, ...]) -> None:
    with subprocess.Popen([*PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == ExitCode.DONE


def test_plan_starts_without_what_it_does_not_need() -> None:
    code = (
        "import sys; from harpagon.cli import main; main(['plan', 'worked-example']);"
        "print(*(m for m in ('numpy', 'pandas', 'pyomo', 'highspy', 'ortools', 'matplotlib', 'joblib',"
        " 'harpagon.evaluation.gaps', 'harpagon.instances.library.suites') if m in sys.modules), file=sys.stderr)"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stderr.strip() == ""


def test_what_a_command_made_is_not_freed_piece_by_piece_when_it_ends() -> None:
    code = (
        "import atexit, gc; atexit.register(lambda: print(len(gc.get_objects()) < 1000));"  # runs last
        "from harpagon.cli import main; main(['--version'])"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout.splitlines()[-1] == "True"


def test_version_comes_from_the_installed_package(capfd: pytest.CaptureFixture[str]) -> None:
    from importlib.metadata import version

    assert main(["--version"]) == ExitCode.DONE
    assert capfd.readouterr().out == f"harpagon {version('harpagon')}\n"


@pytest.mark.skipif(os.name == "nt", reason="permissions of another kind")
def test_gap_into_a_file_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "taken").write_text("a file")
    assert main(["gap", "--suite", "worked-example", "--out", str(tmp_path / "taken")]) == ExitCode.MACHINE_FAILED
    assert "taken" in capfd.readouterr().err
