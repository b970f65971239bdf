"""Rows as a table with the proven optima and the gaps over them."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING

from harpagon.evaluation.gaps.tables import REFERENCE_DISPATCHES, proven_optima, reference_dispatches
from harpagon.evaluation.sweep.rows import Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pandas import DataFrame

    from harpagon.evaluation.gaps.tables import Optima
    from harpagon.instances.policies import Dispatch


def comparison_frame(rows: Sequence[Row]) -> DataFrame:
    """Rows as a table.

    Returns
    -------
    DataFrame
        A column per attribute of `Row`, costs and bounds in dollars per hour, times in seconds; then per reference
        dispatch ``optimum_DISPATCH``, the proven optimum, and ``gap_DISPATCH``, cost / optimum - 1. Figures are NaN
        where there is no plan or nothing was proven.
    """
    import pandas as pd

    optima = proven_optima(rows)
    shown = [policy for row in rows for policy in reference_dispatches(row.billing)]
    references = tuple(dict.fromkeys(shown)) or REFERENCE_DISPATCHES
    figures = [f"{name}_{dispatch}" for dispatch in references for name in ("optimum", "gap")]
    columns = [*(field.name for field in fields(Row)), *figures]
    # pandas keeps members of an enumeration as such before 3.0
    records = [asdict(row) | {"billing": str(row.billing), "dispatch": str(row.dispatch)} for row in rows]
    found = [record | _gaps(row, optima, references) for record, row in zip(records, rows, strict=True)]
    frame = pd.DataFrame(found, columns=columns)
    return frame.astype(dict.fromkeys(("cost", "bound", *figures), float))


def _gaps(row: Row, optima: Optima, references: Sequence[Dispatch]) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for dispatch in references:
        optimum = optima.get((*row.problem, dispatch))
        found[f"optimum_{dispatch}"] = optimum
        found[f"gap_{dispatch}"] = None if optimum is None or row.cost is None else row.cost / optimum - 1
    return found
