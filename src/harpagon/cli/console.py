"""Where the command line writes: answers on standard output, everything else on standard error."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


class ReaderLeftError(Exception):
    """Whoever reads standard output went away, as in ``harpagon ... | head``.

    Not a BrokenPipeError, which both typer and rich turn into exit code 1: no plan.
    """


def show(*parts: RenderableType) -> None:
    """Print an answer on standard output."""
    console = _console(stderr=False)
    for part in parts:
        console.print(part)


def show_json(document: object) -> None:
    """Print one JSON document on standard output."""
    try:
        sys.stdout.write(json.dumps(document, indent=2, allow_nan=False) + "\n")
    except BrokenPipeError:
        raise ReaderLeftError from None


def note(message: str) -> None:
    """Print a message on standard error."""
    _console(stderr=True).print(message, markup=False, highlight=False, soft_wrap=True)


def complain(message: str) -> None:
    """Print an error message on standard error."""
    sys.stderr.write(f"harpagon: {message}\n")


def terminal_width() -> int:
    """Columns of the terminal that standard output writes to, 80 where it is none."""
    return _console(stderr=False).width


def _console(*, stderr: bool) -> Console:
    from rich.console import Console

    class PatientConsole(Console):
        def on_broken_pipe(self) -> None:
            raise ReaderLeftError

    return PatientConsole(stderr=stderr, highlight=False)
