"""Structures and latencies of all modules at once, by dynamic programming over moments on a grid.

What is known of a module is a set of curves, one per structure; within a latency it costs what the cheapest of them
does. The moments of a pipeline (`harpagon.heuristics.harpagon_plus.moments`) take values on grids of one step, each
with its own origin: costs then depend on the difference of two places alone. Moments are eliminated one by one, the
one that the fewest others hang on first; in the shipped applications that is one or two. On the grid the answer is the
cheapest of all; what the grid rounds off is for `harpagon.heuristics.harpagon_plus.balance` to find.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from harpagon.heuristics.harpagon_plus.curves import Curve
    from harpagon.heuristics.harpagon_plus.moments import Moments

    Array = NDArray[np.float64]
    Places = NDArray[np.intp]


class Envelope:
    """The cheapest of several curves, at many latencies at once.

    Parameters
    ----------
    curves
        Of one module.
    """

    def __init__(self, curves: Sequence[Curve]) -> None:
        self.curves = curves
        deepest = max(len(curve.structure.demands) for curve in curves)
        demands = np.zeros((len(curves), deepest, 3))
        for row, curve in zip(demands, curves, strict=True):
            if curve.structure.demands:
                row[: len(curve.structure.demands)] = curve.structure.demands
        self.work, self.delay, self.behind = (demands[:, :, k, None] for k in range(3))
        figures = [(curve.quickest, curve.fixed, curve.slope, curve.structure.least) for curve in curves]
        self.quickest, self.fixed, self.slope, self.least = np.array(figures).T[:, :, None]

    def costs(self, latencies: Array, slack: float) -> Array:
        """$/hour of every curve (rows) within every latency (s, columns) and ``slack`` more; infinity beyond."""
        within = np.maximum(latencies, self.quickest)
        if self.work.shape[1]:
            needed = self.work / np.maximum(within[:, None, :] - self.delay, 1e-12) - self.behind
            rates = np.maximum(needed.max(axis=1), self.least)
        else:
            rates = self.least
        costs: Array = np.where(latencies + slack >= self.quickest, self.fixed + self.slope * rates, np.inf)
        return costs

    def least_costs(self, latencies: Array, slack: float, later: float = 0.0) -> Array:
        """Of the cheapest curve, with ``later`` seconds beside the latencies."""
        least: Array = self.costs(latencies + later, slack).min(axis=0)
        return least

    def cheapest(self, latency: float, slack: float) -> Curve:
        """The cheapest curve within one latency."""
        return self.curves[int(self.costs(np.array([latency]), slack)[:, 0].argmin())]


class _Step(NamedTuple):
    """A moment to eliminate with the moments that hang on it then."""

    moment: int
    neighbours: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """Places of the moments: ``origins[k]`` + 0, 1, ..., ``sizes[k]`` - 1 times ``step`` seconds."""

    origins: Sequence[float]
    sizes: Sequence[int]
    step: float


class LatencyGrid:
    """Dynamic programming over the moments of one pipeline.

    Parameters
    ----------
    moments
        Of the pipeline.
    """

    def __init__(self, moments: Moments) -> None:
        self.moments = moments
        self.order = _elimination(moments)

    @property
    def width(self) -> int:
        """Moments that hang on one when it is eliminated, at most; up to two can be worked off."""
        return max((len(step.neighbours) for step in self.order), default=0)

    def cheapest(self, envelopes: Sequence[Envelope], grid: Grid, slack: float) -> list[float] | None:
        """Moments on the grid that together cost least, seconds; None where none are far enough apart.

        Every latency may be exceeded by ``slack`` seconds.
        """
        program = _Program(self.moments, envelopes, grid, slack)
        chosen = []
        for moment, neighbours in self.order:
            chosen.append(program.eliminate(moment, neighbours))
            if program.least == math.inf:
                return None
        places = [0] * self.moments.count
        for (moment, neighbours), choice in zip(reversed(self.order), reversed(chosen), strict=True):
            places[moment] = int(choice[tuple(places[one] for one in neighbours)])
        return [origin + place * grid.step for origin, place in zip(grid.origins, places, strict=True)]


class _Program:
    """Costs per moment and per pair of moments, while moments are eliminated."""

    def __init__(self, moments: Moments, envelopes: Sequence[Envelope], grid: Grid, slack: float) -> None:
        self.grid = grid
        self.single: list[Array] = [np.zeros(size) for size in grid.sizes]
        self.pairs: dict[tuple[int, int], Array] = {}
        self.least = 0.0
        for start, end, envelope in zip(moments.starts, moments.ends, envelopes, strict=True):
            apart = end.offset - start.offset
            if start.moment is not None and end.moment is not None:
                self._add_apart(start.moment, end.moment, partial(envelope.least_costs, slack=slack, later=apart))
            elif end.moment is not None:
                self.single[end.moment] += envelope.least_costs(self._places(end.moment), slack, apart)
            elif start.moment is not None:
                self.single[start.moment] += envelope.least_costs(-self._places(start.moment), slack, apart)
        for earlier, later, gap in moments.orders:
            self._add_apart(earlier, later, partial(_in_order, gap=gap - slack))

    def eliminate(self, moment: int, neighbours: tuple[int, ...]) -> Places:
        """Where the moment is best, per place of its neighbours; its costs go to them."""
        own = self.single[moment]
        tables = [self._taken(one, moment) for one in neighbours]
        if not neighbours:
            self.least = own.min()
            return np.array(own.argmin())
        if len(neighbours) == 1:
            total = tables[0] + own
            self.single[neighbours[0]] += total.min(axis=1)
            places: Places = total.argmin(axis=1)
            return places
        (one, other), (first, second) = tables, neighbours
        least, best = _least_between(own, one, other)
        self._add(first, second, least)
        return best

    def _places(self, moment: int) -> Array:
        places: Array = self.grid.origins[moment] + self.grid.step * np.arange(self.grid.sizes[moment], dtype=float)
        return places

    def _add_apart(self, earlier: int, later: int, costs: Callable[[Array], Array]) -> None:
        """Add costs of the seconds between two moments, which are the same along every diagonal."""
        rows, columns = self.grid.sizes[earlier], self.grid.sizes[later]
        seconds = self.grid.origins[later] - self.grid.origins[earlier]
        apart: Array = seconds + self.grid.step * np.arange(1 - rows, columns, dtype=float)
        diagonals = costs(apart)
        self._add(earlier, later, np.lib.stride_tricks.sliding_window_view(diagonals, columns)[::-1])

    def _add(self, row: int, column: int, table: Array) -> None:
        if (column, row) in self.pairs:
            row, column, table = column, row, table.T
        known = self.pairs.get((row, column))
        self.pairs[row, column] = table if known is None else known + table

    def _taken(self, row: int, column: int) -> Array:
        """The table of a pair, which is left out from now on."""
        if (row, column) in self.pairs:
            return self.pairs.pop((row, column))
        return self.pairs.pop((column, row)).T


def _in_order(seconds: Array, gap: float) -> Array:
    """Nothing where moments are ``gap`` seconds apart or more, else infinity."""
    return np.where(seconds >= gap, 0.0, np.inf)


def _least_between(own: Array, one: Array, other: Array) -> tuple[Array, Places]:
    """Least cost of a moment between two others, per pair of their places, and the place where it is."""
    least = np.full((one.shape[0], other.shape[0]), np.inf)
    best = np.zeros(least.shape, dtype=np.intp)
    for place, cost in enumerate(own):
        total = one[:, place, None] + (other[:, place] + cost)
        better = total < least
        least[better], best[better] = total[better], place
    return least, best


def _elimination(moments: Moments) -> list[_Step]:
    """Moments with the fewest neighbours first; those of one eliminated become neighbours of each other."""
    near: dict[int, set[int]] = {moment: set() for moment in range(moments.count)}
    for a, b in moments.links:
        near[a].add(b)
        near[b].add(a)
    order = []
    while near:
        moment = min(near, key=lambda one: (len(near[one]), one))
        neighbours = near.pop(moment)
        for one in neighbours:
            near[one] |= neighbours
            near[one] -= {one, moment}
        order.append(_Step(moment, tuple(sorted(neighbours))))
    return order
