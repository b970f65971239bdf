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
from harpagon.instances.policies import Dispatch

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


def test_what_a_search_yields_is_one_type() -> None:
    """`Solution`, and of plans `Result`; the simulator and files have words of their own."""
    found = [
        node.name
        for layer in LAYERS
        for path in _sources(layer)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef) and node.name.endswith(("Outcome", "Result", "Solution"))
    ]
    assert sorted(found) == ["Outcome", "Result", "Solution"]


BRANCHES = {
    "formulations/physics.py": 7,
    "simulation/dispatch/dispatchers.py": 1,
    "solvers/exact/descent.py": 3,
    "solvers/exact/layered_climb.py": 4,
}
"""Where a dispatch policy is told apart by its name, and how often: physics, search rules, dispatchers."""


def _names_a_policy(node: ast.AST) -> bool:
    """Whether ``Dispatch.SOMETHING`` stands in ``node``, arguments of calls left aside."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return node.value.id == "Dispatch" and node.attr.isupper()
    return not isinstance(node, ast.Call) and any(map(_names_a_policy, ast.iter_child_nodes(node)))


def _word_of_a_policy(node: ast.AST) -> bool:
    """Whether ``node`` is the word of a policy, or a display that has it."""
    constants = [one.value for one in ast.walk(node) if isinstance(one, ast.Constant)]
    return any(value in tuple(Dispatch) for value in constants)


def _policy_branches(tree: ast.AST, listed: frozenset[str] = frozenset()) -> int:
    """Comparisons with policies, keys of tables over policies, and cases of them, anywhere in ``tree``.

    ``listed`` are names of constants that list policies: to look in one is a comparison.
    """
    found = 0
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            within = any(isinstance(one, ast.Name) and one.id in listed for one in ast.walk(node))
            about = any(word in ast.unparse(node) for word in ("dispatch", "policy"))
            found += _names_a_policy(node) or within or (about and _word_of_a_policy(node))
        elif isinstance(node, ast.Dict):
            found += sum(key is not None and _names_a_policy(key) for key in node.keys)
        elif isinstance(node, ast.match_case):
            found += _names_a_policy(node.pattern)
    return found


def _policy_lists(tree: ast.Module) -> set[str]:
    """Names of module-level constants that are tuples, lists or sets of policies."""
    names = set()
    for node in tree.body:
        if isinstance(node, ast.Assign):
            value = node.value
            made = isinstance(value, ast.Call) and ast.unparse(value.func) in ("frozenset", "set", "tuple")
            shown = value.args[0] if isinstance(value, ast.Call) and made and value.args else value
            if isinstance(shown, ast.Tuple | ast.List | ast.Set) and _names_a_policy(shown):
                names.update(target.id for target in node.targets if isinstance(target, ast.Name))
    return names


def test_a_policy_is_told_apart_in_physics_search_rules_and_dispatchers_alone() -> None:
    trees = {p.relative_to(ROOT).as_posix(): ast.parse(p.read_text()) for layer in LAYERS for p in _sources(layer)}
    listed = frozenset(name for tree in trees.values() for name in _policy_lists(tree))
    counts = {name: _policy_branches(tree, listed) for name, tree in trees.items()}
    assert {name: count for name, count in counts.items() if count} == BRANCHES


@pytest.mark.parametrize(
    ("code", "branches"),
    [
        ("if dispatch is Dispatch.EDF: pass", 1),
        ("quick = rules.dispatch in (Dispatch.TC, Dispatch.FREE)", 1),
        ("if plan.dispatch in SAFE: pass", 1),
        ("if plan.dispatch == 'edf': pass", 1),
        ("styles = {Dispatch.EDF: 1, Dispatch.TC: 2}", 2),
        ("match dispatch:\n  case Dispatch.EDF: pass\n  case _: pass", 1),
        ("solve(instance, dispatch=Dispatch.EDF)", 0),
        ("if execution(configuration, Dispatch.EDF) <= budget: pass", 0),
        ("if heading == 'free': pass", 0),
    ],
)
def test_the_finder_of_branches_finds_them(code: str, branches: int) -> None:
    assert _policy_branches(ast.parse(code), frozenset({"SAFE"})) == branches
    assert _policy_lists(ast.parse("SAFE = frozenset({Dispatch.EDF})\nUSUAL = Dispatch.TC")) == {"SAFE"}


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
