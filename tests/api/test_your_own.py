"""The script that a newcomer writes: it runs, its row binds, and the notebook tells it cell by cell."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "your_own.py"
NOTEBOOK = Path(__file__).parent.parent.parent / "notebooks" / "07_your_own.ipynb"


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("own")
    environment = {**os.environ, "MPLBACKEND": "agg"}
    call = [sys.executable, str(SCRIPT)]
    done = subprocess.run(call, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (folder / "gaps.png").stat().st_size > 0
    return done.stdout


def test_it_compares_a_heuristic_of_its_own_on_two_processes(printed: str) -> None:
    rows = re.findall(r"^([\w-]+) +([\d.]+) +(-?[\d.]+)$", printed, re.MULTILINE)
    assert [row[0] for row in rows] == ["exact", "best-single-type", "harpagon", "nexus", "clipper"]
    costs = {method: float(cost) for method, cost, _ in rows}
    assert min(costs, key=costs.__getitem__) == "exact"


def test_its_row_makes_the_plan_dearer_and_is_kept(printed: str) -> None:
    free, kept = re.findall(r"^\$([\d.]+)/h, optimal", printed, re.MULTILINE)
    assert float(kept) > float(free)
    fleets = [set(re.findall(r"\d x (\w+) b=", text)) for text in printed.split("$" + kept, 1)]
    assert [len(fleet) for fleet in fleets] == [3, 2]


def test_the_notebook_has_the_same_code() -> None:
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    lines = [line for line in SCRIPT.read_text().split("\n")[1:] if line]
    assert [line for line in code.split("\n") if line] == lines
