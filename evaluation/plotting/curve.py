"""Figure of trade-off curves: cost as a step function, one panel per curve."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.evaluation.plotting.palette import panels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from harpagon.solvers.sensitivity.curve import CurveStep

AXES = {
    "slo": ("SLO (ms)", "SLOs, multiple of the instance's"),
    "rate": ("rate (req/s)", "rates, multiple of the instance's"),
}
"""What a curve is over to its label for one pipeline, in units, and for several, as a factor."""


def draw_curves(curves: Mapping[str, Sequence[CurveStep]], scales: Mapping[str, float | None], path: Path) -> None:
    """Write the figure.

    Parameters
    ----------
    curves
        ``slo`` or ``rate`` to steps.
    scales
        The same keys to the figure of the one pipeline in units of the axis; None for several pipelines.
    path
        File; its ending says which kind.
    """
    figure, grid = panels(1, len(curves))
    for axis, (over, steps) in zip(grid[0], curves.items(), strict=True):
        scale = scales[over]
        for step in steps:
            ends = [step.low * (scale or 1.0), step.high * (scale or 1.0)]
            axis.plot(ends, [step.cost] * 2, color="#2a78d6", linewidth=2.0, solid_capstyle="butt")
            kept = ends[0] if over == "slo" else ends[1]
            axis.plot([kept], [step.cost], "o", color="#2a78d6", markersize=3.5)
        axis.set_xlabel(AXES[over][scale is None])
        axis.set_ylabel("cost ($/h)")
        axis.set_ylim(bottom=0)
    figure.savefig(path, dpi=150)
