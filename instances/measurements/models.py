"""Files that hold rows of several models or workloads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.instances.errors import InputError, suggestion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.instances.measurements.tables import Row


SEVERAL = "one of several workloads: say which with --workload"
"""Why a row is refused while nobody has said which of a file's workloads is wanted."""


def wanted_workload(names: Sequence[str], wanted: str | None, source: str, place: str) -> str | None:
    """The workload asked for, or the only one; None where there are several and none was asked for.

    Raises
    ------
    InputError
        Where there is none of this name, with those that there are.
    """
    known = list(dict.fromkeys(names))
    if wanted is not None and wanted not in known:
        raise InputError(source, place, f"there is no workload {wanted!r}", f"Known here: {', '.join(known) or 'none'}")
    return wanted or (known[0] if len(known) == 1 else None)


def rows_of_model(rows: Sequence[Row], model: str, column: str, what: str = "model") -> list[Row]:
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
        place, problem = f"column {column}", f"there is no {what} {model!r}"
        raise InputError(rows[0].source, place, problem, suggestion(model, names))
    return [row for row in rows if row.text(column) == model]
