"""A table of text cells, the same for the HTML page and for Markdown, and how figures are written in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text cells; ``name`` is that of its file."""

    name: str
    caption: str
    headings: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def markdown(table: Table) -> str:
    """Table as Markdown."""
    lines = [table.headings, ("---",) * len(table.headings), *table.rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def percent(share: float | None) -> str:
    """Share as a percentage with two digits."""
    return "-" if share is None else f"{100 * share:.2f} %"


def milliseconds(seconds: float | None) -> str:
    """Time in milliseconds with three significant digits."""
    return "-" if seconds is None else f"{1e3 * seconds:.3g} ms"
