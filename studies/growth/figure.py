"""Figure of a growth study: time over size, one panel per axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.evaluation.plotting.saving import save_figure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from studies.growth.study import GrowthPoint

_COLUMNS = 4
_PROVEN = 1e-3
"""Gap up to which a solve counts as done."""
_LIMIT = 10.0
"""Seconds that docs/growth.md reads sizes off at."""


def draw_growth(points: Sequence[GrowthPoint], path: Path) -> None:
    """Processor time over size on logarithmic axes; open circles where the gap stayed above 0.1 %."""
    from harpagon.evaluation.plotting.palette import panels

    names = list(dict.fromkeys(point.axis for point in points))
    figure, grid = panels(-(-len(names) // _COLUMNS), min(_COLUMNS, len(names)), width=3.6, height=2.8)
    axes = [axis for row in grid for axis in row]
    for axis, name in zip(axes, names, strict=False):
        own = [point for point in points if point.axis == name]
        axis.plot([p.size for p in own], [p.cpu for p in own], color="#2a78d6", linewidth=1.4)
        done = [p for p in own if p.gap is not None and p.gap <= _PROVEN]
        short = [p for p in own if p not in done]
        axis.plot([p.size for p in done], [p.cpu for p in done], "o", color="#2a78d6", markersize=4)
        axis.plot([p.size for p in short], [p.cpu for p in short], "o", color="#2a78d6", markerfacecolor="none")
        axis.axhline(_LIMIT, color="#7d93ad", linewidth=0.9, linestyle="--")
        axis.annotate(
            f"{_LIMIT:g} s", (0.01, _LIMIT), (0, 2), axis.get_yaxis_transform(), "offset points", fontsize="small"
        )
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.set_title(f"{name}\nlargest proven: {max((p.size for p in done), default=0):,}", fontsize="medium")
        axis.set_xlabel(_grown(name))
        axis.set_ylabel("processor time (s)")
    for unused in axes[len(names) :]:
        unused.set_visible(False)
    save_figure(figure, path, dpi=150)


def _grown(axis: str) -> str:
    """What is counted along an axis."""
    if axis == "rate":
        return "requests per second"
    return "number of modules" if " in " in axis or ", " in axis else f"number of {axis}"
