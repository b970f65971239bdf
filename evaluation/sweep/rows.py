"""One solve as one row: what was run, what made it, and what came out."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from harpagon.evaluation.sweep.provenance import provenance
from harpagon.evaluation.sweep.row_file import JsonLines
from harpagon.instances.files.instances import instance_document

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import ModulePlan, Plan
    from harpagon.instances.policies import Billing, Dispatch
    from harpagon.solvers.options import SolverOptions
    from harpagon.solvers.result import Result


FAILED = "failed"
"""Status of a task whose solve raised an error or ended its worker process."""
REFUSED = "check-failed"
"""Status of a task whose plan fails the independent check."""


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
        `KeyedTask.key` of the task: rows of the same key need not be solved again.
    workload, instance
        Name of the instance, and the hash of all it says.
    method, billing, dispatch
        As in the task.
    status
        A word of `harpagon.solvers.result.Termination`, ``unsupported``, `FAILED` or `REFUSED`.
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
    made
        When, in UTC: 2026-01-31T12:00:00+00:00.
    reason
        Why it failed; empty where it did not.
    plan
        The plan in words, a line per module; empty without one.
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
    made: str
    reason: str = ""
    plan: str = ""

    @property
    def failed(self) -> bool:
        """Whether there is no outcome: the next sweep tries again."""
        return self.status in (FAILED, REFUSED)

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


@dataclass(frozen=True, slots=True)
class KeyedTask:
    """A task with what its row is found by, computed once.

    Attributes
    ----------
    task
        What to run.
    key
        SHA-256 over the case and what solves it: the instance, the method, billing, dispatch, options, the version and
        the sources of this package, the sources of a method from elsewhere, and the versions of the solvers.
    instance
        `instance_hash` of its instance.
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


def _key(task: Task, instance: str, version: str) -> str:
    options = {**asdict(task.options), "start": repr(task.options.start)}
    return _hash([instance, task.method, task.billing, task.dispatch, options, version, *provenance(task.method)])


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
        plan="" if result.plan is None else plan_words(result.plan),
    )


def plan_words(plan: Plan) -> str:
    """A line per module: machines and their configurations, a machine it shares, worst-case latency."""
    modules = [(name, module) for pipeline in plan.pipelines for name, module in pipeline.modules.items()]
    return "\n".join(
        f"{name}: {' + '.join(f'{part.machines:.4g} x {part.configuration}' for part in module.tuples)}, "
        f"{_shared_machine(module)}{1e3 * module.latency:.4g} ms"
        for name, module in modules
    )


def _shared_machine(module: ModulePlan) -> str:
    return f"on {module.pace.machine}, " if module.pace is not None and module.pace.machine else ""


def unsupported_row(keyed: KeyedTask) -> Row:
    """Row of a task that its method cannot solve."""
    return Row(**_identity(keyed), status="unsupported", cost=None, bound=None, build_s=0.0, solve_s=0.0, runs=0)


def failed_row(keyed: KeyedTask, reason: str, status: str = FAILED) -> Row:
    """Row of a task that has no outcome, for this reason."""
    return Row(
        **_identity(keyed), status=status, cost=None, bound=None, build_s=0.0, solve_s=0.0, runs=0, reason=reason
    )


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
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
    }


class RowFile(JsonLines[Row]):
    """Rows of solves, see `JsonLines`."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, Row)
