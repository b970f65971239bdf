"""Import a Python file, or a module by its dotted name, that registers methods."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from harpagon.instances.errors import InputError
from harpagon.solvers.plugins.faults import described, place_of

PREFIX = "harpagon_plugin_"
"""Of the names under which plugin files are imported: no other process can import them by name."""


def load_plugin(target: str | Path) -> None:
    """Import a Python file, or a module by its dotted name, that registers methods.

    Raises
    ------
    InputError
        Where there is no such file or module, or importing it fails; with the place of the fault.
    """
    target = str(target)
    if target.endswith(".py") or Path(target).is_file():
        _import_file(Path(target))
        return
    try:
        import_module(target)
    except ModuleNotFoundError as error:
        problem = f"there is no such file or module ({error})"
        raise InputError(target, "", problem, "Give a .py file or an importable module") from None
    except Exception as error:
        raise _import_fault(target, error) from error


def _import_file(path: Path) -> None:
    name = PREFIX + re.sub(r"\W", "_", path.stem)
    spec = spec_from_file_location(name, path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise InputError(str(path), "", "there is no such Python file", "Check the path")
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except InputError:
        raise
    except Exception as error:
        raise _import_fault(str(path), error) from error


def _import_fault(target: str, error: Exception) -> InputError:
    return InputError(target, place_of(error), f"importing it raises {described(error)}", "Mend it, or leave it out")
