"""Folders and figures that commands write."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from harpagon.instances.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FIGURE_ENDINGS = (".png", ".svg", ".pdf")


def require_folder(folder: Path) -> None:
    """Make ``folder`` where it does not exist; `InputError` where that cannot be done."""
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the system says against writing ``path`` into `InputError`."""
    try:
        yield
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(str(path), "", f"cannot be written ({reason})", "Give another place") from None


def require_figure_ending(path: Path) -> None:
    """Raise `InputError` unless the name of a figure says what kind it is."""
    if path.suffix.lower() not in FIGURE_ENDINGS:
        raise InputError(str(path), "", "is no kind of figure", f"End its name in {', '.join(FIGURE_ENDINGS)}")
