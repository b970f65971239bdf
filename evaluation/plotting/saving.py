"""Figures as files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harpagon.instances.files.writing import replacing

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure


def save_figure(figure: Figure, path: Path, **options: Any) -> None:
    """Write a figure, whole or not at all, in the format that its ending names."""
    with replacing(path) as unfinished:
        figure.savefig(unfinished, **options)
