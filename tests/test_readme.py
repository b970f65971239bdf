"""README and docs keep their word: examples run and print what is written, links lead somewhere, commands exist."""

from __future__ import annotations

import contextlib
import doctest
import io
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import harpagon
from harpagon.cli import COMMANDS
from harpagon.solvers.method import Kind
from harpagon.solvers.methods import METHODS

ROOT = Path(__file__).parent.parent
FOLDERS = ROOT, ROOT / "docs", ROOT / "docs" / "cookbook", ROOT / "instances" / "data"
PAGES = sorted(page for folder in FOLDERS for page in folder.glob("*.md"))
NOTEBOOKS = sorted(ROOT.glob("notebooks/*.ipynb"))

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_TIME = r"[\d.,]+ (?:µs|ms|s)"
_RUN_TIMES = re.compile(rf"(?<=built in ){_TIME}|(?<=solved in ){_TIME}|\s+{_TIME}\s+{_TIME}$")


def _blocks(page: Path) -> list[tuple[str, str]]:
    """Language and text of every fenced block."""
    return _FENCE.findall(page.read_text())


def _plain(text: str) -> list[str]:
    """Lines without run times, without what cannot be seen, and without the widths that run times give columns."""
    lines = (_RUN_TIMES.sub("", line.rstrip()) for line in text.strip().splitlines())
    return [re.sub(r"(\s|─)+", r"\1", line).strip() for line in lines]


def _run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command line that begins with ``harpagon`` where the shipped files are at hand."""
    for name in ("docs", "instances", "tests"):
        if not (folder / name).exists():
            (folder / name).symlink_to(ROOT / name)
    program, *arguments = shlex.split(command)
    assert program == "harpagon"
    script = "import sys; from harpagon.cli import main; sys.exit(main())"
    call = [sys.executable, "-c", script, *arguments]
    return subprocess.run(call, cwd=folder, capture_output=True, text=True, check=False)


def _with(language: str) -> list[Path]:
    return [page for page in PAGES if any(name == language for name, _ in _blocks(page))]


@pytest.mark.parametrize("page", _with("console"), ids=lambda page: page.name)
def test_console_examples_print_what_is_written(page: Path, tmp_path: Path) -> None:
    for language, block in _blocks(page):
        if language == "console":
            first, _, output = block.partition("\n")
            done = _run(first.removeprefix("$ "), tmp_path)
            assert done.returncode == 0, done.stderr
            assert _plain(done.stdout) == _plain(output), first


@pytest.mark.parametrize("page", _with("python"), ids=lambda page: page.name)
def test_python_examples_print_what_is_written(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All blocks of a page share their names; the ``text`` blocks are what they print."""
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        for language, block in _blocks(page):
            if language == "python":
                exec(compile(block, str(page), "exec"), names)
    written = "".join(block for language, block in _blocks(page) if language == "text")
    assert printed.getvalue() == written


def test_the_example_of_the_package_runs() -> None:
    outcome = doctest.testmod(harpagon)
    assert outcome.attempted > 0
    assert outcome.failed == 0


def test_the_worked_example_costs_what_the_table_says(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "planning.md").read_text()
    rows = re.findall(r"^\| `(harpagon plan worked-example[^`]*)`[^|]*\| ([\d.]+) \|$", text, re.MULTILINE)
    assert len(rows) == 5
    for command, cost in rows:
        plan = json.loads(_run(f"{command} --json", tmp_path).stdout)
        assert plan["cost_per_hour"] == pytest.approx(float(cost)), command


def test_the_picture_shows_what_its_caption_says(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text()
    optimum, heuristic = (float(cost) for cost in re.findall(r"\$(\d+\.\d{4})/h", text)[:2])
    for options, cost in (("", optimum), ("--method harpagon", heuristic)):
        command = f"harpagon plan pose-700rps-60ms {options} --json"
        assert command.removesuffix(" --json").strip() in text
        plan = json.loads(_run(command, tmp_path).stdout)
        assert plan["cost_per_hour"] == pytest.approx(cost)


@pytest.mark.parametrize("page", [*PAGES, *NOTEBOOKS], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in _LINK.findall(page.read_text()):
        if not target.startswith(("http://", "https://", "mailto:")):
            path, _, anchor = target.partition("#")
            linked = page.parent / path if path else page
            assert linked.exists(), target
            assert not anchor or anchor in _anchors(linked), target


def _anchors(page: Path) -> set[str]:
    """Anchors that a code host gives the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_pages_named_in_the_code_exist() -> None:
    layers = {path.parent for path in ROOT.glob("*/__init__.py")} | {ROOT / "src"}
    named = {
        name
        for layer in layers
        for path in layer.rglob("*.py")
        for name in re.findall(r"docs/[\w-]+\.md", path.read_text())
    }
    assert named
    assert {name for name in named if not (ROOT / name).exists()} == set()


def test_the_index_lists_every_page_and_notebook() -> None:
    index = ROOT / "docs" / "README.md"
    listed = {(index.parent / target).resolve() for target in _LINK.findall(index.read_text())}
    assert {*index.parent.glob("*.md"), *NOTEBOOKS} - {index} <= listed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_named_exist(page: Path) -> None:
    used = set(re.findall(r"`harpagon ([a-z][\w-]*)", page.read_text()))
    assert used - set(COMMANDS) == set()


def test_methods_called_exact_are_the_exact_ones() -> None:
    text = (ROOT / "README.md").read_text()
    (sentence,) = re.findall(r"\*\*Exact\*\*: the methods (.*?)\s+prove", text, re.DOTALL)
    assert set(re.findall(r"`([\w-]+)`", sentence)) == {m.name for m in METHODS.values() if m.kind is Kind.EXACT}


def test_the_checks_run_the_tests_as_the_readme_says() -> None:
    lines = [block.strip() for language, block in _blocks(ROOT / "README.md") if language == "sh"]
    assert lines == ["pip install . && harpagon gap", 'pip install -e ".[dev]" && pytest']
    assert lines[1] in (ROOT / ".ci" / "run").read_text()
