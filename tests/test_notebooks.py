"""Notebooks run from top to bottom, and are stored without outputs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
NAMES = sorted(path.name for path in NOTEBOOKS.glob("*.ipynb"))


def test_there_are_notebooks() -> None:
    assert "01_quickstart.ipynb" in NAMES


@pytest.mark.parametrize("name", NAMES)
def test_notebook_runs(name: str, tmp_path: Path) -> None:
    """In a pytest of its own, since nbmake collects notebooks itself."""
    command = ["pytest", "-q", "--nbmake", "--nbmake-timeout=300", "-p", "no:cacheprovider", str(NOTEBOOKS / name)]
    done = subprocess.run([sys.executable, "-m", *command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_notebook_is_stored_without_outputs(name: str) -> None:
    cells = json.loads((NOTEBOOKS / name).read_text())["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert code
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in code)


@pytest.mark.parametrize("name", NAMES)
def test_notebook_imports_from_the_top_alone(name: str) -> None:
    """The public names and, for who studies the methods, `harpagon.research`; never a module below."""
    cells = json.loads((NOTEBOOKS / name).read_text())["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    assert set(re.findall(r"^\s*(?:from|import) (harpagon[\w.]*)", code, re.MULTILINE)) <= {
        "harpagon",
        "harpagon.research",
    }
