"""CSV files of numbers: named columns, # lines left aside, errors that name the line."""

from __future__ import annotations

import csv
import math
from typing import TYPE_CHECKING

from harpagon.instances.errors import InputError, shown
from harpagon.instances.files.documents import read_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def read_number_table(path: Path, columns: Sequence[str]) -> list[tuple[int, tuple[float, ...]]]:
    """Line number and values of ``columns`` for every data line; other columns are left aside.

    Raises
    ------
    InputError
        Where the file cannot be read, a column is missing, a value is no finite number, or there is no data line.
    """
    wanted = ",".join(columns)
    lines = _lines(path, f"Start with the header {wanted}")
    if not lines:
        raise InputError(str(path), "line 1", "the file is empty", f"Start with the header {wanted}")
    header = [column.strip() for column in _cells(path, *lines[0])]
    missing = [column for column in columns if column not in header]
    if missing:
        place = f"line {lines[0][0]}"
        raise InputError(str(path), place, f"no column {', '.join(missing)}", f"Start with the header {wanted}")
    if len(lines) == 1:
        raise InputError(str(path), f"line {lines[0][0]}", "no data after the header", f"Add lines of {wanted}")
    return [(number, _values(path, number, line, header, columns)) for number, line in lines[1:]]


def _lines(path: Path, wanted: str) -> list[tuple[int, str]]:
    """Numbered lines that are neither empty nor comments."""
    text = read_text(path, wanted)
    return [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip() and line[0] != "#"]


def _cells(path: Path, number: int, line: str) -> list[str]:
    try:
        return next(csv.reader([line]))
    except csv.Error as error:
        raise InputError(str(path), f"line {number}", f"is no CSV ({error})", "Give numbers and commas") from None


def _values(path: Path, number: int, line: str, header: list[str], columns: Sequence[str]) -> tuple[float, ...]:
    cells = dict(zip(header, _cells(path, number, line), strict=False))
    values = []
    for column in columns:
        text = cells.get(column, "").strip()
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise InputError(str(path), f"line {number}", f"{column} is {shown(text)}", "Give a number")
        values.append(value)
    return tuple(values)
