"""Output that cannot be written: one message, exit code 4, what was there before is still there; or does not fit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console
from rich.text import Text

from harpagon.cli import main
from harpagon.cli.console import show
from harpagon.cli.exits import ExitCode
from harpagon.cli.views.gap import gap_tables
from harpagon.evaluation.gaps.tables import GapSummary, Summary
from harpagon.evaluation.sweep.rows import RowFile
from harpagon.instances.errors import MachineError
from harpagon.instances.files.writing import replacing, write_text
from harpagon.instances.policies import Dispatch

PROGRAM = "import sys; from harpagon.cli import main; sys.exit(main())"
GAP = ("gap", "--suite", "worked-example", "--billing", "whole")
FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")


def run(*arguments: str, stdout: int | None = subprocess.PIPE, **settings: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own; ``stdout`` None closes its standard output."""
    shell = f'exec "{sys.executable}" -c "{PROGRAM}" "$@"' + (" >&-" if stdout is None else "")
    environment = {**os.environ, **settings}
    return subprocess.run(
        ["bash", "-c", shell, "harpagon", *arguments],
        stdout=subprocess.PIPE if stdout is None else stdout,
        stderr=subprocess.PIPE,
        encoding="latin-1",
        env=environment,
        check=False,
    )


def _one_message(done: subprocess.CompletedProcess[str], words: str) -> None:
    assert done.returncode == ExitCode.MACHINE_FAILED, done.stderr
    assert done.stderr.count("harpagon: ") == 1 and words in done.stderr
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr


@needs_full
@pytest.mark.parametrize("arguments", [("plan", "worked-example"), ("plan", "worked-example", "--json"), ("--help",)])
def test_a_full_standard_output_is_told(arguments: tuple[str, ...]) -> None:
    with FULL.open("w") as full:
        _one_message(run(*arguments, stdout=full.fileno()), "standard output cannot be")


def test_a_closed_standard_output_is_told() -> None:
    _one_message(run("plan", "worked-example", stdout=None), "standard output is closed")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_a_console_without_box_characters_gets_others(encoding: str) -> None:
    done = run("plan", "worked-example", PYTHONIOENCODING=encoding)
    assert done.returncode == ExitCode.DONE, done.stderr
    assert "$5.0000/h" in done.stdout and "+-" in done.stdout
    assert done.stdout.isascii() or encoding != "ascii"


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan", "worked-example", "--out", "missing/plan.json"),
        ("plan", "worked-example", "--figure", "missing/plan.svg"),
        ("curve", "worked-example", "--figure", "missing/curve.svg"),
        ("profile", "model.onnx", "--table", "missing/table.csv"),
        ("sponge", "--trace", "synthetic", "--figure", "missing/run.png"),
        ("slopt", "video", "--figure", "missing/run.png"),
        ("plan", "worked-example", "--out", "taken"),
        ("export", "worked-example", "--format", "lp", "--out", "missing/model.lp"),
        (*GAP, "--out", "file/folder"),
    ],
)
def test_a_place_that_cannot_be_written_is_told(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").mkdir()
    (tmp_path / "file").touch()
    assert main(arguments) == ExitCode.MACHINE_FAILED
    message = capfd.readouterr().err
    assert message.count("harpagon: ") == 1 and arguments[-1] in message and "Traceback" not in message
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "taken"]


@needs_full
def test_rows_of_a_full_disk_are_told_and_the_finished_ones_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main([*GAP, "--out", str(tmp_path / "whole")]) == ExitCode.DONE
    append, appended = RowFile.append, []

    def append_two(self: RowFile, row: object) -> None:
        if len(appended) == 2:
            raise OSError(28, "No space left on device", str(self.path))
        append(self, row)  # type: ignore[arg-type]
        appended.append(row)

    capfd.readouterr()
    monkeypatch.setattr(RowFile, "append", append_two)
    assert main([*GAP, "--out", str(tmp_path / "full")]) == ExitCode.MACHINE_FAILED
    assert "No space left" in capfd.readouterr().err
    monkeypatch.undo()
    assert len(RowFile(tmp_path / "full" / "rows.jsonl").read()) == 2
    assert main([*GAP, "--out", str(tmp_path / "full")]) == ExitCode.DONE
    costs = [[row.cost for row in RowFile(tmp_path / n / "rows.jsonl").read().values()] for n in ("whole", "full")]
    assert costs[0] == costs[1]


def test_an_existing_file_survives_a_failed_write(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    write_text(path, "before")
    path.chmod(0o640)
    with pytest.raises(MachineError, match=r"plan.json: cannot be written \(No space"), replacing(path) as unfinished:
        unfinished.write_text("half of wh")
        raise OSError(28, "No space left on device")
    assert path.read_text() == "before" and list(tmp_path.iterdir()) == [path]
    write_text(path, "after")
    assert path.read_text() == "after" and path.stat().st_mode & 0o777 == 0o640


def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    write_text(tmp_path / "link", "text")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "file").read_text() == "text"


@needs_full
def test_a_device_is_written_directly() -> None:
    with pytest.raises(MachineError, match="No space"):
        write_text(FULL, "text")
    assert FULL.is_char_device()


def test_no_figure_of_a_gap_table_is_cut_in_a_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gap = GapSummary(1131, 1000, 0.12345, 0.5, 12.5)
    summary = Summary("fractional", "harpagon", "tc", 1131, 1131, 0, {Dispatch.TC: gap}, 0.0382, 0.0479)
    monkeypatch.setenv("COLUMNS", "40")
    show(*gap_tables([summary]))
    printed = capsys.readouterr().out
    for figure in ("1131/1131", "1000/1131", "12.35", "50.00", "1250.0", "38.2 ms", "47.9 ms"):
        assert figure in printed


def test_an_answer_is_printed_in_one_go(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Every call asks the terminal for its size and makes its own output: most of the time of a long plan's."""
    calls, printed = [], Console.print
    monkeypatch.setattr(Console, "print", lambda *given, **options: calls.append(1) or printed(*given, **options))
    show(Text("first"), Text(), "[bold]as it is[/bold]", Text("last"))
    assert len(calls) == 1
    assert capsys.readouterr().out == "first\n\n[bold]as it is[/bold]\nlast\n"
    show()
    assert capsys.readouterr().out == ""
