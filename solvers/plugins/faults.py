"""What an error in somebody else's code was, and where, in a few words."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType


def described(error: Exception) -> str:
    """Kind and message of an error."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def place_of(error: Exception) -> str:
    """File and line of the innermost frame outside this package, or the line of a syntax error."""
    if isinstance(error, SyntaxError) and error.lineno is not None:
        return f"line {error.lineno}"
    frames = [(frame, line) for frame, line in traceback.walk_tb(error.__traceback__) if not _known(frame)]
    if not frames:
        return ""
    frame, line = frames[-1]
    return f"{Path(frame.f_code.co_filename).name}, line {line}"


def _known(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).split(".")[0] in ("harpagon", "importlib", "_frozen_importlib")
