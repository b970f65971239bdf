"""Options that mean the same to every exact method."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from harpagon.instances.errors import InputError

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
        _require(limit is None or 0 <= limit < math.inf, "time_limit", limit, "seconds of at least 0, or None")
        _require(0 <= self.gap < 1, "gap", self.gap, "a fraction from 0 up to, not including, 1, such as 0.01")
        _require(self.threads >= 1, "threads", self.threads, "at least 1")
        _require(self.seed >= 0, "seed", self.seed, "at least 0")


def _require(kept: bool, name: str, value: object, wanted: str) -> None:
    if not kept:
        raise InputError(name, "", f"is {value}", f"Give {wanted}")


DEFAULT_OPTIONS = SolverOptions()
"""No time limit, a proof, one thread."""
