"""A served plan, drawn: per module and end to end the bound, the largest latency simulated and the largest measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.evaluation.plotting.palette import KEPT, LATE, panels
from harpagon.evaluation.plotting.saving import save_figure

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from harpagon.simulation.serving.report import ServedPipeline, ServingReport

_SIMULATED = "0.75"
_HEIGHT = 0.38


def serving_figure(report: ServingReport) -> Figure:
    """One drawing per pipeline, one under the other."""
    heights = [1.6 + 0.5 * len(pipeline.modules) for pipeline in report.pipelines]
    figure, rows = panels(len(heights), 1, width=8, heights=heights)
    for (axes,), pipeline in zip(rows, report.pipelines, strict=True):
        _draw(axes, pipeline)
    figure.suptitle(f"{report.instance} served for {report.duration:g} s: {report.verdict}")
    return figure


def draw_serving(report: ServingReport, path: Path) -> None:
    """Draw `serving_figure` to ``path``, whose name says the format."""
    save_figure(serving_figure(report), path, dpi=150)


def _draw(axes: Axes, report: ServedPipeline) -> None:
    names = [*(module.name for module in report.modules), "end to end"]
    bounds, simulated, measured = (
        [1e3 * getattr(part, what) for part in (*report.modules, report)] for what in ("bound", "simulated", "measured")
    )
    places = range(len(names))
    colours = [LATE if found > bound else KEPT for found, bound in zip(measured, bounds, strict=True)]
    axes.barh([y - _HEIGHT / 2 for y in places], simulated, _HEIGHT, color=_SIMULATED, label="simulated")
    axes.barh([y + _HEIGHT / 2 for y in places], measured, _HEIGHT, color=colours, label="measured")
    axes.plot(bounds, places, "k|", markersize=22, markeredgewidth=2, label="bound")
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    late = f"{report.late} of {report.requests} late, {report.unanswered} unanswered"
    axes.set(title=f"{report.name}: {late}", xlabel="largest latency (ms)")
    axes.legend(loc="upper right", fontsize="small", frameon=False, markerscale=0.5)
