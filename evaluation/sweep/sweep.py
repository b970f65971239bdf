"""Many tasks on many processes: every finished solve is kept, and none is done twice."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from harpagon.evaluation.sweep.rows import keyed_tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harpagon.evaluation.sweep.rows import KeyedTask, Row, RowFile, Task
    from harpagon.evaluation.sweep.task import Solve


def sweep(
    tasks: Sequence[Task],
    solve: Solve,
    file: RowFile | None = None,
    workers: int = 1,
    finished: Callable[[Row], None] | None = None,
    scheduler: str | None = None,
) -> list[Row]:
    """Solve every task that ``file`` has no row of.

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

    Returns
    -------
    list of Row
        In the order of ``tasks``, whatever solved them.

    Raises
    ------
    InputError
        Where the scheduler cannot be reached, or Dask is not installed.
    WorkersLostError
        Where the workers of this machine died without finishing any of the tasks left.
    """
    keyed = keyed_tasks(tasks, version("harpagon"))
    stored = {} if file is None else _stored(file)
    rows = {one.key: stored[one.key] for one in keyed if one.key in stored}
    report = finished or (lambda row: None)
    for row in rows.values():
        report(row)
    pending = {one.key: one for one in keyed if one.key not in rows}
    for row in _outcomes(list(pending.values()), solve, workers, scheduler):
        if file is not None:
            file.append(row)
        rows[row.key] = row
        report(row)
    return [rows[one.key] for one in keyed]


def _stored(file: RowFile) -> dict[str, Row]:
    file.repair()
    return file.read()


def finished_rows(tasks: Sequence[Task], file: RowFile) -> list[Row]:
    """Rows of the tasks that ``file`` has one of, in the order of ``tasks``."""
    stored = file.read()
    return [stored[one.key] for one in keyed_tasks(tasks, version("harpagon")) if one.key in stored]


def _outcomes(pending: Sequence[KeyedTask], solve: Solve, workers: int, scheduler: str | None) -> Iterator[Row]:
    if not pending:
        return iter(())
    if scheduler is not None:
        from harpagon.evaluation.sweep.cluster import run_on_cluster

        return run_on_cluster(pending, solve, scheduler)
    if workers > 1:
        from harpagon.evaluation.sweep.processes import run_in_processes

        return run_in_processes(pending, solve, workers)
    from harpagon.evaluation.sweep.task import run_task

    return (run_task(one, solve) for one in pending)
