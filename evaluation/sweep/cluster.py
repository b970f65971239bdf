"""Tasks on a Dask cluster, found by the address of its scheduler.

Dask runs the tasks of a worker that dies on another one. Its own interface is used instead of joblib's Dask backend,
which hands results back only once all are there: a sweep stores each as it finishes.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from harpagon.evaluation.sweep.provenance import sources_digest
from harpagon.instances.errors import InputError, MachineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from distributed import Client, Future

T = TypeVar("T")
R = TypeVar("R")

_CONNECT_SECONDS = 10


@dataclass(frozen=True)
class Cluster(Generic[T, R]):
    """Workers of a Dask cluster; they need the same code as this process.

    Attributes
    ----------
    run
        Runs one task.
    lost
        Row of a task that ends every worker, from the task and what Dask says.
    scheduler
        Address, such as ``tcp://127.0.0.1:8786``.
    """

    run: Callable[[T], R]
    lost: Callable[[T, str], R]
    scheduler: str

    def rows(self, batches: Sequence[Sequence[T]]) -> Iterator[R]:
        """Rows as they finish; what is left is cancelled where the caller stops early.

        Parameters
        ----------
        batches
            Tasks; those of a batch travel together. Those of a batch that ends its workers run again, one at a time.

        Raises
        ------
        InputError
            Where Dask is not installed, nothing answers at the address, or the workers run other code.
        MachineError
            Where the scheduler is lost.
        """
        from concurrent.futures import CancelledError

        client = _connect(self.scheduler)
        from distributed.comm.core import CommClosedError

        pending: dict[Future[Any], Sequence[T]] = {}
        try:
            pending = {self._submit(client, batch): batch for batch in batches}
            yield from self._finished(client, pending)
        except (CancelledError, CommClosedError, TimeoutError):
            raise MachineError(f"the Dask scheduler at {self.scheduler} was lost") from None
        finally:
            if client.status == "running":
                client.cancel(list(pending))
            client.close(timeout=1)

    def _finished(self, client: Client, pending: dict[Future[Any], Sequence[T]]) -> Iterator[R]:
        from distributed import as_completed
        from distributed.scheduler import KilledWorker

        suspects: list[T] = []
        for future in as_completed(pending, loop=client.loop):
            try:
                yield from future.result()
            except KilledWorker:
                suspects += pending[future]
        for task in suspects:  # Dask suspects whatever waits on a worker that dies: nothing else runs now
            try:
                yield from self._submit(client, [task]).result()
            except KilledWorker as error:
                yield self.lost(task, f"its workers ended: {str(error).splitlines()[0]}")

    def _submit(self, client: Client, batch: Sequence[T]) -> Future[Any]:
        return client.submit(_run_tasks, list(batch), self.run, sources_digest(), pure=False)


def _connect(scheduler: str) -> Client:
    try:
        from distributed import Client
    except ImportError:
        raise InputError(
            "--scheduler", "", "Dask is not installed", "Install it: pip install 'harpagon[cluster]'"
        ) from None
    for name in ("distributed", "distributed.client"):  # Dask gives the second a level of its own
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        with ThreadPoolExecutor(1) as thread:  # a notebook's own thread runs a loop already
            thread.submit(asyncio.run, _knock(scheduler)).result()
        return Client(scheduler, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError, RuntimeError, ImportError) as error:
        fault = str(error).splitlines()[0]
        raise InputError("--scheduler", scheduler, fault, "Give the address that `dask scheduler` prints") from None


async def _knock(scheduler: str) -> None:
    """Raise what speaks against an address: a client that cannot even try it would not end."""
    from distributed.comm.core import connect
    from distributed.security import Security

    secured = Security().get_connection_args("client")
    comm = await connect(scheduler, timeout=_CONNECT_SECONDS, **secured)
    await comm.close()


def _run_tasks(batch: list[T], run: Callable[[T], R], code: str) -> list[R]:
    if sources_digest() != code:
        step = "Install the same code for the workers and start them again"
        raise InputError("--scheduler", "", "a worker of the cluster runs other code of this package", step)
    return [run(one) for one in batch]
