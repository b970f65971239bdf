"""Figures that commands write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.instances.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

FIGURE_ENDINGS = (".png", ".svg", ".pdf")


def require_figure_ending(path: Path) -> None:
    """Raise `InputError` unless the name of a figure says what kind it is."""
    if path.suffix.lower() not in FIGURE_ENDINGS:
        raise InputError(str(path), "", "is no kind of figure", f"End its name in {', '.join(FIGURE_ENDINGS)}")
