"""Boxes of text: a title and a price in the upper edge, rows with one text at each end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence


def box(name: str, price: float, rows: Sequence[Text], width: int) -> list[Text]:
    """Lines of a box of ``width`` columns around ``rows`` of four columns less; ``price`` in dollars per hour."""
    cost = f" ${price:.4f}/h "
    title = Text(name, "bold")
    title.truncate(width - 8 - len(cost), overflow="ellipsis")
    rule = "─" * (width - 6 - title.cell_len - len(cost))
    top = Text.assemble("╭─ ", title, f" {rule}", (cost, "bold"), "─╮")
    return [top, *(Text.assemble("│ ", row, " │") for row in rows), Text("╰" + "─" * (width - 2) + "╯")]


def ends(left: Text, right: Text, width: int) -> Text:
    """One text at each end of a row of exactly ``width`` columns; the left one gives way."""
    left = left.copy()
    left.truncate(width - right.cell_len - (right.cell_len > 0), overflow="ellipsis")
    return Text.assemble(left, " " * (width - left.cell_len - right.cell_len), right)


def milliseconds(seconds: float) -> str:
    """Four figures and the unit."""
    return f"{seconds * 1e3:.4g} ms" if seconds < 10 else f"{seconds * 1e3:.0f} ms"
