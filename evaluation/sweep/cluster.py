"""Tasks of a sweep on a Dask cluster, found by the address of its scheduler.

Dask runs the tasks of a worker that dies on another one. Its own interface is used instead of joblib's Dask backend,
which hands results back only once all are there: a sweep stores each as it finishes.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from harpagon.evaluation.sweep.task import run_task
from harpagon.instances.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from distributed import Client

    from harpagon.evaluation.sweep.rows import KeyedTask, Row
    from harpagon.evaluation.sweep.task import Solve

_CONNECT_SECONDS = 10


def run_on_cluster(pending: Sequence[KeyedTask], solve: Solve, scheduler: str) -> Iterator[Row]:
    """Rows as they finish; what is left is cancelled where the caller stops early.

    Parameters
    ----------
    pending
        Tasks; neighbours of the same instance travel together.
    solve
        Solves one task; the workers need the same version of this package.
    scheduler
        Address, such as ``tcp://127.0.0.1:8786``.

    Raises
    ------
    InputError
        Where Dask is not installed or nothing answers at the address.
    """
    client = _connect(scheduler)
    from distributed import as_completed

    futures = []
    try:
        futures = [
            client.submit(_run_tasks, list(batch), solve, pure=False)
            for _, batch in groupby(pending, key=lambda one: one.instance)
        ]
        for future in as_completed(futures, loop=client.loop):
            yield from future.result()
    finally:
        client.cancel(futures)
        client.close()


def _connect(scheduler: str) -> Client:
    try:
        from distributed import Client
    except ImportError:
        raise InputError(
            "--scheduler", "", "Dask is not installed", "Install it: pip install 'harpagon[cluster]'"
        ) from None
    try:
        return Client(scheduler, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        fault = str(error).splitlines()[0]
        raise InputError("--scheduler", scheduler, fault, "Give the address that `dask scheduler` prints") from None


def _run_tasks(batch: list[KeyedTask], solve: Solve) -> list[Row]:
    return [run_task(one, solve) for one in batch]
