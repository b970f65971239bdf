"""Options that mean the same to every exact method."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from harpagon.instances.checks import is_number
from harpagon.instances.errors import InputError, shown

if TYPE_CHECKING:
    from harpagon.instances.plan import Plan

Progress: TypeAlias = Callable[[float, float], None]
"""Called with the cost of the best plan, infinity before there is one, and the bound, both in dollars per hour."""


@dataclass(frozen=True, slots=True)
class SolverOptions:
    """How long and how far to search; an `InputError` where a figure is out of its range.

    Attributes
    ----------
    time_limit
        Seconds of wall time; None for no limit. At the limit a method returns its best plan and a valid bound.
    gap
        Relative gap at which a plan counts as optimal; 0 asks for a proof.
    threads
        Threads of a general solver.
    seed
        Seed of a general solver.
    log
        Whether a general solver prints its log to standard error.
    start
        A plan to start from, or None.
    progress
        Told of better plans and bounds while a long search runs, possibly from another thread; None for nobody.
    """

    time_limit: float | None = None
    gap: float = 0.0
    threads: int = 1
    seed: int = 0
    log: bool = False
    start: Plan | None = None
    progress: Progress | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        limit = self.time_limit
        seconds = limit is None or (is_number(limit) and 0 <= limit <= sys.float_info.max)
        _require(seconds, "time_limit", limit, "seconds of at least 0, or None")
        share = is_number(self.gap) and 0 <= self.gap < 1
        _require(share, "gap", self.gap, "a fraction from 0 up to, not including, 1, such as 0.01")
        _require(is_number(self.threads) and self.threads >= 1, "threads", self.threads, "at least 1")
        _require(is_number(self.seed) and self.seed >= 0, "seed", self.seed, "at least 0")


def _require(kept: bool, name: str, value: object, wanted: str) -> None:
    if not kept:
        raise InputError(name, "", f"is {shown(value)}", f"Give {wanted}")


DEFAULT_OPTIONS = SolverOptions()
"""No time limit, a proof, one thread."""
