"""Figures of a sweep: how the gaps are distributed, and how long the methods take."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from harpagon.evaluation.tables import REFERENCE, REFERENCE_DISPATCHES, gaps, proven_optima

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from harpagon.evaluation.rows import Row


def draw_gaps(rows: Sequence[Row], path: Path) -> None:
    """Share of workloads within a gap, one panel per billing and reference optimum.

    Raises nothing where a series is empty; its line is left out.
    """
    optima = proven_optima(rows)
    billings = list(dict.fromkeys(row.billing for row in rows))
    figure, axes = _panels(len(billings), len(REFERENCE_DISPATCHES))
    for i, billing in enumerate(billings):
        for j, dispatch in enumerate(REFERENCE_DISPATCHES):
            axis = axes[i][j]
            for label, series in _series(rows, billing).items():
                found = [100 * gap for gap in gaps(series, optima, dispatch)]
                if found and not (series[0].method == REFERENCE and series[0].dispatch == dispatch):
                    _distribution(axis, found, label)
            axis.set_title(f"{billing} billing, over the {dispatch} optimum")
            axis.set_xlabel("cost over optimum (%)")
            axis.set_ylabel("share of workloads (%)")
            axis.set_ylim(0, 103)
            axis.legend(loc="lower right", frameon=False)
    _save(figure, path)


def draw_times(rows: Sequence[Row], path: Path) -> None:
    """Share of workloads planned within a time, one panel per billing."""
    billings = list(dict.fromkeys(row.billing for row in rows))
    figure, axes = _panels(1, len(billings))
    for axis, billing in zip(axes[0], billings, strict=True):
        for label, series in _series(rows, billing).items():
            found = [1e3 * row.seconds for row in series if row.runs]
            if found:
                _distribution(axis, found, label)
        axis.set_xscale("log")
        axis.set_title(f"{billing} billing")
        axis.set_xlabel("build and solve time (ms)")
        axis.set_ylabel("share of workloads (%)")
        axis.set_ylim(0, 103)
        axis.legend(loc="lower right", frameon=False)
    _save(figure, path)


def _series(rows: Sequence[Row], billing: str) -> dict[str, list[Row]]:
    """Label to the rows of one method and dispatch under ``billing``."""
    series: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.billing == billing:
            label = f"{row.method} ({row.dispatch})" if row.method == REFERENCE else row.method
            series[label].append(row)
    return series


def _distribution(axis: Axes, values: Sequence[float], label: str) -> None:
    ordered = sorted(values)
    shares = [100 * (i + 1) / len(ordered) for i in range(len(ordered))]
    axis.step([ordered[0], *ordered], [0.0, *shares], where="post", label=label, linewidth=1.8)


def _panels(rows: int, columns: int) -> tuple[Figure, list[list[Axes]]]:
    # The object interface, not pyplot: no display, no global state.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2 * columns, 3.6 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axis in grid.flat:
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(alpha=0.25)
    return figure, [list(row) for row in grid]


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, dpi=150)
