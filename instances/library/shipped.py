"""Instances by name or path: what a command line argument may say."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from harpagon.instances.errors import InputError, shown, suggestion
from harpagon.instances.files.instances import read_instance
from harpagon.instances.library.profiles import DATA

if TYPE_CHECKING:
    from harpagon.instances.instance import Instance


def example_names() -> tuple[str, ...]:
    """Names of the shipped instance files, sorted."""
    return tuple(sorted(path.stem for path in (DATA / "examples").glob("*.yaml")))


def example(name: str) -> Instance:
    """A shipped instance file by name.

    Raises
    ------
    InputError
        Where there is no example of this name.
    """
    if name not in example_names():
        raise InputError(name, "", "there is no such example", suggestion(name, example_names()))
    return read_instance(DATA / "examples" / f"{name}.yaml")


def worked_example() -> Instance:
    """The worked example of the docs: 198 req/s on one module, costs 6.3, 5.3 and 5.0 in fractional billing [R]."""
    return example("worked-example")


def resolve(name_or_path: str) -> Instance:
    """Instance of a file, of a shipped example or hard instance, or of a workload name: ``traffic-198rps-350ms``.

    An existing file comes first; an argument with a folder or a file ending is always a path.

    Raises
    ------
    InputError
        Where nothing has this name, with near names; or where the file is faulty.
    """
    if Path(name_or_path).suffix in (".json", ".yaml", ".yml") or os.sep in name_or_path or _exists(name_or_path):
        return read_instance(name_or_path)
    if name_or_path in example_names():
        return example(name_or_path)
    return _hard_or_workload(name_or_path)


def _hard_or_workload(name: str) -> Instance:
    """What is made from the library's figures, which a file or an example does not need."""
    from harpagon.instances.library.applications import application_names
    from harpagon.instances.library.suites import HARD, hard_instance, instance_names, suite_names
    from harpagon.instances.library.workloads import Workload

    if name in instance_names(HARD):
        return hard_instance(name)
    workload = Workload.from_name(name)
    if workload is not None:
        return workload.instance()
    form = "Give a file, an example, or APPLICATION-RATErps-SLOms; `harpagon instances list` names them"
    known = [*example_names(), *(one for suite in suite_names() for one in instance_names(suite))]
    near = suggestion(name, known, form)
    if name in application_names():
        near = f"Add a rate and an SLO, as in {name}-198rps-1000ms"
    if name in suite_names():
        near = f"{name} is a suite: `harpagon instances list --suite {name}` names its workloads"
    raise InputError(shown(name), "", "is neither a file nor a shipped instance", near)


def _exists(path: str) -> bool:
    try:
        return bool(path) and Path(path).exists()
    except (OSError, ValueError):
        return False
