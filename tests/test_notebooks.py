"""Notebooks ask one question, answer it, draw one figure, run from top to bottom, and are stored without outputs."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from harpagon import research

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
NAMES = sorted(path.name for path in NOTEBOOKS.glob("*.ipynb"))

_OPENING = re.compile(r"# .+\n\n\*\*Question\.\*\* (?:.|\n(?!\n))+\?\n\n\*\*Answer\.\*\* ")


def _read(name: str) -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOKS / name, as_version=4)


def _code(name: str) -> str:
    return "\n".join(cell.source for cell in _read(name).cells if cell.cell_type == "code")


def test_there_are_notebooks() -> None:
    assert "01_quickstart.ipynb" in NAMES


@pytest.mark.parametrize("name", NAMES)
def test_notebook_runs_and_draws_one_figure(name: str) -> None:
    notebook = _read(name)
    where = {"metadata": {"path": str(NOTEBOOKS)}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=where).execute()
    shown = [output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", ())]
    assert sum("image/png" in data for data in shown) == 1


@pytest.mark.parametrize("name", NAMES)
def test_notebook_opens_with_one_question_and_its_answer(name: str) -> None:
    first, *others = [cell.source for cell in _read(name).cells if cell.cell_type == "markdown"]
    assert _OPENING.match(first)
    assert not any("**Question.**" in text or "**Answer.**" in text for text in others)


@pytest.mark.parametrize("name", NAMES)
def test_notebook_is_stored_without_outputs(name: str) -> None:
    code = [cell for cell in _read(name).cells if cell.cell_type == "code"]
    assert code
    assert all(not cell.outputs and cell.execution_count is None for cell in code)


@pytest.mark.parametrize("name", NAMES)
def test_notebook_imports_from_the_top_alone(name: str) -> None:
    """The public names and, for who studies the methods, `harpagon.research`; never a module below."""
    assert set(re.findall(r"^\s*(?:from|import) (harpagon[\w.]*)", _code(name), re.MULTILINE)) <= {
        "harpagon",
        "harpagon.research",
    }


def test_a_notebook_uses_every_name_that_research_offers() -> None:
    used = set(re.findall(r"\w+", "\n".join(map(_code, NAMES))))
    assert set(research.__all__) - used == set()
