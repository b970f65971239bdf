"""Tables of the comparison as a surface: the headline per reading, and its means by band."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from harpagon.evaluation.gaps.surface import CLAIMED, RATE, SPREAD, TIGHTNESS, cells, common_rows, headline, ratios
from harpagon.evaluation.report.table import Table, percent
from harpagon.heuristics.baselines.readings import READINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harpagon.evaluation.gaps.surface import Headline
    from harpagon.evaluation.sweep.rows import Row

_AXES = (RATE, TIGHTNESS, SPREAD)
_CLAIM = f"{CLAIMED[0]} to {CLAIMED[1]}"
_FIGURES: Sequence[tuple[str, str, Callable[[Headline], str]]] = (
    ("mean", _CLAIM, lambda one: f"{one.mean:.2f}"),
    ("5 to 95 % of workloads", "", lambda one: f"{one.low:.2f} to {one.high:.2f}"),
    (f"share in {_CLAIM}", "", lambda one: percent(one.within)),
)
"""Name, what the abstract says, and what the workloads say."""


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


def readings_table(rows: Sequence[Row]) -> Table:
    """The ratio that the abstract of Harpagon claims beside those of every reading, a column each."""
    present = {row.method for row in rows}
    methods = [method for method in READINGS if method in present]
    lines: list[tuple[str, ...]] = []
    for billing in dict.fromkeys(row.billing for row in rows):
        common, left_out = common_rows([row for row in rows if row.billing == billing])
        found = {method: headline(mine) for method, mine in ratios(common).items()}
        kept = len({row.problem for row in common})
        lines.append((f"{billing} billing: workloads, left out", "", *[f"{kept}, {left_out}"] * len(methods)))
        for name, claimed, figure in _FIGURES:
            ours = (figure(found[method]) if method in found else "-" for method in methods)
            lines.append((f"{billing} billing: {name}", claimed, *ours))
    caption = "Cost over Harpagon per reading, over the workloads that every system plans"
    return Table("claims-readings", caption, ("", "the paper's abstract", *methods), lines if methods else [])


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
