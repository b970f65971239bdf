"""Run a solver written in C++ so that Ctrl-C is heard: in a second thread, while the first one waits."""

from __future__ import annotations

from threading import Event, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_WAIT = 0.2


def run_interruptibly(work: Callable[[], object], stop: Callable[[], object]) -> bool:
    """Run ``work``; on Ctrl-C call ``stop`` and wait for ``work`` to return. Returns whether Ctrl-C came.

    An event is waited for, not the thread: in Python 3.11 ``Thread.join`` can take a running thread for finished once
    Ctrl-C interrupts it.
    """
    done = Event()
    failures: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as failure:
            failures.append(failure)
        finally:
            done.set()

    Thread(target=run, daemon=True).start()
    interrupted = False
    while not done.is_set():
        try:
            done.wait(_WAIT)
        except KeyboardInterrupt:
            interrupted = True
            stop()
    if failures:
        raise failures[0]
    return interrupted
