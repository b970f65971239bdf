"""Requests on their way between modules, piece by piece."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

_ROUNDING = 1e-9
"""Seconds by which a bound that is rounded itself may be passed, whatever the clock says."""


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
    next_origin
        Seconds on the clock: the roots of later pieces entered at this time or later.
    """

    ready: np.ndarray
    root: np.ndarray
    origin: np.ndarray
    watermark: float
    next_root: int
    next_origin: float

    @classmethod
    def empty(cls) -> Self:
        """No request yet."""
        return cls(np.empty(0), np.empty(0, dtype=np.int64), np.empty(0), 0.0, 0, 0.0)

    def followed_by(self, later: Flow) -> Flow:
        """This piece and the next in one."""
        return Flow(
            np.concatenate([self.ready, later.ready]),
            np.concatenate([self.root, later.root]),
            np.concatenate([self.origin, later.origin]),
            later.watermark,
            later.next_root,
            later.next_origin,
        )

    def taken(self, index: slice | np.ndarray) -> Flow:
        """The requests at ``index``, with the same marks."""
        return replace(self, ready=self.ready[index], root=self.root[index], origin=self.origin[index])

    def held_until(self, after_root: float) -> Flow:
        """The same requests, none ready before ``after_root`` seconds after its root request entered.

        What passes that by rounding alone is ready then, so that requests of one root stay together.
        """
        held = self.origin + after_root
        ready = np.where(self.ready > held + _rounding(held), self.ready, held)
        earliest = self.watermark - float(_rounding(self.watermark))
        return replace(self, ready=ready, watermark=max(earliest, self.next_origin + after_root))


def _rounding(times: np.ndarray | float) -> np.ndarray:
    """Seconds by which sums of clock times may differ and still be the same time."""
    rounding: np.ndarray = _ROUNDING + 4 * np.spacing(times)
    return rounding
