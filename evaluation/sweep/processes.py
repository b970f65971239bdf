"""Tasks on processes of this machine, by the pool under joblib: a task that ends its worker ends nothing else."""

from __future__ import annotations

import os
import queue
import re
import shutil
import signal
import tempfile
import threading
import time
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from harpagon.instances.errors import MachineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from joblib.externals.loky import ProcessPoolExecutor

T = TypeVar("T")
R = TypeVar("R")

_WATCH_SECONDS = 0.5
_IDLE_DEATHS = 2
"""Times that workers may die in a sweep without a task in hand: one that is killed while it starts ends nothing."""


@dataclass(frozen=True)
class Processes(Generic[T, R]):
    """Workers of this machine.

    Attributes
    ----------
    run
        Runs one task.
    lost
        Row of a task that ends every worker, from the task and how the worker ended.
    workers
        Processes.
    memory
        Bytes that each may use; None for all there are. Linux only.
    """

    run: Callable[[T], R]
    lost: Callable[[T, str], R]
    workers: int
    memory: int | None = None

    def rows(self, tasks: Sequence[T]) -> Iterator[R]:
        """Rows as they finish. Tasks under way when a worker dies run once more, each alone in a new worker.

        Raises
        ------
        MachineError
            Where workers die again and again before they begin a task.
        """
        from joblib.externals.loky.process_executor import BrokenProcessPool

        left = dict(enumerate(tasks))
        idle = 0
        with tempfile.TemporaryDirectory(prefix="harpagon-") as folder:
            while left:
                try:
                    yield from self._finished(left, Path(folder))
                except BrokenProcessPool as error:
                    suspects = [number for number in _begun(Path(folder)) if number in left]
                    idle += not suspects
                    if idle > _IDLE_DEATHS:
                        raise MachineError(f"worker processes end before they begin a task: {_ending(error)}") from None
                    for number in suspects:
                        yield self._alone(left.pop(number), Path(folder))

    def _finished(self, left: dict[int, T], folder: Path) -> Iterator[R]:
        """Rows as they finish; what is done leaves ``left``."""
        from joblib.externals.loky import as_completed

        with self._pool(min(self.workers, len(left)), folder) as pool:
            with _stopped_later():
                futures = {pool.submit(_run, self.run, task, folder / str(n)): n for n, task in left.items()}
            for future in as_completed(futures):
                row = future.result()
                del left[futures[future]]
                yield row

    def _alone(self, task: T, folder: Path) -> R:
        from joblib.externals.loky.process_executor import BrokenProcessPool

        with self._pool(1, folder) as pool:
            try:
                with _stopped_later():
                    future = pool.submit(_run, self.run, task, folder / "alone")
                return future.result()  # type: ignore[no-any-return]
            except BrokenProcessPool as error:
                return self.lost(task, f"its worker process ended twice: {_ending(error)}")

    @contextmanager
    def _pool(self, workers: int, folder: Path) -> Iterator[ProcessPoolExecutor]:
        from joblib.externals.loky import ProcessPoolExecutor

        pool = ProcessPoolExecutor(workers, initializer=_begin, initargs=(os.getpid(), self.memory, folder))
        second_stop: AbstractContextManager[object] = nullcontext()
        try:
            yield pool
        except (KeyboardInterrupt, GeneratorExit):
            second_stop = suppress(KeyboardInterrupt)  # it says nothing new
            raise
        finally:
            with second_stop, _stopped_later():
                _let_none_wait(pool)
                pool.shutdown(wait=True, kill_workers=True)


def _let_none_wait(pool: ProcessPoolExecutor) -> None:
    """Take the tasks that no worker has out of the pool's queue.

    Killing the workers forgets every task, and the thread of the pool dies by a KeyError where it finds one waiting.
    """
    with suppress(queue.Empty):
        while True:
            pool._work_ids.get_nowait()


def _begun(folder: Path) -> list[int]:
    """Numbers of the tasks that were begun and not ended; their notes go."""
    found = []
    for note in folder.iterdir():
        if note.name.isdigit():
            found.append(int(note.name))
        note.unlink()
    return sorted(found)


def _ending(error: BaseException) -> str:
    """How the workers ended, such as SIGKILL(-9)."""
    codes = re.search(r"\{(.+)\}", str(error))
    return codes[1] if codes else "they were lost"


@contextmanager
def _stopped_later() -> Iterator[None]:
    """Hear Ctrl-C and SIGTERM only at the end; children started meanwhile never hear Ctrl-C, the sweep stops them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard: list[int] = []
    handlers = {stop: signal.getsignal(stop) for stop in (signal.SIGINT, signal.SIGTERM)}
    heeded = {stop: handler for stop, handler in handlers.items() if callable(handler)}
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if os.name != "nt" else None
    for stop in heeded:
        signal.signal(stop, lambda number, _: heard.append(number))
    try:
        yield
    finally:
        if blocked is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        for stop, handler in heeded.items():
            signal.signal(stop, handler)
        if heard:
            signal.raise_signal(heard[0])


def _begin(parent: int, memory: int | None, folder: Path) -> None:
    """First thing in a worker: bounded memory, and no life after the parent's, which may be killed any time.

    What the parent would have taken away, the notes in ``folder``, goes then.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent, folder), daemon=True).start()
    if memory is not None:
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))


def _end_with(parent: int, folder: Path) -> None:
    while os.getppid() == parent:
        time.sleep(_WATCH_SECONDS)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


def _run(run: Callable[[T], R], task: T, note: Path) -> R:
    note.touch()
    row = run(task)
    note.unlink()
    return row
