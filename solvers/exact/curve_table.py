"""The cost of one kind of module on a grid of latencies: exactly at the grid, and from below between its points.

Curves of structures are convex, so a tangent lies below: that in the middle of a cell, or where a curve is too steep
for it that at the cell's end. The least of the tangents at either end of a cell, joined by a line, is no more than the
cost of any schedule whose latency lies in the cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.formulations.residual import Structure
    from harpagon.solvers.exact.curve import Curve

_STEEP = 1e-3
"""Share of its cost at a cell's end by which a tangent in the middle may lie below."""

_WORTH = 3e-4
"""Share of its cost that a jump saves at least."""
_INSIDE = 1e-3
"""Share of a cell from its ends within which a curve counts as beginning at its left end."""

Values: TypeAlias = NDArray[np.float64]


class Jump(NamedTuple):
    """A latency between grid points: in ``cell``, ``share`` of it beyond its left end, at ``cost`` dollars per hour."""

    cell: int
    share: float
    cost: float


@dataclass(frozen=True, slots=True)
class CurveTable:
    """Costs at latencies of 0, 1, 2, ... cells, dollars per hour.

    Attributes
    ----------
    cost
        Of the cheapest of the curves, infinite where there is none below the cap.
    under
        No schedule whose latency lies in a cell costs less than the line between the values at its ends.
    best
        Position of the cheapest curve.
    jumps
        Where a curve begins within a cell, below what there is at the cell's left end: its line joins this point to the
        right end.
    """

    cost: Values
    under: Values
    best: NDArray[np.int64]
    jumps: tuple[Jump, ...]

    @classmethod
    def of(cls, curves: Sequence[Curve], earliest: float, cap: float, cell: float, cells: int) -> CurveTable:
        """Table up to so many ``cells`` of ``cell`` seconds.

        ``curves`` are all that are the cheapest somewhere below ``cap`` dollars per hour; no schedule takes less than
        ``earliest`` seconds.
        """
        ends: Values = np.arange(cells + 1, dtype=np.float64) * cell
        cost, under = np.full(cells + 1, np.inf), np.full(cells + 1, np.inf)
        best, begun = np.zeros(cells + 1, dtype=np.int64), []
        for position, curve in enumerate(curves):
            first = max(0, int(curve.low / cell) - 1)
            if first >= cells:
                continue
            own, left, right = ends[first:], ends[first:-1], ends[first + 1 :]
            values = np.where(own >= curve.low, _cost(curve, own)[0], np.inf)
            cheaper = values < cost[first:]
            cost[first:][cheaper] = values[cheaper]
            best[first:][cheaper] = position
            middle: Values = (left + right) / 2
            (height, slope), (halfway, gentler) = _cost(curve, right), _cost(curve, middle)
            is_flat = halfway + gentler * cell / 2 >= (1 - _STEEP) * height
            at_left = np.where(is_flat, halfway - gentler * cell / 2, height - slope * cell)
            at_right = np.where(is_flat, halfway + gentler * cell / 2, height)
            begins = int(np.searchsorted(right, curve.low))  # its first cell has a part of it
            share = float(curve.low - left[begins]) / cell
            whole = begins + 1 if _INSIDE <= share <= 1 - _INSIDE else begins
            np.minimum(under[first + whole : -1], at_left[whole:], out=under[first + whole : -1])
            np.minimum(under[first + whole + 1 :], at_right[whole:], out=under[first + whole + 1 :])
            if whole > begins:
                under[first + whole] = min(under[first + whole], height[begins])
                start = height[begins] - slope[begins] * cell * (1 - share)
                begun.append((Jump(first + begins, share, float(start)), float(height[begins] - slope[begins] * cell)))
        cost[cost > cap] = np.inf
        under = np.minimum(under, cap)
        under[: int(earliest / cell)] = np.inf
        under = np.minimum.accumulate(under)
        return cls(np.minimum.accumulate(cost), under, best, _jumps(begun, under))

    def curve_at(self, cells: int) -> int:
        """Position of the curve that is cheapest within so many cells."""
        while cells and self.cost[cells - 1] == self.cost[cells]:
            cells -= 1
        return int(self.best[cells])


def _jumps(begun: list[tuple[Jump, float]], under: Values) -> tuple[Jump, ...]:
    """Jumps that are needed; others count at the left end of their cell, or are dearer than what is there.

    ``begun`` are jumps with that cost. ``under`` is lowered where a jump is left out.
    """
    kept: dict[int, Jump] = {}
    found = []
    for jump, at_left in sorted(begun):
        there = under[jump.cell]
        if jump.cost >= there * (1 - _WORTH):
            if jump.cost < there:
                np.minimum(under[jump.cell :], at_left, out=under[jump.cell :])
        elif jump.cell not in kept or jump.cost < kept[jump.cell].cost:
            kept[jump.cell] = jump
            found.append(jump)
    return tuple(found)


def _cost(curve: Curve, latencies: Values) -> tuple[Values, Values]:
    """Dollars per hour at these latencies, and the slopes, dollars per hour per second."""
    structure: Structure = curve.structure
    rate, slope = np.full(len(latencies), structure.least), np.zeros(len(latencies))
    for demand in structure.demands if curve.unit else ():
        rest = latencies - demand.delay
        rest = np.where(rest > 0, rest, np.nan)  # at no latency of use
        asked = demand.work / rest - demand.behind
        binding = asked > rate
        rate = np.where(binding, asked, rate)
        slope = np.where(binding, -demand.work / rest / rest, slope)
    return curve.fixed + curve.unit * rate, curve.unit * slope
