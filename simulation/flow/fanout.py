"""What travels along an edge: fan-out and transfer time."""

from __future__ import annotations

from fractions import Fraction
from typing import Protocol

import numpy as np

from harpagon.simulation.flow.pieces import Flow


class Fanout(Protocol):
    """How many requests each request sends on along an edge."""

    def __call__(self, count: int) -> np.ndarray:
        """Numbers for the next ``count`` requests of the tail, shape (count,)."""


class FixedFanout:
    """A fixed fraction: of the first k requests of the tail, exactly ceil(k x ``fanout``) are sent on.

    Request i of the edge stems from request floor(i / fanout) of the tail, as early as the fraction allows.

    Parameters
    ----------
    fanout
        As `harpagon.graphs.exact_fanout` has it: counts are exact in 64-bit integers.
    """

    def __init__(self, fanout: Fraction) -> None:
        self._numerator, self._denominator = fanout.as_integer_ratio()
        self._seen = 0

    def __call__(self, count: int) -> np.ndarray:
        """Differences of ceil(k x fanout)."""
        whole, rest = np.divmod(np.arange(self._seen, self._seen + count + 1), self._denominator)
        self._seen += count
        totals = whole * self._numerator - (-rest * self._numerator) // self._denominator
        sent: np.ndarray = np.diff(totals)
        return sent


def draw_fanout(fanout: float, count: int, generator: np.random.Generator) -> np.ndarray:
    """Random numbers with mean ``fanout``, shape (count,): Bernoulli below one, Poisson above, nothing drawn at one."""
    if fanout == 1:
        return np.ones(count, dtype=np.int64)
    if fanout < 1:
        return (generator.random(count) < fanout).astype(np.int64)
    return generator.poisson(fanout, count)


def round_fanout(means: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """One of the two whole numbers around each of ``means``, which is their mean; ``draws`` are uniform in [0, 1)."""
    whole = np.floor(means)
    rounded: np.ndarray = (whole + (draws < means - whole)).astype(np.int64)
    return rounded


class RandomFanout:
    """Random numbers, see `draw_fanout`."""

    def __init__(self, fanout: float, generator: np.random.Generator) -> None:
        self.factor = 1.0
        """On the mean of the numbers that are drawn from now on."""
        self._fanout = fanout
        self._generator = generator

    def __call__(self, count: int) -> np.ndarray:
        """Independent draws."""
        return draw_fanout(self._fanout * self.factor, count, self._generator)


class Edge:
    """Carries the results of one module to the next.

    Parameters
    ----------
    fanout
        How many requests each one sends on.
    transfer
        Seconds under way.
    """

    def __init__(self, fanout: Fanout, transfer: float) -> None:
        self.sent = 0
        """Requests carried so far."""
        self._fanout = fanout
        self._transfer = transfer

    def carry(self, flow: Flow) -> Flow:
        """The requests that reach the head of the edge."""
        numbers = self._numbers(flow)
        self.sent += int(numbers.sum())
        return Flow(
            np.repeat(flow.ready + self._transfer, numbers),
            np.repeat(flow.root, numbers),
            np.repeat(flow.origin, numbers),
            flow.watermark + self._transfer,
            flow.next_root,
            flow.next_origin,
        )

    def _numbers(self, flow: Flow) -> np.ndarray:
        """How many requests each of ``flow`` sends on."""
        return self._fanout(flow.root.size)


class KnownEdge(Edge):
    """Carries what is known beforehand for every root, ``numbers``, when the root as a whole goes on."""

    def __init__(self, numbers: np.ndarray, transfer: float) -> None:
        super().__init__(FixedFanout(Fraction(1)), transfer)
        self._known = numbers

    def _numbers(self, flow: Flow) -> np.ndarray:
        known: np.ndarray = self._known[flow.root]
        return known
