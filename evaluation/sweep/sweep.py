"""Many tasks on many processes: every finished one is kept, and none is done twice."""

from __future__ import annotations

from functools import partial
from importlib.metadata import version
from itertools import groupby
from typing import TYPE_CHECKING, Protocol, TypeVar

from harpagon.evaluation.sweep.rows import failed_row, keyed_tasks
from harpagon.evaluation.sweep.task import run_task
from harpagon.instances.errors import MachineError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

    from harpagon.evaluation.sweep.row_file import JsonLines, Keyed
    from harpagon.evaluation.sweep.rows import KeyedTask, Row, RowFile, Task
    from harpagon.evaluation.sweep.task import Solve


class KeyedWork(Protocol):
    """A task that knows the key of the row it makes."""

    @property
    def key(self) -> Hashable:
        """Key of the row."""


T = TypeVar("T", bound=KeyedWork)
R = TypeVar("R", bound="Keyed")


def _run_missing(
    tasks: Sequence[T],
    file: JsonLines[R] | None,
    stored: Mapping[Hashable, R],
    outcomes: Callable[[Sequence[T]], Iterable[R]],
    finished: Callable[[R], None],
) -> list[R]:
    """Rows in the order of the tasks: those of ``stored``, and of the other tasks as they finish, kept in ``file``."""
    if file is not None:
        file.repair()
    rows = {task.key: stored[task.key] for task in tasks if task.key in stored}
    for row in rows.values():
        finished(row)
    pending = {task.key: task for task in tasks if task.key not in rows}
    for row in outcomes(list(pending.values())) if pending else ():
        if file is not None:
            file.append(row)
        rows[row.key] = row
        finished(row)
    return [rows[task.key] for task in tasks]


def _ignore(row: object) -> None:
    """Tell nobody."""


def run_study(
    tasks: Sequence[T],
    run: Callable[[T], R],
    file: JsonLines[R] | None,
    workers: int = 1,
    finished: Callable[[R], None] | None = None,
) -> list[R]:
    """Rows of all tasks, in their order: those in ``file`` are not made again, the others are appended to it.

    Parameters
    ----------
    tasks
        What to run.
    run
        Runs one; an error ends the study.
    file
        Finished rows; None keeps them nowhere.
    workers
        Processes; 1 runs in this one.
    finished
        Called with every row, those read from the file first.

    Raises
    ------
    MachineError
        Where a task ends its worker process twice.
    """
    from harpagon.evaluation.sweep.processes import Processes

    def lost(task: T, reason: str) -> R:
        raise MachineError(f"{task.key}: {reason}")

    outcomes = partial(map, run) if workers == 1 else Processes(run, lost, workers).rows
    stored = {} if file is None else file.read()
    return _run_missing(tasks, file, stored, outcomes, finished or _ignore)


def sweep(
    tasks: Sequence[Task],
    solve: Solve,
    file: RowFile | None = None,
    workers: int = 1,
    finished: Callable[[Row], None] | None = None,
    scheduler: str | None = None,
    *,
    isolated: bool = False,
    memory: int | None = None,
    fresh: bool = False,
) -> list[Row]:
    """Solve every task that ``file`` has no row of.

    A solve that ends its process is tried once more, alone, and then kept as a row that failed; failed rows are tried
    again by the next sweep.

    Parameters
    ----------
    tasks
        What to solve.
    solve
        Solves one.
    file
        Where rows are read from and appended to; None for nowhere. Interrupting a sweep with a file loses only the
        solves under way.
    workers
        Processes of this machine; 1 solves in this one.
    finished
        Called with every row, those read from the file first.
    scheduler
        Address of a Dask scheduler whose workers solve instead.
    isolated
        Solve in a worker process even with one worker: a solve that ends its process ends no more than that.
    memory
        Bytes that each worker process may use, None for all there are.
    fresh
        Solve again what the file has a row of.

    Returns
    -------
    list of Row
        In the order of ``tasks``, whatever solved them.

    Raises
    ------
    InputError
        Where the scheduler cannot be reached, or Dask is not installed.
    MachineError
        Where the workers or the scheduler were lost.
    """
    keyed = keyed_tasks(tasks, version("harpagon"))
    known = {} if file is None or fresh else file.read()
    stored = {key: row for key, row in known.items() if not row.failed}
    outcomes = _outcomes(
        partial(run_task, solve=solve), 0 if workers == 1 and not isolated else workers, scheduler, memory
    )
    return _run_missing(keyed, file, stored, outcomes, finished or _ignore)


def _outcomes(
    run: Callable[[KeyedTask], Row], workers: int, scheduler: str | None, memory: int | None
) -> Callable[[Sequence[KeyedTask]], Iterable[Row]]:
    """What runs tasks and gives their rows as they finish."""
    if scheduler is not None:
        from harpagon.evaluation.sweep.cluster import Cluster

        cluster = Cluster(run, failed_row, scheduler)
        return lambda tasks: cluster.rows([list(batch) for _, batch in groupby(tasks, key=lambda one: one.instance)])
    if workers > 0:
        from harpagon.evaluation.sweep.processes import Processes

        return Processes(run, failed_row, workers, memory).rows
    return partial(map, run)


def finished_rows(tasks: Sequence[Task], file: RowFile) -> list[Row]:
    """Rows of the tasks that ``file`` has one of, in the order of ``tasks``."""
    stored = file.read()
    return [stored[one.key] for one in keyed_tasks(tasks, version("harpagon")) if one.key in stored]
