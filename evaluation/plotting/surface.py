"""The comparison as a surface: heat maps of cost over Harpagon, one panel per system and spread of prices."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from harpagon.evaluation.gaps.surface import CLAIMED, RATE, SPREAD, TIGHTNESS, cells, ratios
from harpagon.evaluation.plotting.palette import panels
from harpagon.heuristics.baselines.readings import DEFAULT_READINGS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

    from harpagon.evaluation.sweep.rows import Row

_SCALE = (0.5, 4.0)
"""Ratios at the ends of the colour scale, which is logarithmic with Harpagon's own cost in the middle third."""
_DARK = 3.0
"""Ratio above which a cell is so dark that its figure is white."""


def surface_figure(rows: Sequence[Row]) -> Figure | None:
    """Mean cost of every system over Harpagon, by rate, tightness and spread of prices.

    Parameters
    ----------
    rows
        Of one billing.

    Returns
    -------
    Figure or None
        A column per system in its default reading, a row per band of the spread; None where no workload has features.
        Framed cells lie within the claimed range.
    """
    found = {method: cells(mine, SPREAD, TIGHTNESS, RATE) for method, mine in ratios(rows).items()}
    found = {method: found[method] for method in DEFAULT_READINGS if found.get(method)}
    if not found:
        return None
    bands = sorted({key[0] for mine in found.values() for key in mine})
    figure, axes = panels(len(bands), len(found), width=3.6, height=2.4)
    for row, band in zip(axes, bands, strict=True):
        for axis, (method, mine) in zip(row, found.items(), strict=True):
            image = _heat_map(axis, {key[1:]: costs for key, costs in mine.items() if key[0] == band})
            axis.set_title(method if band == bands[0] else "", fontweight="bold")
        row[0].set_ylabel(f"{SPREAD.name}\n{SPREAD.labels[band]}\n\n{TIGHTNESS.name} ({TIGHTNESS.unit})")
    for axis in axes[-1]:
        axis.set_xlabel(f"{RATE.name} ({RATE.unit})")
    bar = figure.colorbar(image, ax=[axis for row in axes for axis in row], shrink=0.8, label="mean cost over Harpagon")
    bar.set_ticks([0.5, 1.0, 2.0, 4.0], labels=["0.5", "1", "2", "4"])
    bar.ax.minorticks_off()
    return figure


def _heat_map(axis: Axes, found: Mapping[tuple[int, ...], Sequence[float]]) -> AxesImage:
    """Tightness upwards, rate to the right; a cell without workloads stays white."""
    from matplotlib.colors import LogNorm
    from matplotlib.patches import Rectangle

    means = {key: statistics.fmean(costs) for key, costs in found.items()}
    wide, high = len(RATE.labels), len(TIGHTNESS.labels)
    grid = [[means.get((y, x), float("nan")) for x in range(wide)] for y in range(high)]
    image = axis.imshow(grid, origin="lower", aspect="auto", cmap="RdYlBu_r", norm=LogNorm(*_SCALE))
    for (y, x), mean in means.items():
        ink = "white" if mean > _DARK else "black"
        axis.annotate(f"{mean:.2f}", (x, y), ha="center", va="center", fontsize="small", color=ink)
        if CLAIMED[0] <= mean <= CLAIMED[1]:
            axis.add_patch(Rectangle((x - 0.46, y - 0.46), 0.92, 0.92, fill=False, linewidth=1.4))
    axis.set_xticks(range(wide), RATE.labels, rotation=30, ha="right", fontsize="small")
    axis.set_yticks(range(high), TIGHTNESS.labels, fontsize="small")
    axis.grid(visible=False)
    return image
