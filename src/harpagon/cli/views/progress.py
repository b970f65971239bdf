"""Progress of one search on standard error: the best plan, the bound and the gap."""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.status import Status


@contextmanager
def solve_progress() -> Iterator[Callable[[float, float], None]]:
    """A line on standard error, once a search takes long enough to report: best plan, bound and gap.

    Yields
    ------
    callable
        To be called with the cost of the best plan and the bound, in dollars per hour.
    """
    status: Status | None = None
    best, proven = math.inf, -math.inf

    def report(cost: float, bound: float) -> None:
        nonlocal status, best, proven
        best, proven = min(best, cost), max(proven, bound)
        if status is None:
            status = _status()
        status.update(_progress_line(best, proven))
        status.start()

    try:
        yield report
    finally:
        if status is not None:
            status.stop()


def _status() -> Status:
    from rich.console import Console

    return Console(stderr=True).status("solving")


def _progress_line(best: float, proven: float) -> str:
    bound = f"no plan below ${max(0.0, proven):.4f}/h"
    if math.isinf(best):
        return f"no plan yet, {bound}"
    return f"best plan ${best:.4f}/h, {bound}, gap {max(0.0, 1 - proven / best):.2%}"
