"""Tasks of a sweep on processes of this machine, by joblib."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from harpagon.evaluation.sweep.task import run_task

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harpagon.evaluation.sweep.rows import KeyedTask, Row
    from harpagon.evaluation.sweep.task import Solve


class WorkersLostError(RuntimeError):
    """Worker processes died before they finished any of the tasks left, as under lack of memory."""


def run_in_processes(pending: Sequence[KeyedTask], solve: Solve, workers: int) -> Iterator[Row]:
    """Rows as they finish. The tasks of a worker that dies are run again by new workers.

    Raises
    ------
    WorkersLostError
        Where workers die and nothing gets finished in between.
    """
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    left = {one.key: one for one in pending}
    while left:
        before = len(left)
        parallel = Parallel(n_jobs=workers, return_as="generator_unordered")
        try:
            for row in parallel(delayed(_run_in_worker)(one, solve) for one in list(left.values())):
                del left[row.key]
                yield row
        except TerminatedWorkerError as error:
            if len(left) == before:
                raise WorkersLostError(f"{len(left)} solves end their worker process before they finish") from error


def _run_in_worker(keyed: KeyedTask, solve: Solve) -> Row:
    # Ctrl-C reaches every process of the terminal; the sweep stops its workers itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return run_task(keyed, solve)
