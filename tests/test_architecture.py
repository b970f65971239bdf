"""The tower: one order of layers, no import circle, every package installed, starting is light, files stay small."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
import tomllib
from pathlib import Path

import networkx as nx
import pytest

import harpagon

ROOT = Path(__file__).parent.parent

LAYERS = ("graphs", "instances", "formulations", "heuristics", "solvers", "simulation", "evaluation", "harpagon")
"""Every layer imports only those before it. ``harpagon`` is the public API and the command line, in ``src/``."""

MOST_LINES = 400
HEAVY = ("dask", "highspy", "joblib", "matplotlib", "numpy", "onnxruntime", "ortools", "pandas", "pyarrow", "pyomo")


def _folder(layer: str) -> Path:
    return ROOT / "src" / "harpagon" if layer == "harpagon" else ROOT / layer


def _sources(layer: str) -> list[Path]:
    return sorted(_folder(layer).rglob("*.py"))


def _module(path: Path) -> str:
    """Dotted name under which a source file is installed."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    parts = parts[1:] if parts[0] == "src" else ("harpagon", *parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


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


def _layer(name: str) -> str:
    """Layer of a dotted name: the public names and the command line are the top one."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in LAYERS else "harpagon"


def _upward(layer: str, name: str) -> bool:
    return LAYERS.index(_layer(name)) > LAYERS.index(layer)


def test_every_layer_is_a_folder_at_the_root() -> None:
    folders = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"studies"}
    assert folders == set(LAYERS) - {"harpagon"}
    assert not (ROOT / "harpagon").exists(), "a folder of the package's name shadows the installed package"


def test_every_package_is_installed() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    assert sorted(listed) == sorted(_module(path) for layer in LAYERS for path in _folder(layer).rglob("__init__.py"))


@pytest.mark.parametrize("layer", LAYERS)
def test_nothing_points_up(layer: str) -> None:
    faults = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in _sources(layer)
        for name in sorted(_imported(ast.parse(path.read_text())))
        if _upward(layer, name)
    ]
    assert not faults


def test_no_import_circle() -> None:
    """Neither between modules, imports inside functions included, nor by way of types."""
    modules = {_module(path): path for layer in LAYERS for path in _sources(layer)}
    graph = nx.DiGraph()
    for module, path in modules.items():
        for name in _imported(ast.parse(path.read_text())):
            target = name if name in modules else name.rpartition(".")[0]
            if target != module:
                graph.add_edge(module, target)
    circles = [sorted(one) for one in nx.strongly_connected_components(graph) if len(one) > 1]
    assert circles == []


def test_the_finder_of_imports_finds_them() -> None:
    text = "def f():\n    from harpagon.solvers.exact.solve import solve_exact\nimport harpagon.graphs, json"
    assert _imported(ast.parse(text)) == {"harpagon.solvers.exact.solve.solve_exact", "harpagon.graphs"}
    assert _upward("graphs", "harpagon.solvers.exact.solve.solve_exact")
    assert _upward("heuristics", "harpagon.solvers.methods")
    assert _upward("evaluation", "harpagon.cli.console") and _upward("evaluation", "harpagon")
    assert not _upward("solvers", "harpagon.graphs")


@pytest.mark.parametrize("layer", LAYERS)
def test_files_stay_small(layer: str) -> None:
    lengths = {path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in _sources(layer)}
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


def test_importing_the_public_api_imports_no_layer() -> None:
    code = "import sys, harpagon; print(sorted(name for name in sys.modules if name.startswith('harpagon.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_public_api_exports_what_it_names() -> None:
    for name in harpagon.__all__:
        assert getattr(harpagon, name) is not None
    assert set(harpagon.__all__) <= set(dir(harpagon))
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = harpagon.no_such_name  # type: ignore[attr-defined]


@pytest.mark.parametrize("layer", LAYERS[:-1])
def test_public_lists_of_layers_resolve(layer: str) -> None:
    module = importlib.import_module(f"harpagon.{layer}")
    for name in getattr(module, "__all__", ()):
        assert getattr(module, name) is not None
