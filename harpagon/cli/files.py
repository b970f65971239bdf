"""Folders that commands write into."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.instances.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path


def require_folder(folder: Path) -> None:
    """Make ``folder`` where it does not exist; `InputError` where that cannot be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(str(folder), "", f"cannot be made ({reason})", "Give another folder") from None
