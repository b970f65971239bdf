"""Files that commands write: figures, and folders that have to be there before long work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harpagon.instances.errors import MachineError

FIGURE_ENDINGS = (".png", ".svg", ".pdf")
FigureOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Draw the answer to this .png, .svg or .pdf file.", show_default=False),
]


def require_figure(figure: Path | None) -> None:
    """A usage error unless the name of a figure says what kind it is; its folder has to be there too."""
    if figure is None:
        return
    if figure.suffix.lower() not in FIGURE_ENDINGS:
        problem = f"{figure} is no kind of figure: end its name in {', '.join(FIGURE_ENDINGS)}"
        raise typer.BadParameter(problem, param_hint="--figure")
    require_folder(figure)


def require_folder(path: Path | None) -> None:
    """Raise `MachineError` where a file is to be written to a folder that is not there: before long work."""
    if path is not None and not path.parent.is_dir():
        raise MachineError(f"{path}: cannot be written (no such folder). Give another place.")
