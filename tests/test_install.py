"""What the README's first command installs runs from the root of the clone, where folders could shadow the package."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import venv
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.version import Version

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLE, PRINTED = re.findall(r"^```(?:python|text)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)[:2]
NOTEBOOK = """
import sys, nbformat
from nbclient import NotebookClient

cell = nbformat.v4.new_code_cell(sys.argv[1])
NotebookClient(nbformat.v4.new_notebook(cells=[cell]), resources={"metadata": {"path": "."}}).execute()
print("".join(output.text for output in cell.outputs), end="")
"""


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this tree, since `pip install .` leaves a folder ``build`` behind."""
    left = shutil.ignore_patterns(".*", "build", "*.egg-info", "__pycache__")
    return Path(shutil.copytree(ROOT, tmp_path_factory.mktemp("clone") / "harpagon", ignore=left))


@pytest.fixture(scope="module")
def python(clone: Path) -> Path:
    """Interpreter with the package installed by pip, and what it depends on taken from this interpreter."""
    folder = clone.parent / "venv"
    venv.create(folder, with_pip=False)
    found = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    (packages,) = [
        Path(path)
        for path in _output(found, "-c", "import sys; print(*sys.path, sep='\\n')").split()
        if path.endswith("site-packages")
    ]
    (packages / "dependencies.pth").write_text("\n".join(path for path in sys.path if "site-packages" in path))
    # A setuptools new enough for this project builds without a download.
    ready = Version(version("setuptools")) >= Version("77")
    offline = ("--no-index", "--no-build-isolation") if ready else ()
    _output(found, "-m", "pip", "install", "-q", "--no-deps", *offline, ".", folder=clone)
    return found


def _output(python: Path, *arguments: str, folder: Path | None = None) -> str:
    done = subprocess.run([python, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_installed_package_is_the_one_imported(python: Path, clone: Path) -> None:
    where = "import harpagon, harpagon.instances; print(harpagon.__file__, harpagon.instances.__file__)"
    for path in _output(python, "-c", where, folder=clone).split():
        assert Path(path).is_relative_to(clone.parent / "venv")


def test_the_example_of_the_readme_runs(python: Path, clone: Path) -> None:
    assert _output(python, "-c", EXAMPLE, folder=clone) == PRINTED


def test_a_script_at_the_root_runs(python: Path, clone: Path) -> None:
    (clone / "example.py").write_text(EXAMPLE, encoding="utf-8")
    assert _output(python, "example.py", folder=clone) == PRINTED


def test_a_notebook_at_the_root_runs(python: Path, clone: Path) -> None:
    assert _output(python, "-c", NOTEBOOK, EXAMPLE, folder=clone) == PRINTED


def test_the_command_line_runs(python: Path, clone: Path) -> None:
    assert "$5.0000/h" in _output(python.with_name("harpagon"), "plan", "worked-example", folder=clone)
