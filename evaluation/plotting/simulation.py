"""A simulated plan, drawn: latency over time, and each tuple's bound against what was measured."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from harpagon.evaluation.plotting.palette import KEPT, LATE, panels
from harpagon.evaluation.plotting.palette import axes as new_axes
from harpagon.evaluation.plotting.saving import literal, save_figure
from harpagon.instances.checks import expect
from harpagon.instances.errors import InputError, shown, suggestion
from harpagon.simulation.report import ROUNDING, SimulationReport

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from harpagon.simulation.report import PipelineReport


def simulation_figure(report: SimulationReport) -> Figure:
    """One row per pipeline: latency over time on the left, tuples on the right."""
    tuples = [sum(len(module.tuples) for module in pipeline.modules) for pipeline in report.pipelines]
    heights = [max(3.0, 1.2 + 0.35 * count) for count in tuples]
    figure, rows = panels(len(heights), 2, width=5.5, heights=heights)
    for (left, right), pipeline in zip(rows, report.pipelines, strict=True):
        _draw_timeline(left, pipeline)
        _draw_tuples(right, pipeline)
    figure.suptitle(f"{report.instance}: {report.dispatch} dispatch, {report.arrivals} arrivals, seed {report.seed}")
    return figure


def draw_simulation(report: SimulationReport, path: Path) -> None:
    """Draw `simulation_figure` to ``path``, whose name says the format."""
    save_figure(simulation_figure(report), path, dpi=150)


def plot_simulation(
    report: SimulationReport,
    *,
    pipeline: str | None = None,
    what: Literal["latency", "tuples"] = "latency",
    ax: Axes | None = None,
) -> Axes:
    """Draw one pipeline of a simulated plan.

    Parameters
    ----------
    report
        As `harpagon.simulate` returns it.
    pipeline
        Its name; None for the first.
    what
        ``latency``: end-to-end latency over time; ``tuples``: each tuple's bound against the largest measured.
    ax
        Axes to draw on; None for new ones.

    Returns
    -------
    Axes
        Those drawn on.

    Raises
    ------
    InputError
        Where the report has no such pipeline, or there is no such drawing.
    """
    expect(SimulationReport, report=report)
    found = {one.name: one for one in report.pipelines}
    name = report.pipelines[0].name if pipeline is None else pipeline
    if name not in found:
        raise InputError("pipeline", "", f"there is no pipeline {shown(name)}", suggestion(name, found))
    if what not in _DRAWINGS:
        raise InputError("what", "", f"there is no drawing {shown(what)}", f"Use {' or '.join(_DRAWINGS)}")
    ax = new_axes(ax)
    _DRAWINGS[what](ax, found[name])
    literal(ax)
    return ax


def _milliseconds(seconds: Iterable[float]) -> list[float]:
    """Milliseconds; gaps where nothing was measured."""
    return [1e3 * one if one else math.nan for one in seconds]


def _draw_timeline(axes: Axes, report: PipelineReport) -> None:
    ends = report.timeline.ends
    axes.step(ends, _milliseconds(report.timeline.maximum), where="pre", color=KEPT, label="largest")
    axes.step(ends, _milliseconds(report.timeline.mean), where="pre", color="0.4", label="mean")
    axes.axhline(1e3 * report.slo, color=LATE, linestyle="--", label="SLO")
    axes.axhline(1e3 * report.bound, color="0.2", linestyle=":", label="bound")
    axes.set(title=report.name, xlabel="time of arrival (s)", ylabel="end-to-end latency (ms)")
    axes.set_ylim(bottom=0)
    axes.legend(loc="lower right", fontsize="small", frameon=False)


def _draw_tuples(axes: Axes, report: PipelineReport) -> None:
    parts = [(module, part) for module in report.modules for part in module.tuples]
    places = range(len(parts))
    broken = [part.maximum > part.bound + part.allowance + ROUNDING for _, part in parts]
    colours = [LATE if late else KEPT for late in broken]
    bounds = _milliseconds(part.bound for _, part in parts)
    largest = _milliseconds(part.maximum for _, part in parts)
    axes.barh(places, largest, color=colours, height=0.6, label="largest measured")
    axes.plot(bounds, places, "k|", markersize=16, markeredgewidth=2, label="bound")
    axes.set_yticks(places, [f"{module.name}: {part.configuration}" for module, part in parts], fontsize="small")
    axes.invert_yaxis()
    axes.set(xlabel="latency in the module (ms)", title="bound against measured")
    axes.legend(loc="lower right", fontsize="small", frameon=False)


_DRAWINGS = {"latency": _draw_timeline, "tuples": _draw_tuples}
