"""The public names: listed once, documented with a runnable example, cheap to import, said on docs/api.md."""

from __future__ import annotations

import ast
import doctest
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import harpagon

ROOT = Path(__file__).parent.parent.parent
FUNCTIONS = sorted(name for name in harpagon.__all__ if inspect.isfunction(getattr(harpagon, name)))


def test_dir_lists_what_the_stub_declares() -> None:
    stub = ast.parse((ROOT / "src" / "harpagon" / "__init__.pyi").read_text())
    declared = {name.asname for node in stub.body if isinstance(node, ast.ImportFrom) for name in node.names}
    assert declared == set(harpagon.__all__)
    assert declared | {"__version__"} == set(dir(harpagon))


@pytest.mark.parametrize("name", sorted(harpagon.__all__))
def test_every_public_name_is_documented(name: str) -> None:
    value = getattr(harpagon, name)
    if isinstance(value, dict):
        return
    text = inspect.getdoc(value) or ""
    assert re.match(r"[^\s(].*\S", text), f"{name} has no docstring of its own"
    assert not text.startswith(f"{name}("), f"{name} has only the docstring that dataclass makes"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_public_function_types_its_arguments_and_result(name: str) -> None:
    signature = inspect.signature(getattr(harpagon, name))
    untyped = [one.name for one in signature.parameters.values() if one.annotation is inspect.Parameter.empty]
    assert untyped == []
    assert signature.return_annotation is not inspect.Signature.empty


@pytest.mark.parametrize(
    "name", ["Model", "register", "solve", "compare", "curve", "explain", "simulate", "headroom", "formulation"]
)
def test_examples_in_docstrings_run(name: str) -> None:
    value = getattr(harpagon, name)
    before = dict(harpagon.METHODS)
    try:
        tests = doctest.DocTestFinder(recurse=False).find(value, name, globs={})
        assert sum(len(test.examples) for test in tests) > 0
        runner = doctest.DocTestRunner()
        assert all(runner.run(test).failed == 0 for test in tests)
    finally:
        harpagon.METHODS.clear()
        harpagon.METHODS.update(before)


def test_the_import_is_cheap() -> None:
    """Nothing but its loader is imported before a name is used, however Python was started."""
    code = "import sys, ast, lazy_loader; before = set(sys.modules); import harpagon; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["harpagon"]


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = harpagon.no_such_name  # type: ignore[attr-defined]


PAGE = (ROOT / "docs" / "api.md").read_text()
EXAMPLES_OF_PAGE = re.findall(r"^```pycon\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("name", sorted(harpagon.__all__))
def test_the_page_has_a_line_and_an_example_of_every_name(name: str) -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    assert any(f"`{name}`" in row.split("|")[1] for row in rows)
    assert any(re.search(rf"\bharpagon\.{name}\b", example) for example in EXAMPLES_OF_PAGE)


def test_the_page_names_nothing_else() -> None:
    rows = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == set(harpagon.__all__)


def test_the_examples_of_the_page_run() -> None:
    before = dict(harpagon.METHODS)
    try:
        test = doctest.DocTestParser().get_doctest("".join(EXAMPLES_OF_PAGE), {}, "api.md", "docs/api.md", 0)
        assert doctest.DocTestRunner().run(test).failed == 0
    finally:
        harpagon.METHODS.clear()
        harpagon.METHODS.update(before)
