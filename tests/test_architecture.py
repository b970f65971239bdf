"""The house: nothing points up between rooms, starting is light, the front door is open, files stay small."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import harpagon

ROOT = Path(__file__).parent.parent

BELOW = {
    "graphs": set[str](),
    "instances": {"graphs"},
    "formulations": {"graphs", "instances"},
    "solvers": {"graphs", "instances", "formulations"},
    "heuristics": {"graphs", "instances", "formulations"},
    "simulation": {"graphs", "instances", "formulations", "heuristics"},  # controllers replan while they run
    "evaluation": {"graphs", "instances", "formulations", "solvers", "heuristics", "simulation"},
}
"""Room to the rooms it may import. The front door ``harpagon/`` may import all of them."""

DOOR_ABOVE = {"evaluation": {"methods", "certificates"}}
"""Modules of the front door that a room may import: a sweep runs methods by name."""

MOST_LINES = 400
HEAVY = ("dask", "highspy", "joblib", "matplotlib", "numpy", "onnxruntime", "ortools", "pandas", "pyarrow", "pyomo")


def _sources(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


def _imported(tree: ast.AST) -> set[str]:
    """Dotted names of the package that ``tree`` imports, wherever in the file."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return {name for name in names if name.split(".")[0] == "harpagon"}


def _upward(room: str, name: str) -> bool:
    """Whether ``room`` may not import ``name``, a dotted name below ``harpagon``."""
    first = name.removeprefix("harpagon").lstrip(".").split(".")[0]
    if first == room or first in BELOW[room]:
        return False
    return first not in DOOR_ABOVE.get(room, set())


def test_every_room_is_shipped_and_known() -> None:
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"build", "harpagon"}
    assert rooms == set(BELOW)
    for room in rooms:
        assert Path(importlib.import_module(f"harpagon.{room}").__file__ or "").parent.name == room


@pytest.mark.parametrize("room", BELOW)
def test_nothing_points_up(room: str) -> None:
    faults = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in _sources(room)
        for name in sorted(_imported(ast.parse(path.read_text())))
        if _upward(room, name)
    ]
    assert not faults


def test_the_finder_of_imports_finds_them() -> None:
    text = "def f():\n    from harpagon.solvers.exact import solve_exact\nimport harpagon.graphs, json"
    assert _imported(ast.parse(text)) == {"harpagon.solvers.exact.solve_exact", "harpagon.graphs"}
    assert _upward("graphs", "harpagon.solvers.exact.solve_exact")
    assert not _upward("solvers", "harpagon.graphs")


@pytest.mark.parametrize("room", [*BELOW, "harpagon"])
def test_files_stay_small(room: str) -> None:
    lengths = {path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in _sources(room)}
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}


@pytest.mark.parametrize(
    "script",
    [
        "import harpagon",
        "from harpagon.cli import main; main(['plan', 'traffic-198rps'])",
        "from harpagon.cli import main; main(['plan', 'traffic-198rps', '--method', 'harpagon'])",
    ],
)
def test_starting_is_light(script: str) -> None:
    code = f"import sys\n{script}\nprint([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_importing_the_front_door_imports_no_room() -> None:
    code = "import sys, harpagon; print(sorted(name for name in sys.modules if name.startswith('harpagon.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_front_door_exports_what_it_names() -> None:
    for name in harpagon.__all__:
        assert getattr(harpagon, name) is not None
    assert set(harpagon.__all__) <= set(dir(harpagon))
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = harpagon.no_such_name  # type: ignore[attr-defined]


@pytest.mark.parametrize("room", BELOW)
def test_public_lists_of_rooms_resolve(room: str) -> None:
    module = importlib.import_module(f"harpagon.{room}")
    for name in getattr(module, "__all__", ()):
        assert getattr(module, name) is not None
