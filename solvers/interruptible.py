"""Run a solver written in C++ so that Ctrl-C is heard: in a second thread, while the first one waits."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_WAIT = 0.2


def run_interruptibly(work: Callable[[], object], stop: Callable[[], object]) -> bool:
    """Run ``work``; on Ctrl-C call ``stop`` and wait for ``work`` to return. Returns whether Ctrl-C came."""
    thread = Thread(target=work, daemon=True)
    thread.start()
    interrupted = False
    while thread.is_alive():
        try:
            thread.join(_WAIT)
        except KeyboardInterrupt:
            interrupted = True
            stop()
    return interrupted
