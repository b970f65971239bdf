"""CSV files as pandas tables whose faults have a line and a column."""

from __future__ import annotations

import io
import math
import re
from typing import TYPE_CHECKING

from harpagon.instances.errors import InputError, shown, suggestion
from harpagon.instances.files.documents import read_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pandas as pd


_NOTHING = ("", "nan", "n/a", "none", "null")
_SEPARATORS = (",", ";", "\t")
_BARE = "Give a number from 0 with no unit, and with no separator but a decimal point"


class Row:
    """One line of a CSV file: text cells under the names of the header."""

    def __init__(self, source: str, line: int, cells: dict[str, str]) -> None:
        self.source = source
        self.line = line
        self._cells = cells

    @property
    def place(self) -> str:
        """The line, in words."""
        return f"line {self.line}"

    @property
    def columns(self) -> list[str]:
        """Names of the header."""
        return list(self._cells)

    def empty(self, *columns: str) -> str:
        """The first of ``columns`` whose cell holds no figure; empty text where all do."""
        return next((column for column in columns if self.text(column).lower() in _NOTHING), "")

    def text(self, *columns: str) -> str:
        """Cell of the first of ``columns`` that the file has; empty where it has none."""
        return next((self._cells[column] for column in columns if column in self._cells), "")

    def number(self, *columns: str) -> float | None:
        """Number in the first of ``columns`` that the file has; None where it has none or the cell is empty.

        Raises
        ------
        InputError
            Where the cell holds something else than a finite number of at least 0.
        """
        text = self.text(*columns)
        if text.lower() in _NOTHING:
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and value >= 0):
            column = next(column for column in columns if column in self._cells)
            raise InputError(self.source, f"{self.place}, column {column}", f"is {shown(text)}", _BARE)
        return value

    def positive(self, *columns: str) -> float:
        """Number above 0 in the first of ``columns`` that the file has; InputError for everything else."""
        value = self.number(*columns)
        if not value:
            where = f"{self.place}, column {columns[0]}"
            problem = f"is {shown(self.text(*columns))}" if value is None else "is 0"
            raise InputError(self.source, where, problem, "Give a number above 0")
        return value

    def whole(self, *columns: str) -> int:
        """Whole number from 1 in the first of ``columns`` that the file has; InputError for everything else."""
        value = self.positive(*columns)
        if not value.is_integer() or value > 1_000_000:
            problem = f"is {shown(self.text(*columns))}"
            raise InputError(self.source, f"{self.place}, column {columns[0]}", problem, "Give a whole number from 1")
        return int(value)


def read_rows(path: Path, required: Sequence[str], kind: str) -> list[Row]:
    """Rows of a CSV file that has the columns ``required``.

    Parameters
    ----------
    path
        File.
    required
        Columns without which it is another kind of file.
    kind
        What the file should be, for messages.

    Raises
    ------
    InputError
        Where the file cannot be read, is no CSV, lacks a column, or has no rows.
    """
    table = _table(read_text(path, f"Give a {kind}"), str(path))
    require_columns(str(path), list(map(str, table.columns)), required, kind)
    rows = list(_rows(table, str(path)))
    if not rows:
        raise InputError(str(path), "line 1", "has no rows below its header", f"Give a {kind} of a finished run")
    return rows


def require_columns(source: str, columns: Sequence[str], required: Sequence[str], kind: str) -> None:
    """InputError that names the first of ``required`` that is not among the columns of a file."""
    missing = next((column for column in required if column not in columns), None)
    if missing is not None:
        problem = f"has no column {shown(missing)}: this is no {kind}"
        raise InputError(source, "line 1", problem, suggestion(missing, columns))


def _table(text: str, source: str) -> pd.DataFrame:
    """Cells as text; the separator is the one that the header has most of."""
    import pandas as pd

    separator = _separator(text.partition("\n")[0], source)
    try:
        table = pd.read_csv(
            io.StringIO(text),
            sep=separator,
            dtype=str,
            keep_default_na=False,
            skipinitialspace=True,
            skip_blank_lines=False,
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
        place = f"line {found[2]}" if found else ""
        problem = f"has {found[3]} cells where the header has {found[1]}" if found else f"is no CSV table ({error})"
        raise InputError(source, place, problem, "Correct the line, or export the file again") from None
    table.columns = table.columns.str.strip()
    return table


def _separator(header: str, source: str) -> str:
    """What parts the names of a header; InputError where it has none, or one twice."""
    if not header.strip():
        raise InputError(source, "line 1", "is empty", "Delete the empty lines above the header")
    separator = max(_SEPARATORS, key=header.count)
    names = [name.strip().strip('"') for name in header.split(separator)]
    twice = next((name for position, name in enumerate(names) if name and name in names[:position]), None)
    if twice is not None:
        raise InputError(source, "line 1", f"has two columns {shown(twice)}", "Delete or rename one")
    return separator


def _rows(table: pd.DataFrame, source: str) -> Iterator[Row]:
    for line, values in enumerate(table.to_dict(orient="records"), 2):
        cells = {str(column): str(value).strip() for column, value in values.items()}
        if any(cells.values()):
            yield Row(source, line, cells)
