"""The files of a deployment, written into an empty folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.instances.errors import InputError
from harpagon.instances.files.writing import make_folder, write_text
from harpagon.simulation.deploy.kubernetes import kubernetes_files
from harpagon.simulation.deploy.names import require_names
from harpagon.simulation.deploy.ray_serve import ray_files
from harpagon.simulation.deploy.readme import readme
from harpagon.simulation.deploy.target_name import TargetName
from harpagon.simulation.deploy.targets import require_kept
from harpagon.simulation.deploy.triton import triton_files
from harpagon.simulation.deploy.tuples import served_tuples
from harpagon.solvers.capabilities import require_own_machines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan
    from harpagon.simulation.deploy.targets import Target
    from harpagon.simulation.deploy.tuples import ServedTuple

_WRITERS: dict[TargetName, Callable[[Sequence[ServedTuple]], dict[str, str]]] = {
    TargetName.TRITON: triton_files,
    TargetName.RAY: ray_files,
    TargetName.K8S: kubernetes_files,
}


def deployment_files(
    instance: Instance, plan: Plan, target: Target, *, named: str = "INSTANCE", source: str = "PLAN"
) -> dict[str, str]:
    """Path to text of every file of a deployment.

    Parameters
    ----------
    instance, plan
        A plan of this instance that passed the check.
    target
        Where it is to run.
    named, source
        Instance and plan as named on the command line, for messages.

    Raises
    ------
    InputError
        Where the target does not keep what the plan claims, its modules share machines, or names become one.
    """
    require_own_machines(plan, "a deployment")
    tuples = served_tuples(instance, plan)
    require_kept(target, plan, tuples, named, source)
    require_names(tuples, named)
    return {**_WRITERS[target.name](tuples), "README.md": readme(instance, plan, target, tuples)}


def write_deployment(files: dict[str, str], folder: Path) -> None:
    """Write files into a folder that is empty or new: what an older plan left there would be served too.

    Raises
    ------
    InputError
        Where the folder holds something.
    MachineError
        Where it cannot be written.
    """
    make_folder(folder)
    if any(folder.iterdir()):
        raise InputError(str(folder), "", "is not empty", "Give a new folder, so that nothing old is served")
    for name, text in files.items():
        make_folder((folder / name).parent)
        write_text(folder / name, text)
