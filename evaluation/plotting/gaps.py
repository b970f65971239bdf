"""Figures of a sweep: how the gaps are distributed, and how long the methods take."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from harpagon.evaluation.gaps.frame import comparison_frame
from harpagon.evaluation.gaps.tables import REFERENCE, SAME_COST, reference_dispatches
from harpagon.evaluation.plotting.palette import axes, colour, drawn, panels
from harpagon.evaluation.plotting.saving import literal, save_figure
from harpagon.instances.errors import InputError
from harpagon.instances.policies import Billing, Dispatch

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from harpagon.evaluation.sweep.rows import Row

_GAP_SHOWN = 300.0
"""Per cent at which the axis of gaps ends; lines go on beyond it."""
_REFERENCE_LINES = dict(zip(reference_dispatches(Billing.WHOLE), ("-", ":", "--"), strict=True))


def plot_gaps(comparison: DataFrame, *, over: str = "free", billing: str | None = None, ax: Axes | None = None) -> Axes:
    """Share of the workloads within a gap, one line per method; the legend says how many cost the same.

    Parameters
    ----------
    comparison
        As `harpagon.compare` returns it.
    over
        Dispatch policy of the optimum that gaps are measured over.
    billing
        Rows to draw; None where there is one billing.
    ax
        Axes to draw on; None for new ones.

    Returns
    -------
    Axes
        Those drawn on.

    Raises
    ------
    InputError
        Where the table has several billings and none is chosen, or no gaps over that policy.
    """
    rows, billing = _rows_of(comparison, billing)
    if f"gap_{over}" not in comparison:
        known = ", ".join(str(name)[4:] for name in comparison if str(name).startswith("gap_"))
        raise InputError("over", "", f"there are no gaps over {over}", f"Use one of {known}")
    ax = axes(ax)
    for series, group in rows.groupby(["method", "dispatch"], sort=False):
        found = 100 * group[f"gap_{over}"].dropna()
        if len(found) and series != (REFERENCE, over):
            ties = sum(abs(gap) <= 100 * SAME_COST for gap in found) / len(found)
            _distribution(ax, found, series, f", {ties:.0%} equal")
    ax.set_title(f"{billing} billing, over the {over} optimum")
    ax.set_xlabel("cost over optimum (%)")
    _gap_scale(ax)
    _share_axis(ax)
    literal(ax)
    return ax


def plot_times(comparison: DataFrame, *, billing: str | None = None, ax: Axes | None = None) -> Axes:
    """Share of the workloads planned within a time, build and solve together; arguments as for `plot_gaps`."""
    rows, billing = _rows_of(comparison, billing)
    ax = axes(ax)
    for series, group in rows[rows["runs"] > 0].groupby(["method", "dispatch"], sort=False):
        _distribution(ax, 1e3 * (group["build_s"] + group["solve_s"]), series)
    ax.set_xscale("log")
    ax.set_title(f"{billing} billing")
    ax.set_xlabel("build and solve time (ms)")
    _share_axis(ax)
    literal(ax)
    return ax


def _rows_of(comparison: DataFrame, billing: str | None) -> tuple[DataFrame, str]:
    if "billing" not in getattr(comparison, "columns", ()):
        raise InputError("comparison", "", "is no table of `harpagon.compare`", "Give what that returns")
    billings = list(dict.fromkeys(comparison["billing"]))
    if billing is None and len(billings) == 1:
        billing = billings[0]
    if billing not in billings:
        raise InputError("billing", "", f"is {billing}", f"Choose one of the table: {', '.join(billings)}")
    return comparison[comparison["billing"] == billing], str(billing)


def gap_figure(rows: Sequence[Row]) -> Figure:
    """`plot_gaps` of the main methods, one panel per billing and reference optimum."""
    comparison = comparison_frame(rows)
    billings = list(dict.fromkeys(comparison["billing"]))
    references = [reference_dispatches(billing) for billing in billings]
    figure, grid = panels(len(billings), max(map(len, references), default=1))
    for row, billing, policies in zip(grid, billings, references, strict=True):
        for axis, dispatch in zip(row, policies, strict=False):
            plot_gaps(drawn(comparison), over=dispatch, billing=billing, ax=axis)
        for axis in row[len(policies) :]:
            axis.set_axis_off()
    return figure


def time_figure(rows: Sequence[Row]) -> Figure:
    """`plot_times` of the main methods, one panel per billing."""
    comparison = comparison_frame(rows)
    billings = list(dict.fromkeys(comparison["billing"]))
    figure, grid = panels(1, len(billings))
    for axis, billing in zip(grid[0], billings, strict=True):
        plot_times(drawn(comparison), billing=billing, ax=axis)
    return figure


def draw_gaps(rows: Sequence[Row], path: Path) -> None:
    """Write `gap_figure` to a file."""
    save_figure(gap_figure(rows), path, dpi=150)


def draw_times(rows: Sequence[Row], path: Path) -> None:
    """Write `time_figure` to a file."""
    save_figure(time_figure(rows), path, dpi=150)


def _distribution(axis: Axes, values: Iterable[float], series: Hashable, note: str = "") -> None:
    method, dispatch = cast("tuple[str, Dispatch]", series)
    ordered = sorted(values)
    shares = [100 * (i + 1) / len(ordered) for i in range(len(ordered))]
    reference = method == REFERENCE
    axis.step(
        [ordered[0], *ordered],
        [0.0, *shares],
        where="post",
        label=(f"{method} ({dispatch})" if reference else method) + note,
        linewidth=1.8,
        linestyle=_REFERENCE_LINES.get(dispatch, "-") if reference else "-",
        color=colour(method),
    )


def _gap_scale(axis: Axes) -> None:
    """Linear up to 1 %, logarithmic beyond: most gaps are zero, some are hundreds of per cent."""
    low, high = axis.get_xlim()
    axis.set_xscale("symlog", linthresh=1.0, linscale=0.5)
    axis.set_xlim(min(low, -0.05), min(max(high, 1.0), _GAP_SHOWN))
    marks = [mark for mark in (-30, -10, -3, -1, 0, 1, 3, 10, 30, 100, 300) if low <= mark <= max(high, 1.0)]
    axis.set_xticks(marks, [str(mark) for mark in marks])
    axis.minorticks_off()


def _share_axis(axis: Axes) -> None:
    axis.set_ylabel("share of workloads (%)")
    axis.set_ylim(0, 103)
    if axis.get_legend_handles_labels()[0]:
        axis.legend(loc="lower right", frameon=False, fontsize="small")
