"""Figures of a sweep: how the gaps are distributed, and how long the methods take."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from harpagon.evaluation.gaps.tables import REFERENCE, REFERENCE_DISPATCHES, gaps, proven_optima
from harpagon.evaluation.plotting.palette import colour, drawn, panels

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from harpagon.evaluation.sweep.rows import Row

_GAP_SHOWN = 300.0
"""Per cent at which the axis of gaps ends; lines go on beyond it."""


def gap_figure(rows: Sequence[Row]) -> Figure:
    """Share of workloads within a gap, one panel per billing and reference optimum.

    Raises nothing where a series is empty; its line is left out.
    """
    optima = proven_optima(rows)
    billings = list(dict.fromkeys(row.billing for row in rows))
    figure, axes = panels(len(billings), len(REFERENCE_DISPATCHES))
    for i, billing in enumerate(billings):
        for j, dispatch in enumerate(REFERENCE_DISPATCHES):
            axis = axes[i][j]
            for label, series in _series(drawn(rows), billing).items():
                found = [100 * gap for gap in gaps(series, optima, dispatch)]
                if found and not (series[0].method == REFERENCE and series[0].dispatch == dispatch):
                    _distribution(axis, found, label, series[0])
            axis.set_title(f"{billing} billing, over the {dispatch} optimum")
            axis.set_xlabel("cost over optimum (%)")
            _gap_scale(axis)
            _share_axis(axis)
    return figure


def time_figure(rows: Sequence[Row]) -> Figure:
    """Share of workloads planned within a time, one panel per billing."""
    billings = list(dict.fromkeys(row.billing for row in rows))
    figure, axes = panels(1, len(billings))
    for axis, billing in zip(axes[0], billings, strict=True):
        for label, series in _series(drawn(rows), billing).items():
            found = [1e3 * row.seconds for row in series if row.runs]
            if found:
                _distribution(axis, found, label, series[0])
        axis.set_xscale("log")
        axis.set_title(f"{billing} billing")
        axis.set_xlabel("build and solve time (ms)")
        _share_axis(axis)
    return figure


def draw_gaps(rows: Sequence[Row], path: Path) -> None:
    """Write `gap_figure` to a file."""
    gap_figure(rows).savefig(path, dpi=150)


def draw_times(rows: Sequence[Row], path: Path) -> None:
    """Write `time_figure` to a file."""
    time_figure(rows).savefig(path, dpi=150)


def _series(rows: Sequence[Row], billing: str) -> dict[str, list[Row]]:
    """Label to the rows of one method and dispatch under ``billing``."""
    series: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.billing == billing:
            label = f"{row.method} ({row.dispatch})" if row.method == REFERENCE else row.method
            series[label].append(row)
    return series


def _distribution(axis: Axes, values: Sequence[float], label: str, row: Row) -> None:
    ordered = sorted(values)
    shares = [100 * (i + 1) / len(ordered) for i in range(len(ordered))]
    style = ":" if row.method == REFERENCE and row.dispatch == "free" else "-"
    axis.step(
        [ordered[0], *ordered],
        [0.0, *shares],
        where="post",
        label=label,
        linewidth=1.8,
        linestyle=style,
        color=colour(row.method),
    )


def _gap_scale(axis: Axes) -> None:
    """Linear up to 1 %, logarithmic beyond: most gaps are zero, some are hundreds of per cent."""
    low, high = axis.get_xlim()
    axis.set_xscale("symlog", linthresh=1.0, linscale=0.5)
    axis.set_xlim(min(low, -0.05), min(max(high, 1.0), _GAP_SHOWN))
    marks = [mark for mark in (0, 1, 3, 10, 30, 100, 300) if mark <= max(high, 1.0)]
    axis.set_xticks(marks, [str(mark) for mark in marks])
    axis.minorticks_off()


def _share_axis(axis: Axes) -> None:
    axis.set_ylabel("share of workloads (%)")
    axis.set_ylim(0, 103)
    axis.legend(loc="lower right", frameon=False, fontsize="small")
