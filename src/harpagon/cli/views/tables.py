"""The one look of tables on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Collection


def plain_table(*headings: str | Text, left: Collection[int] = (0,), title: str = "", caption: str = "") -> Table:
    """A table without rows.

    Parameters
    ----------
    headings
        One per column.
    left
        Columns that hold words; the others hold figures and stand to the right.
    title, caption
        Lines above and below.
    """
    table = Table(
        box=SIMPLE_HEAD,
        title=Text(title, "bold") if title else None,
        title_justify="left",
        caption=Text(caption) if caption else None,
        caption_justify="left",
        collapse_padding=True,
    )
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="left" if place in left else "right")
    return table
