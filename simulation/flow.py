"""Requests on their way between modules, piece by piece."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np


@dataclass(frozen=True, slots=True)
class Flow:
    """Requests in sequence order, the order in which their root requests entered the pipeline.

    Attributes
    ----------
    ready
        Seconds on the clock at which each can be used, shape (n,); not sorted where a later request overtook.
    root
        Number of the pipeline request each stems from, not decreasing.
    origin
        Seconds on the clock at which that request entered the pipeline.
    watermark
        Requests of later pieces are ready at this time or later.
    next_root
        Requests of later pieces stem from this root or a later one.
    """

    ready: np.ndarray
    root: np.ndarray
    origin: np.ndarray
    watermark: float
    next_root: int

    @classmethod
    def empty(cls) -> Self:
        """No request yet."""
        return cls(np.empty(0), np.empty(0, dtype=np.int64), np.empty(0), 0.0, 0)

    def followed_by(self, later: Flow) -> Flow:
        """This piece and the next in one."""
        return Flow(
            np.concatenate([self.ready, later.ready]),
            np.concatenate([self.root, later.root]),
            np.concatenate([self.origin, later.origin]),
            later.watermark,
            later.next_root,
        )

    def taken(self, index: slice | np.ndarray) -> Flow:
        """The requests at ``index``, with the same marks."""
        return Flow(self.ready[index], self.root[index], self.origin[index], self.watermark, self.next_root)
