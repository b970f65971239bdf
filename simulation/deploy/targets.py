"""Targets, and the plans that each can keep.

Who makes the batches decides the latency. A queue that all machines of a tuple share keeps d + b/W, a queue per
machine has 2 d and needs requests dealt in turn (docs/deploy.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harpagon.formulations.physics import TIME_TOLERANCE
from harpagon.instances.errors import InputError
from harpagon.simulation.deploy.target_name import TargetName
from harpagon.simulation.dispatch.dispatchers import shares_queue

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harpagon.instances.plan import Plan
    from harpagon.simulation.deploy.tuples import ServedTuple


@dataclass(frozen=True, slots=True)
class Target:
    """A system that serves plans.

    Attributes
    ----------
    name
        As on the command line.
    keeps
        The policy it keeps, in words.
    shared_queue
        Whether one queue feeds all machines of a tuple; else each machine has its own.
    several_tuples
        Whether a module may have more than one tuple.
    options
        Options of ``harpagon plan`` that make a plan for it.
    """

    name: TargetName
    keeps: str
    shared_queue: bool
    several_tuples: bool
    options: str


TARGETS = {
    target.name: target
    for target in (
        Target(
            TargetName.TRITON,
            "one queue per module of one tuple: d + b/W",
            shared_queue=True,
            several_tuples=False,
            options="--method harp-1c --dispatch tc --billing whole",
        ),
        Target(
            TargetName.RAY,
            "one queue per replica, requests dealt in turn: 2 d, modules of one tuple",
            shared_queue=False,
            several_tuples=False,
            options="--method inferline --dispatch round-robin --billing whole",
        ),
        Target(
            TargetName.K8S,
            "one queue per pod, requests dealt in turn: 2 d",
            shared_queue=False,
            several_tuples=True,
            options="--dispatch round-robin --billing whole",
        ),
    )
}


def require_kept(target: Target, plan: Plan, tuples: Sequence[ServedTuple], instance: str, source: str) -> None:
    """Raise unless ``target`` keeps what the plan claims.

    Parameters
    ----------
    target
        Where the plan is to run.
    plan, tuples
        The plan, and its tuples.
    instance, source
        Instance and plan as named on the command line, for the message.

    Raises
    ------
    InputError
        With the command that makes a plan for this target.
    """
    own = [part for part in tuples if part.is_capacity]
    if own and target.name is not TargetName.K8S:
        problem = f"is a server that makes its own batches, {target.name}'s batcher would come on top"
        raise InputError(source, own[0].place, problem, "Deploy it with --target k8s")
    residual = "has a machine that is used and paid in part, which no target rents out"
    faults = [(part.place, residual) for part in tuples if part.part.is_residual]
    faults += [(part.place, fault) for part in tuples for fault in _faults(target, part)]
    mismatch = shares_queue(plan.dispatch) is not target.shared_queue
    if mismatch and len(own) < len(tuples):
        faults.insert(0, ("dispatch", f"is {plan.dispatch}, {target.name} keeps {target.keeps}"))
    if faults:
        command = f"harpagon plan {instance} {target.options} --out plan.json"
        raise InputError(source, *faults[0], f"`{command}` makes a plan for it")


def _faults(target: Target, part: ServedTuple) -> Iterator[str]:
    """Why a target does not keep one tuple of a plan."""
    if part.tuples > 1 and not target.several_tuples:
        yield f"has {part.tuples} tuples, whose requests nothing in {target.name} deals as planned"
    kept = part.duration * (1 + 1 / part.machines if target.shared_queue else 2)
    if not part.is_capacity and part.batch > 1 and part.bound < kept - TIME_TOLERANCE:
        claim = f"claims {part.bound * 1e3:.6g} ms with batches of {part.batch}"
        yield f"{claim}, {target.name} keeps {kept * 1e3:.6g} ms"
