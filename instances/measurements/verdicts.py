"""What a parser says of every row of a measurement file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

PERCENTILE = 99
"""Per cent of the requests that a latency of a capacity must cover."""


@dataclass(frozen=True, slots=True)
class BatchPoint:
    """One machine takes ``duration`` seconds for a batch of ``batch`` requests."""

    batch: int
    duration: float


@dataclass(frozen=True, slots=True)
class CapacityPoint:
    """One machine carries ``rate`` requests per second, answered within ``latency`` seconds (a percentile)."""

    rate: float
    latency: float


@dataclass(frozen=True, slots=True)
class PricePoint:
    """One machine costs ``price`` dollars per hour where ``bundle`` of them are bought together."""

    price: float
    bundle: int


Point: TypeAlias = BatchPoint | CapacityPoint | PricePoint


@dataclass(frozen=True, slots=True)
class RowVerdict:
    """One row of a file.

    Attributes
    ----------
    place
        Line, or place in the document.
    what
        The row in a few words: its load, its batch.
    why
        Which law made the figure, or why there is none.
    point
        What the row says of one machine; None where it is refused.
    """

    place: str
    what: str
    why: str
    point: Point | None = None

    @property
    def used(self) -> bool:
        """Whether the row's figure may enter a profile."""
        return self.point is not None
