"""In which order a queue serves its requests."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Order(StrEnum):
    """Who is served first."""

    ARRIVAL = "arrival"
    """First come, first served."""
    DEADLINE = "deadline"
    """Earliest deadline first; equals in the order of arrival."""

    def rank(self, deadlines: Sequence[float]) -> Sequence[int]:
        """Positions of the waiting requests, given in the order of arrival, in the order of service."""
        if self is Order.ARRIVAL:
            return range(len(deadlines))
        return sorted(range(len(deadlines)), key=deadlines.__getitem__)
