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
    ADAPTIVE = "adaptive"
    """From both ends of a double-ended priority queue, as PARD has it (arXiv 2602.08747) [R].

    The earliest deadline first while the module keeps up with its arrivals, the latest first while it does not, since
    what is tight is then lost anyway.
    """

    def rank(self, deadlines: Sequence[float], overloaded: bool = False) -> Sequence[int]:
        """Positions of the waiting requests, given in the order of arrival, in the order of service.

        ``overloaded`` says whether more came lately than the machines can serve.
        """
        if self is Order.ARRIVAL:
            return range(len(deadlines))
        latest_first = overloaded and self is Order.ADAPTIVE
        return sorted(range(len(deadlines)), key=deadlines.__getitem__, reverse=latest_first)
