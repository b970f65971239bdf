"""Columns and rows of a linear program in units of their own size.

Solvers call a row kept that is broken by 1e-9, whatever its unit. Of rows in seconds, with latencies of microseconds,
that is a large share, and beside rates of millions it let HiGHS prove bounds that are wrong. Programs of ordinary times
are left alone: HiGHS 1.16 proves what it should of three equal modules in seconds, and not in all other units.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harpagon.formulations.planning.linear_program import LinearProgram


def scaled(program: LinearProgram) -> tuple[LinearProgram, NDArray[np.float64]]:
    """The program in other units, powers of two, and per column its unit: x = unit times the new x.

    Continuous columns with an upper bound are counted in its size, others in the size that their rows suggest; integer
    columns stay as they are. The largest coefficient of every row is about 1.
    """
    sizes, row_of = np.abs(program.values), np.repeat(np.arange(program.rows), np.diff(program.starts))
    bounded = ~program.integer & (program.column_upper > 0) & (program.column_upper < np.inf)
    units = np.where(bounded, _power(np.where(bounded, program.column_upper, 1.0)), 1.0)
    known = (program.integer | bounded)[program.indices]
    factors = _reciprocal(_largest(row_of, np.where(known, sizes * units[program.indices], 0.0), program.rows))
    from_rows = _reciprocal(_largest(program.indices, sizes * factors[row_of], program.columns))
    units = np.where(program.integer | bounded, units, from_rows)
    factors = _reciprocal(_largest(row_of, sizes * units[program.indices], program.rows))
    return replace(
        program,
        costs=program.costs * units,
        column_lower=program.column_lower / units,
        column_upper=program.column_upper / units,
        row_lower=program.row_lower * factors,
        row_upper=program.row_upper * factors,
        values=program.values * units[program.indices] * factors[row_of],
    ), units


def _largest(places: NDArray[np.integer], sizes: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """Largest size at each of so many places, 0 where there is none."""
    largest = np.zeros(length)
    np.maximum.at(largest, places, sizes)
    return largest


def _reciprocal(sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """One over each size, 1 for 0."""
    return 1 / _power(np.where(sizes > 0, sizes, 1.0))


def _power(sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """The power of two next to each size: a change of unit that no figure is rounded by."""
    return np.asarray(2.0 ** np.round(np.log2(sizes)))
