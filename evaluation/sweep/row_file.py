"""A file of rows that survives being cut off, and the right to write into its folder."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from harpagon.instances.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator
    from dataclasses import Field
    from pathlib import Path
    from typing import ClassVar, TextIO


class Keyed(Protocol):
    """A data class that says what it is about."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def key(self) -> Hashable:
        """What was run: rows of the same key need not be run again."""


R = TypeVar("R", bound=Keyed)


class JsonLines(Generic[R]):
    """Rows of one data class as JSON lines, appended as they finish; the last of several with the same key counts.

    A process may die while it writes: a last line without its end is dropped when the file is read, and cut off
    before the next row is appended.
    """

    def __init__(self, path: Path, kind: type[R]) -> None:
        self.path = path
        self._kind = kind

    def read(self) -> dict[Hashable, R]:
        """Key to row, for every complete line of this format."""
        rows = (self._parse(line) for line in self._complete_lines())
        return {row.key: row for row in rows if row is not None}

    def append(self, row: R) -> None:
        """Write one row through to the disk; a row of which only a piece could be written is taken back."""
        with self.path.open("ab", buffering=0) as file:
            end = file.tell()
            line = json.dumps(asdict(row), allow_nan=False).encode() + b"\n"
            try:
                if file.write(line) != len(line):
                    raise OSError(28, "No space left on device", str(self.path))
                os.fsync(file.fileno())
            except OSError:
                file.truncate(end)
                raise

    def repair(self) -> None:
        """Create the file, or cut off a last line that has no end."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a+b") as file:
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)

    def _complete_lines(self) -> Iterable[bytes]:
        if not self.path.exists():
            return []
        return self.path.read_bytes().split(b"\n")[:-1]

    def _parse(self, line: bytes) -> R | None:
        """Row of a line; None where the line is damaged or of another version of this format."""
        try:
            return self._kind(**json.loads(line))
        except (ValueError, TypeError):
            return None


@contextmanager
def owned(folder: Path) -> Iterator[None]:
    """Be the one process that writes into ``folder``.

    The system gives the lock back when its owner dies, however it dies.

    Raises
    ------
    InputError
        With the process id of the owner, where there is one.
    """
    if os.name == "nt":  # no such locks
        yield
        return
    file = _locked(folder)
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    try:
        yield
    finally:
        (folder / ".lock").unlink(missing_ok=True)
        file.close()


def _locked(folder: Path) -> TextIO:
    import fcntl

    path = folder / ".lock"
    while True:
        file = path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_same(file, path):
                return file
        except BlockingIOError:
            file.seek(0)
            owner = file.read() or "unknown"
            file.close()
            problem = f"process {owner} is writing into this folder"
            raise InputError(str(folder), "", problem, "Wait until it is done, or give another folder") from None
        file.close()


def _is_same(file: TextIO, path: Path) -> bool:
    """Whether the locked file is still the one at ``path``: its last owner may have removed it in between."""
    try:
        return os.fstat(file.fileno()).st_ino == path.stat().st_ino
    except FileNotFoundError:
        return False
