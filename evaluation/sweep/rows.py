"""One solve as one row: what was run, what came out, and a file of rows that survives being cut off."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from harpagon.instances.files.instances import instance_document
from harpagon.solvers.methods import METHODS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from harpagon.instances.instance import Instance
    from harpagon.instances.policies import Billing, Dispatch
    from harpagon.solvers.options import SolverOptions
    from harpagon.solvers.result import Result


@dataclass(frozen=True, slots=True)
class Task:
    """One instance to solve with one method.

    Attributes
    ----------
    instance
        What to plan.
    method
        Name of the method.
    billing, dispatch
        What it plans for.
    options
        How long and how far to search.
    """

    instance: Instance
    method: str
    billing: Billing
    dispatch: Dispatch
    options: SolverOptions


@dataclass(frozen=True, slots=True)
class Row:
    """Outcome of one task.

    Attributes
    ----------
    key
        `task_key` of the task: rows of the same key need not be solved again.
    workload, instance
        Name of the instance, and the hash of all it says.
    method, billing, dispatch
        As in the task.
    status
        A word of `harpagon.solvers.result.Termination`, or ``unsupported``.
    cost
        Dollars per hour of the plan, None without one.
    bound
        Dollars per hour that no plan undercuts, None where nothing was proven.
    build_s, solve_s
        Seconds of the fastest of ``runs`` runs.
    runs
        How often the task was run for timing.
    version
        Of this package.
    """

    key: str
    workload: str
    instance: str
    method: str
    billing: str
    dispatch: str
    status: str
    cost: float | None
    bound: float | None
    build_s: float
    solve_s: float
    runs: int
    version: str

    @property
    def seconds(self) -> float:
        """Build and solve time together."""
        return self.build_s + self.solve_s

    @property
    def problem(self) -> tuple[str, str]:
        """Instance and billing: what the costs of two methods must share to be compared."""
        return (self.instance, self.billing)

    @property
    def series(self) -> tuple[str, str, str]:
        """Billing, method and dispatch: what summaries group by."""
        return (self.billing, self.method, self.dispatch)


def instance_hash(instance: Instance) -> str:
    """SHA-256 over the instance file that `instance` would be written to."""
    return _hash(instance_document(instance))


def task_key(task: Task, version: str) -> str:
    """SHA-256 over the instance, the method, billing, dispatch, options and the version of this package."""
    return _key(task, instance_hash(task.instance), version)


@dataclass(frozen=True, slots=True)
class KeyedTask:
    """A task with what its row is found by, computed once.

    Attributes
    ----------
    task
        What to run.
    key, instance
        `task_key` and `instance_hash` of the task.
    version
        Of this package.
    """

    task: Task
    key: str
    instance: str
    version: str


def keyed_tasks(tasks: Iterable[Task], version: str) -> list[KeyedTask]:
    """Tasks with their keys; an instance that several tasks share is hashed once."""
    hashes: dict[int, str] = {}
    keyed = []
    for task in tasks:
        found = hashes.get(id(task.instance)) or hashes.setdefault(id(task.instance), instance_hash(task.instance))
        keyed.append(KeyedTask(task, _key(task, found, version), found, version))
    return keyed


def _revised(version: str, method: str) -> str:
    """Version of this package, with the revision of a method that is registered from outside."""
    revision = METHODS[method].revision if method in METHODS else ""
    return f"{version}+{revision}" if revision else version


def _key(task: Task, instance: str, version: str) -> str:
    options = {**asdict(task.options), "start": repr(task.options.start)}
    return _hash([instance, task.method, task.billing, task.dispatch, options, _revised(version, task.method)])


def _hash(document: object) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def result_row(keyed: KeyedTask, result: Result, runs: int) -> Row:
    """Row of a finished task."""
    return Row(
        **_identity(keyed),
        status=result.termination,
        cost=result.objective,
        bound=result.dual_bound if math.isfinite(result.dual_bound) else None,
        build_s=result.build_time,
        solve_s=result.solve_time,
        runs=runs,
    )


def unsupported_row(keyed: KeyedTask) -> Row:
    """Row of a task that its method cannot solve."""
    return Row(**_identity(keyed), status="unsupported", cost=None, bound=None, build_s=0.0, solve_s=0.0, runs=0)


def _identity(keyed: KeyedTask) -> dict[str, str]:
    task = keyed.task
    return {
        "key": keyed.key,
        "workload": task.instance.name,
        "instance": keyed.instance,
        "method": task.method,
        "billing": task.billing,
        "dispatch": task.dispatch,
        "version": keyed.version,
    }


class RowFile:
    """Rows as JSON lines, appended as they finish.

    A process may die while it writes: a last line without its end is dropped when the file is read, and cut off
    before the next row is appended.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, Row]:
        """Key to row, for every complete line of this format."""
        rows = (_parse(line) for line in self._complete_lines())
        return {row.key: row for row in rows if row is not None}

    def append(self, row: Row) -> None:
        """Write one row through to the operating system."""
        with self.path.open("ab") as file:
            file.write(json.dumps(asdict(row), allow_nan=False).encode() + b"\n")

    def repair(self) -> None:
        """Create the file, or cut off a last line that has no end."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a+b") as file:
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)

    def _complete_lines(self) -> Iterable[bytes]:
        if not self.path.exists():
            return []
        return self.path.read_bytes().split(b"\n")[:-1]


def _parse(line: bytes) -> Row | None:
    """Row of a line; None where the line is damaged or of another version of this format."""
    try:
        return Row(**json.loads(line))
    except (ValueError, TypeError):
        return None
