"""How much a search may do: time and labels, shared by all searches of one solve."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

_EVERY = 32
"""Labels between two looks at the clock: a label takes up to a millisecond."""
MOST_HELD = 1_000_000
"""Labels that one search may hold at a time: some hundred megabytes."""
TIE_LABELS = 20_000
"""Labels that the second solve for the quickest of the cheapest plans may take up: counted, not timed."""
TIE_NODES = 500
"""Nodes that each of its choices may take up."""
TIE_CHOICES = 20
"""Its choices that may miss an SLO or the cost by rounding before the plan at hand stays."""
CLEARLY_QUICKER = 1e-6
"""Relative: a plan of equal cost that is quicker by less is not worth another choice."""


class OutOfEffortError(Exception):
    """A search was cut off; what it had found so far does not include its answer."""


@dataclass(slots=True)
class Effort:
    """What is left to spend; every search of a solve takes from the same one.

    Attributes
    ----------
    deadline
        Reading of ``time.perf_counter`` after which searches are cut off.
    most
        Labels that all searches together may take up.
    spent
        Labels taken up so far.
    """

    deadline: float = math.inf
    most: float = math.inf
    spent: int = 0

    def spend(self, held: int) -> None:
        """Take up one label while ``held`` others wait.

        Raises
        ------
        OutOfEffortError
            Where time, labels or memory are used up.
        """
        self.spent += 1
        if self.spent > self.most or held > MOST_HELD:
            raise OutOfEffortError
        if self.spent % _EVERY == 0 and self.late():
            raise OutOfEffortError

    def time_left(self) -> float | None:
        """Seconds to the deadline, None for no deadline."""
        return None if math.isinf(self.deadline) else max(0.0, self.deadline - time.perf_counter())

    def late(self) -> bool:
        """Whether the deadline has passed."""
        return time.perf_counter() > self.deadline
