"""Processor time of one call."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")


def timed(function: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> tuple[T, float]:
    """What ``function`` returns, and the seconds of processor time it took."""
    begin = time.process_time()
    result = function(*arguments, **options)
    return result, time.process_time() - begin
