"""Many tasks on the local cores: every finished solve is kept, and none is done twice."""

from __future__ import annotations

import signal
from importlib.metadata import version
from typing import TYPE_CHECKING, Protocol

from harpagon.evaluation.rows import Row, result_row, task_key, unsupported_row
from harpagon.solvers.capabilities import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harpagon.evaluation.rows import RowFile, Task
    from harpagon.instances.instance import Instance
    from harpagon.instances.policies import Billing, Dispatch
    from harpagon.solvers.options import SolverOptions
    from harpagon.solvers.result import Result

_RUNS = 3
"""Runs of a task for timing: the fastest counts."""
_TIMING_SECONDS = 0.5
"""No further run starts once a task has taken this long."""


class Solve(Protocol):
    """What solves a task: `harpagon.methods.solve`, or anything of its form that can be pickled."""

    def __call__(
        self, instance: Instance, method: str, billing: Billing, dispatch: Dispatch, options: SolverOptions
    ) -> Result:
        """Plan ``instance``."""


def sweep(
    tasks: Sequence[Task],
    solve: Solve,
    file: RowFile,
    workers: int = 1,
    finished: Callable[[Row], None] | None = None,
) -> list[Row]:
    """Solve every task that ``file`` has no row of.

    Parameters
    ----------
    tasks
        What to solve.
    solve
        Solves one.
    file
        Where rows are read from and appended to. Interrupting the sweep loses only the solves under way.
    workers
        Processes; 1 solves in this one.
    finished
        Called with every row, those read from the file first.

    Returns
    -------
    list of Row
        In the order of ``tasks``, whatever the number of workers.
    """
    release = version("harpagon")
    keys = [task_key(task, release) for task in tasks]
    file.repair()
    stored = file.read()
    rows = {key: stored[key] for key in keys if key in stored}
    report = finished or (lambda row: None)
    for row in rows.values():
        report(row)
    pending = {key: task for key, task in zip(keys, tasks, strict=True) if key not in rows}
    for row in _outcomes(list(pending.values()), solve, release, workers):
        file.append(row)
        rows[row.key] = row
        report(row)
    return [rows[key] for key in keys]


def _outcomes(tasks: Sequence[Task], solve: Solve, release: str, workers: int) -> Iterator[Row]:
    if workers == 1 or len(tasks) <= 1:
        return (run_task(task, solve, release) for task in tasks)
    from joblib import Parallel, delayed

    parallel = Parallel(n_jobs=workers, return_as="generator_unordered")
    outcomes: Iterator[Row] = parallel(delayed(_run_in_worker)(task, solve, release) for task in tasks)
    return outcomes


def _run_in_worker(task: Task, solve: Solve, release: str) -> Row:
    # Ctrl-C reaches every process of the terminal; the sweep stops its workers itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return run_task(task, solve, release)


def run_task(task: Task, solve: Solve, release: str) -> Row:
    """Solve one task up to three times and keep the outcome of the fastest run.

    Times are those of the `Result`, build and solve; that this process had to import a solver first shows only where
    a task is too slow for a second run.
    """
    results: list[Result] = []
    while len(results) < _RUNS and sum(map(_seconds, results)) < _TIMING_SECONDS:
        try:
            results.append(solve(task.instance, task.method, task.billing, task.dispatch, task.options))
        except UnsupportedError:
            return unsupported_row(task, release)
    return result_row(task, min(results, key=_seconds), len(results), release)


def _seconds(result: Result) -> float:
    return result.build_time + result.solve_time
