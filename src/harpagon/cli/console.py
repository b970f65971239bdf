"""Where the command line writes: answers on standard output, everything else on standard error."""

from __future__ import annotations

import codecs
import io
import json
import os
import sys
import unicodedata
import warnings
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from rich.console import Console, RenderableType


_ASCII = dict(zip("µ·×–…─━│├┤┬┴┼╭╮╯╰╴╶╵╷█░▼", "u.x-.--|+++++++++--||#.v", strict=True))  # noqa: RUF001
_ASCII |= {"→": "->", "≤": "<=", "≥": ">="}
"""What stands for a sign where the console's encoding lacks it."""


class ReaderLeftError(Exception):
    """Whoever reads standard output went away, as in ``harpagon ... | head``.

    Not a BrokenPipeError, which both typer and rich turn into exit code 1: no plan.
    """


def show(*parts: RenderableType) -> None:
    """Print an answer on standard output; text is taken as it is, never as markup."""
    from rich.console import Group

    if parts:  # one call for all lines: each asks the terminal for its size again
        _console(stderr=False).print(Group(*parts), crop=False)


def show_json(document: object) -> None:
    """Print one JSON document on standard output."""
    try:
        sys.stdout.write(json.dumps(document, indent=2, allow_nan=False) + "\n")
    except BrokenPipeError:
        raise ReaderLeftError from None


def note(message: str) -> None:
    """Print a message on standard error."""
    _console(stderr=True).print(printable(message), soft_wrap=True)


def complain(message: str) -> None:
    """Print an error message on standard error, where that takes it."""
    with suppress(OSError):
        sys.stderr.write(f"harpagon: {printable(message)}\n")
        sys.stderr.flush()


def printable(message: str) -> str:
    """The message with control characters spelt out, so that a name in it neither colours nor moves anything."""
    return "".join(letter if letter in "\n\t" else _spelt(letter) for letter in message)


def _spelt(letter: str) -> str:
    return letter.encode("unicode_escape").decode() if unicodedata.category(letter)[0] == "C" else letter


def prepare_output() -> bool:
    """Have signs that an encoding lacks replaced by like ones; whether there is a standard output."""
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    codecs.register_error("harpagon", _alike)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and not (stream.encoding or "").lower().startswith("utf"):
            stream.reconfigure(errors="harpagon")
    return sys.stdout is not None


def discard_output() -> None:
    """Throw away what could not be printed, which Python would complain about on its way out."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _alike(error: UnicodeError) -> tuple[str, int]:
    """ASCII for the signs that this program prints, a question mark for those of names."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    signs = error.object[error.start : error.end]
    return "".join(_ASCII.get(sign, "?") for sign in signs), error.end


@contextmanager
def warnings_shown() -> Iterator[None]:
    """Print each `HarpagonWarning` once, as a message on standard error."""
    from harpagon.instances.errors import HarpagonWarning

    usual = warnings.showwarning

    def show_warning(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if issubclass(category, HarpagonWarning):
            complain(f"warning: {message}")
        else:
            usual(message, category, filename, lineno, file, line)

    with warnings.catch_warnings():
        warnings.simplefilter("always", HarpagonWarning)
        warnings.showwarning = show_warning
        yield


def terminal_width() -> int:
    """Columns of the terminal that standard output writes to, 80 where it is none."""
    return _console(stderr=False).width


def _console(*, stderr: bool) -> Console:
    from rich.console import Console

    class PatientConsole(Console):
        def on_broken_pipe(self) -> None:
            raise ReaderLeftError

    return PatientConsole(stderr=stderr, highlight=False, markup=False, emoji=False)
