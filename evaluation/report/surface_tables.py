"""Tables of the comparison as a surface: the headline per reading, and its means by band."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from harpagon.evaluation.gaps.surface import CLAIMED, RATE, SPREAD, TIGHTNESS, cells, common_rows, headline, ratios
from harpagon.evaluation.report.table import Table, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.evaluation.sweep.rows import Row

_AXES = (RATE, TIGHTNESS, SPREAD)


def headline_table(rows: Sequence[Row], billing: str) -> Table:
    """Per reading the ratios over the workloads that every system plans, and where the claimed range lies in them."""
    common, left_out = common_rows(rows)
    kept = len({row.problem for row in common})
    low, high = CLAIMED
    headings = (
        *("reading", "mean", "median", "5 to 95 %", f"below {low}", f"{low} to {high}", f"above {high}"),
        "means of the surface",
    )
    lines = []
    for method, found in ratios(common).items():
        one = headline(found)
        shares = [percent(share) for share in (one.below, one.within, one.above)]
        spread = f"{one.low:.2f} to {one.high:.2f}"
        lines.append((method, f"{one.mean:.3f}", f"{one.median:.3f}", spread, *shares, _range(method, common)))
    caption = f"Cost over Harpagon, {billing} billing: {kept} workloads that every system plans, {left_out} left out"
    return Table(f"headline-{billing}", caption, headings, lines)


def _range(method: str, rows: Sequence[Row]) -> str:
    """Smallest and largest mean over the cells of rate, tightness and spread."""
    means = [statistics.fmean(costs) for costs in cells(ratios(rows)[method], *_AXES).values()]
    return f"{min(means):.2f} to {max(means):.2f}" if means else "-"


def surface_table(rows: Sequence[Row], billing: str) -> Table:
    """Per reading the mean ratio in every band, over the workloads that every system plans."""
    common, _ = common_rows(rows)
    labels = [(axis, k, label) for axis in _AXES for k, label in enumerate(axis.labels)]
    headings = ("reading", *(f"{axis.name} {label}" for axis, _, label in labels))
    lines = []
    for method, found in ratios(common).items():
        means = {
            (axis, band): statistics.fmean(costs) for axis in _AXES for (band,), costs in cells(found, axis).items()
        }
        if means:
            lines.append((method, *(_mean(means.get((axis, k))) for axis, k, _ in labels)))
    caption = f"Mean cost over Harpagon by band, {billing} billing, the same workloads"
    return Table(f"surface-{billing}", caption, headings, lines)


def _mean(mean: float | None) -> str:
    return "-" if mean is None else f"{mean:.2f}"
