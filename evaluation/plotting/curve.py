"""Figure of trade-off curves: cost as a step function, one panel per curve."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.evaluation.plotting.palette import axes, panels
from harpagon.evaluation.plotting.saving import literal, save_figure
from harpagon.instances.checks import expect
from harpagon.solvers.sensitivity.curve import Curve

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

AXES = {
    "slo": ("SLO (ms)", "SLOs, multiple of the instance's"),
    "rate": ("rate (req/s)", "rates, multiple of the instance's"),
}
"""What a curve is over to its label for one pipeline, in units, and for several, as a factor."""


def plot_curve(curve: Curve, *, ax: Axes | None = None) -> Axes:
    """Cost as a step function; a dot stands at the end of each step that its plan reaches, a ring at the instance.

    Parameters
    ----------
    curve
        As `harpagon.curve` returns it.
    ax
        Axes to draw on; None for new ones.

    Returns
    -------
    Axes
        Those drawn on: dollars per hour over milliseconds or requests per second; with several pipelines over the
        factor on the figures of the instance.
    """
    expect(Curve, curve=curve)
    ax = axes(ax)
    for step in curve.steps:
        ends = [step.low * (curve.scale or 1.0), step.high * (curve.scale or 1.0)]
        ax.plot(ends, [step.cost] * 2, color="#2a78d6", linewidth=2.0, solid_capstyle="butt")
        kept = ends[0] if curve.over == "slo" else ends[1]
        ax.plot([kept], [step.cost], "o", color="#2a78d6", markersize=3.5)
        if step.holds(1.0, curve.over):
            _ring(ax, curve.scale or 1.0, step.cost)
    ax.set_title(f"{curve.instance}: cost over {AXES[curve.over][0].split()[0]}")
    ax.set_xlabel(AXES[curve.over][curve.scale is None])
    ax.set_ylabel("cost ($/h)")
    ax.set_ylim(0, 1.1 * max((step.cost for step in curve.steps), default=1.0))
    literal(ax)
    return ax


def _ring(ax: Axes, place: float, cost: float) -> None:
    ax.plot([place], [cost], "o", color="#c8373f", markersize=9, fillstyle="none", markeredgewidth=1.6)
    ax.annotate(f"today: ${cost:.4g}/h", (place, cost), (6, 7), textcoords="offset points", color="#c8373f")


def draw_curves(curves: Sequence[Curve], path: Path) -> None:
    """Write `plot_curve` of each curve side by side; the ending of the file says which kind."""
    figure, grid = panels(1, len(curves))
    for axis, curve in zip(grid[0], curves, strict=True):
        plot_curve(curve, ax=axis)
    save_figure(figure, path, dpi=150)
