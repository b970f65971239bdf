"""Files are written whole or not at all: beside their place, through to the disk, and then moved there."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from harpagon.instances.errors import MachineError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a place to write to; when all went well, that takes the place of ``path``, and else nothing changes.

    A device or a pipe is written directly.

    Raises
    ------
    MachineError
        Where the file cannot be written.
    """
    with failing_as_machine(path):
        target = Path(os.path.realpath(path))
        if target.is_dir():
            raise IsADirectoryError(0, "a folder of this name is in its place")
        if target.exists() and not target.is_file():
            yield target
            return
        handle, name = tempfile.mkstemp(suffix=target.suffix, prefix=".unfinished-", dir=target.parent)
        os.close(handle)
        try:
            yield Path(name)
            _finish(name, target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def write_text(path: str | Path, text: str) -> None:
    """Write a text file, as UTF-8 and with the line ends it has; see `replacing`."""
    with replacing(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8", newline="")


def make_folder(folder: Path) -> None:
    """Make a folder where there is none; `MachineError` where that cannot be done."""
    with failing_as_machine(folder):
        folder.mkdir(parents=True, exist_ok=True)


@contextmanager
def failing_as_machine(path: str | Path) -> Iterator[None]:
    """Turn what the system says against writing ``path`` into `MachineError`."""
    try:
        yield
    except OSError as error:
        raise MachineError(f"{path}: cannot be written ({error.strerror or error}). Give another place.") from None


def _finish(name: str, target: Path) -> None:
    """Through to the disk, with the permissions that the file had or would have had, and into its place."""
    handle = os.open(name, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    Path(name).chmod(stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666 & ~_umask())
    Path(name).replace(target)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
