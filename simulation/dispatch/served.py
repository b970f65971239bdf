"""What dispatchers hand back, and what they count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.simulation.dispatch.machines import MachineGroup


@dataclass(frozen=True, slots=True)
class Served:
    """Requests in order of arrival: when each is done, in seconds on the clock, and by which tuple."""

    finish: np.ndarray
    tuples: np.ndarray

    @classmethod
    def empty(cls) -> Self:
        """No request."""
        return cls(np.empty(0), np.empty(0, dtype=np.int64))


class GroupTally:
    """Batches that one tuple has run: ``sizes[k]`` of them with k places filled, dummies included."""

    def __init__(self, batch: int, *machines: MachineGroup) -> None:
        self.sizes = [0] * (batch + 1)
        self.machines = machines


class Dispatcher(Protocol):
    """Turns sorted arrival times into completion times, piece by piece."""

    @property
    def tallies(self) -> Sequence[GroupTally]:
        """One per tuple of the module's plan."""

    def feed(self, times: np.ndarray, until: float) -> Served:
        """Take arrivals before ``until``; return the longest run of requests whose completion is now known."""

    def outstanding(self) -> Served:
        """Requests taken but not handed back, in order of arrival; NaN (and tuple 0) where completion is unknown."""
