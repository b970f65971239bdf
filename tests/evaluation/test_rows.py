"""Rows: a stored one counts only where the same code, options and solvers would make it again."""

from __future__ import annotations

import linecache
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harpagon import heuristics
from harpagon.cli import main
from harpagon.cli.exits import ExitCode
from harpagon.evaluation.sweep import provenance
from harpagon.evaluation.sweep.row_file import owned
from harpagon.evaluation.sweep.rows import RowFile, Task, keyed_tasks
from harpagon.evaluation.sweep.sweep import sweep
from harpagon.instances.errors import InputError
from harpagon.instances.generate import random_instance
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.methods import METHODS, solve
from harpagon.solvers.options import DEFAULT_OPTIONS
from harpagon.solvers.plugins import load_plugin

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def task() -> Task:
    """One solve by a heuristic."""
    return Task(random_instance(random.Random(3)), "harpagon", Billing.WHOLE, Dispatch.TC, DEFAULT_OPTIONS)


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the heuristics that this process takes for the installed ones."""
    copy = shutil.copytree(heuristics.__path__[0], tmp_path / "heuristics")
    monkeypatch.setattr(heuristics, "__path__", [str(copy)])
    provenance.sources_digest.cache_clear()
    yield copy
    provenance.sources_digest.cache_clear()


def test_rows_of_another_source_are_not_reused(task: Task, sources: Path, tmp_path: Path) -> None:
    file = RowFile(tmp_path / "rows.jsonl")
    (first,) = sweep([task], solve, file)
    assert sweep([task], solve, file) == [first]
    with (sources / "harpagon" / "latency_splitter.py").open("a") as edited:
        edited.write("# an edit\n")
    provenance.sources_digest.cache_clear()
    (second,) = sweep([task], solve, file)
    assert second.key != first.key
    assert len(file.read()) == 2


def test_rows_of_another_solver_are_not_reused(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    before = keyed_tasks([task], "1")[0].key
    monkeypatch.setattr(provenance, "solver_versions", lambda: ("highspy 0.1",))
    assert keyed_tasks([task], "1")[0].key != before


def test_a_method_from_elsewhere_is_known_by_its_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METHODS, "mine", METHODS["harpagon"])
    found = []
    for share in (1, 20, 1):
        text = (
            f"from harpagon.solvers.plugins import register\nSHARE = {share}\n@register('mine')\ndef run(*case): ...\n"
        )
        (tmp_path / "mine.py").write_text(text)
        linecache.clearcache()
        shutil.rmtree(tmp_path / "__pycache__", ignore_errors=True)
        load_plugin(str(tmp_path / "mine.py"))
        found.append(provenance.provenance("mine"))
    assert found[0] == found[2] != found[1]


def test_fresh_solves_again(task: Task, tmp_path: Path) -> None:
    file = RowFile(tmp_path / "rows.jsonl")
    sweep([task], solve, file)
    sweep([task], solve, file, fresh=True)
    assert len(file.path.read_bytes().splitlines()) == 2
    assert len(file.read()) == 1


def test_gap_says_what_was_kept(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    command = ["gap", "--suite", "worked-example", "--billing", "whole", "--out", str(tmp_path / "out")]
    assert main(command) == ExitCode.DONE
    assert "reused " not in capfd.readouterr().err
    made = sorted(row.made for row in RowFile(tmp_path / "out" / "rows.jsonl").read().values())
    assert main(command) == ExitCode.DONE
    assert f"reused 4 of 4 rows, made from {made[0]} to {made[-1]}" in capfd.readouterr().err
    assert main([*command, "--fresh"]) == ExitCode.DONE
    assert "reused " not in capfd.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="locks of another kind")
def test_a_folder_has_one_owner(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    owner = (
        "import sys; from pathlib import Path; from harpagon.evaluation.sweep.row_file import owned\n"
        "with owned(Path(sys.argv[1])): print('owned', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", owner, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "owned\n"
        with pytest.raises(InputError, match=f"process {process.pid} is writing"), owned(tmp_path):
            pass
        assert main(["gap", "--suite", "worked-example", "--out", str(tmp_path)]) == ExitCode.USAGE
        assert str(process.pid) in capfd.readouterr().err
        process.kill()
    with owned(tmp_path):
        assert list(tmp_path.iterdir()) == [tmp_path / ".lock"]
    assert list(tmp_path.iterdir()) == []
