"""Files that hold rows of several models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.instances.errors import InputError, suggestion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.instances.measurements.tables import Row


def rows_of_model(rows: Sequence[Row], model: str, column: str) -> list[Row]:
    """Rows that name ``model`` in ``column``; all rows where the file has no such column.

    Raises
    ------
    InputError
        Where no row names it, with the names that come closest.
    """
    names = {row.text(column) for row in rows} - {""}
    if not names:
        return list(rows)
    if model not in names:
        place, problem = f"column {column}", f"there is no model {model!r}"
        raise InputError(rows[0].source, place, problem, suggestion(model, names))
    return [row for row in rows if row.text(column) == model]
