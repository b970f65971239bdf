"""Options that mean the same to every exact method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from harpagon.instances.plan import Plan

Progress: TypeAlias = Callable[[float, float], None]
"""Called with the cost of the best plan, infinity before there is one, and the bound, both in dollars per hour."""


@dataclass(frozen=True, slots=True)
class SolverOptions:
    """How long and how far to search.

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


DEFAULT_OPTIONS = SolverOptions()
"""No time limit, a proof, one thread."""
