"""Moments of a pipeline: where modules start and end, those that must coincide as one.

Let every module take all the time until its successors start. Where a module has one successor it ends when that one
starts, and where a module has one predecessor it starts when that one ends; sources start at 0 and sinks end at the
SLO. What is left are free moments, a latency for every module as the difference of two of them, and where a module
with several successors comes before one with several predecessors an order of two of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.graphs import PathNetwork


class When(NamedTuple):
    """``offset`` seconds after a moment; after time 0 where that is None."""

    moment: int | None
    offset: float


class Order(NamedTuple):
    """``earlier`` comes ``gap`` seconds or more before ``later``."""

    earlier: int
    later: int
    gap: float


@dataclass(frozen=True, slots=True)
class Moments:
    """The free moments of one pipeline.

    Attributes
    ----------
    network
        The pipeline.
    count
        Number of free moments.
    starts, ends
        Per module, when it starts and when it ends.
    orders
        Between moments.
    """

    network: PathNetwork
    count: int
    starts: tuple[When, ...]
    ends: tuple[When, ...]
    orders: tuple[Order, ...]

    @classmethod
    def of(cls, network: PathNetwork, slo: float) -> Self:
        """Moments of a pipeline with ``slo`` seconds on every path."""
        numbers: dict[tuple[str, int], int] = {}

        def moment(which: str, module: int) -> int:
            return numbers.setdefault((which, module), len(numbers))

        starts = []
        for module, pairs in enumerate(network.predecessors):
            if not pairs:
                starts.append(When(None, 0.0))
            elif len(pairs) == 1 and len(network.successors[pairs[0][0]]) > 1:
                starts.append(When(moment("end", pairs[0][0]), pairs[0][1]))
            else:
                starts.append(When(moment("start", module), 0.0))
        ends, orders = [], []
        for module, pairs in enumerate(network.successors):
            if not pairs:
                ends.append(When(None, slo))
            elif len(pairs) == 1:
                ends.append(When(starts[pairs[0][0]].moment, -pairs[0][1]))
            else:
                ends.append(When(moment("end", module), 0.0))
                later = [(j, transfer) for j, transfer in pairs if len(network.predecessors[j]) > 1]
                orders += [Order(moment("end", module), moment("start", j), transfer) for j, transfer in later]
        return cls(network, len(numbers), tuple(starts), tuple(ends), tuple(orders))

    @property
    def links(self) -> set[tuple[int, int]]:
        """Pairs of moments, the smaller number first, that a module or an order ties to each other."""
        modules = zip(self.starts, self.ends, strict=True)
        pairs = chain(((s.moment, e.moment) for s, e in modules), (order[:2] for order in self.orders))
        return {(min(a, b), max(a, b)) for a, b in pairs if a is not None and b is not None}

    def earliest(self, latencies: Sequence[float]) -> list[float]:
        """Every moment as early as these latencies allow, seconds."""
        heads, found = self.network.heads(latencies), [0.0] * self.count
        for head, latency, start, end in zip(heads, latencies, self.starts, self.ends, strict=True):
            if end.moment is not None:
                found[end.moment] = max(found[end.moment], head + latency - end.offset)
            if start.moment is not None:
                found[start.moment] = max(found[start.moment], head - start.offset)
        return found

    def latencies(self, moments: Sequence[float]) -> list[float]:
        """Seconds that every module takes."""

        def time(when: When) -> float:
            return when.offset if when.moment is None else moments[when.moment] + when.offset

        return [time(end) - time(start) for start, end in zip(self.starts, self.ends, strict=True)]
