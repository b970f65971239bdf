"""Figures that commands write."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

FIGURE_ENDINGS = (".png", ".svg", ".pdf")
FigureOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Draw the answer to this .png, .svg or .pdf file.", show_default=False),
]


def require_figure(figure: Path | None) -> None:
    """A usage error unless the name of a figure says what kind it is and its folder exists: before long work."""
    if figure is None:
        return
    if figure.suffix.lower() not in FIGURE_ENDINGS:
        problem = f"{figure} is no kind of figure: end its name in {', '.join(FIGURE_ENDINGS)}"
        raise typer.BadParameter(problem, param_hint="--figure")
    if not figure.parent.is_dir():
        raise typer.BadParameter(f"{figure.parent}: there is no such folder", param_hint="--figure")
