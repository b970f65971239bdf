"""Progress of a sweep on standard error, with the running gap."""

from __future__ import annotations

import math
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING

from harpagon.evaluation.gaps.tables import REFERENCE, reference_dispatches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harpagon.evaluation.sweep.rows import Row


class RunningGap:
    """Mean cost over the first reference optimum so far, by method, whatever the order in which rows arrive."""

    def __init__(self) -> None:
        self._optima: dict[tuple[str, str], float] = {}
        self._waiting: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
        self._gaps: defaultdict[str, list[float]] = defaultdict(list)

    def add(self, row: Row) -> None:
        """Take in one row."""
        if row.cost is None:
            return
        if row.method != REFERENCE:
            self._waiting[row.problem].append(row)
        elif row.dispatch == reference_dispatches(row.billing)[0] and row.status == "optimal":
            self._optima[row.problem] = row.cost
        if row.problem in self._optima:
            for waiting in self._waiting.pop(row.problem, []):
                self._gaps[waiting.method].append((waiting.cost or 0.0) / self._optima[row.problem] - 1)

    def __str__(self) -> str:
        means = {method: math.fsum(found) / len(found) for method, found in self._gaps.items()}
        return ", ".join(f"{method} {mean:+.2%}" for method, mean in list(means.items())[:3])


@contextmanager
def sweep_progress(total: int) -> Iterator[Callable[[Row], None]]:
    """A progress bar on standard error; yields what to call with every finished row."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("solving"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    running = RunningGap()
    gaps = TextColumn("{task.fields[gap]}", markup=False)
    with Progress(*columns, gaps, console=Console(stderr=True)) as progress:
        bar = progress.add_task("solving", total=total, gap="")

        def finished(row: Row) -> None:
            running.add(row)
            progress.update(bar, advance=1, gap=f"over the optimum: {running}")

        yield finished
