"""A small linear program that gains columns between solves, on one HiGHS solver that starts from the last basis."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from harpagon.solvers.models.highs import new_solver, run_again
from harpagon.solvers.options import DEFAULT_OPTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Solved(NamedTuple):
    """Value of every column and dual value of every row at an optimum."""

    values: Sequence[float]
    duals: Sequence[float]


class GrowingProgram:
    """Minimise over columns that are not negative; ``rows`` are lower and upper ends of every row."""

    def __init__(self, rows: Sequence[tuple[float, float]]) -> None:
        self._highs = new_solver(DEFAULT_OPTIONS)
        self._highs.setOptionValue("presolve", "off")
        self._highs.setOptionValue("dual_feasibility_tolerance", 1e-10)
        self._highs.setOptionValue("primal_feasibility_tolerance", 1e-10)
        nothing = np.array([], dtype=np.int32), np.array([])
        for low, high in rows:
            self._highs.addRow(low, high, 0, *nothing)
        self._open: list[bool] = []

    def add(self, cost: float, entries: Mapping[int, float]) -> None:
        """Add a column with an entry per row number."""
        rows, values = np.array(list(entries), dtype=np.int32), np.array(list(entries.values()))
        self._highs.addCol(cost, 0.0, math.inf, len(rows), rows, values)
        self._open.append(True)

    def change_row(self, row: int, low: float, high: float) -> None:
        """Set the ends of a row."""
        self._highs.changeRowBounds(row, low, high)

    def open(self, wanted: Sequence[bool]) -> None:
        """Allow these columns, and keep all others at 0."""
        for column, (is_open, wants) in enumerate(zip(self._open, wanted, strict=True)):
            if is_open is not wants:
                self._highs.changeColBounds(column, 0.0, math.inf if wants else 0.0)
        self._open = list(wanted)

    def solve(self, seconds: float | None = None) -> Solved | None:
        """Optimum of the columns so far, None where HiGHS finds none, in so many ``seconds`` where given."""
        import highspy

        if seconds is not None:
            self._highs.setOptionValue("time_limit", self._highs.getRunTime() + seconds)
        run_again(self._highs, self._highs.run)
        if self._highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        solution = self._highs.getSolution()
        return Solved(list(solution.col_value), list(solution.row_dual))
