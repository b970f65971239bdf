"""One colour per method in every figure, and the frame of the figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.evaluation.gaps.comparison import BASE, OWN
from harpagon.evaluation.gaps.tables import REFERENCE
from harpagon.heuristics.baselines.readings import DEFAULT_READINGS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

_COLOURS = {
    REFERENCE: "#4d4d4d",
    BASE: "#2a78d6",
    OWN: "#c8373f",
    "nexus": "#d98e04",
    "scrooge": "#1a8a5a",
    "inferline": "#6a4fb3",
    "clipper": "#8c6d46",
}
PLAIN = "#7d93ad"
"""Colour of what has no colour of its own."""
KEPT, LATE = _COLOURS[BASE], _COLOURS[OWN]
"""Colours of latencies within a bound and beyond it."""
MAIN = (BASE, OWN, *DEFAULT_READINGS)
"""Methods drawn as lines; ablations are drawn as bars."""


def colour(method: str) -> str | None:
    """Colour of a method; None leaves the choice to the figure."""
    return _COLOURS.get(method)


def drawn(comparison: DataFrame) -> DataFrame:
    """Rows of the reference and of the main methods; all rows where no main method is among them."""
    methods = comparison["method"]
    return comparison[methods.isin((REFERENCE, *MAIN))] if methods.isin(MAIN).any() else comparison


def axes(ax: Axes | None, size: tuple[float, float] | None = None) -> Axes:
    """``ax``, or axes of a new pyplot figure, which notebooks show."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return _framed(plt.subplots(figsize=size, layout="constrained")[1])


def panels(
    rows: int,
    columns: int,
    width: float = 5.2,
    height: float = 3.6,
    *,
    heights: Sequence[float] = (),
    sharex: bool = False,
) -> tuple[Figure, list[list[Axes]]]:
    """Figure with a grid of axes, each ``width`` wide and ``height`` high, or the rows ``heights`` high; inches.

    The object interface, not pyplot: no display, no global state.
    """
    from matplotlib.figure import Figure

    heights = heights or [height] * rows
    figure = Figure(figsize=(width * columns, sum(heights)), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharex=sharex, height_ratios=heights)
    return figure, [[_framed(axis) for axis in row] for row in grid]


def _framed(axis: Axes) -> Axes:
    """The frame of every figure: no box, a pale grid behind what is drawn."""
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(alpha=0.25)
    axis.set_axisbelow(True)
    return axis
