"""The gap table in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.cli.views.tables import plain_table
from harpagon.evaluation.gaps.tables import REFERENCE
from harpagon.solvers.result import duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from harpagon.evaluation.gaps.tables import GapSummary, Summary


def gap_tables(summaries: Sequence[Summary]) -> list[Table]:
    """One table per billing; per method one row for each optimum it is compared with."""
    billings = dict.fromkeys(summary.billing for summary in summaries)
    return [_table(billing, [summary for summary in summaries if summary.billing == billing]) for billing in billings]


def _table(billing: str, summaries: Sequence[Summary]) -> Table:
    headings = ("method", "over", "plans", "optimal", "mean %", "p95 %", "max %", "median", "p99")
    rows = [row for summary in summaries for row in _rows(summary)]
    table = plain_table(*headings, left=(0, 1), title=f"{billing} billing")
    for column, cells in zip(table.columns, zip(headings, *rows, strict=True), strict=True):
        # A figure that is cut is none: where the terminal is narrower, its lines run over.
        column.no_wrap, column.min_width = True, max(map(len, cells))
    for row in rows:
        table.add_row(*row)
    return table


def _rows(summary: Summary) -> list[list[str]]:
    """Cells of one method: its plans and times once, its gaps once per optimum."""
    plans = f"{summary.planned}/{summary.workloads}"
    times = ["-" if seconds is None else duration(seconds) for seconds in (summary.median_s, summary.p99_s)]
    rows = []
    for dispatch, gap in summary.gaps.items():
        if summary.method == REFERENCE and summary.dispatch == dispatch:
            proven = f"{summary.proven}/{summary.workloads}"
            rows.append([summary.label, "", plans, proven, "proven", "", "", *times])
        else:
            rows.append([summary.label, f"{dispatch}", plans, f"{gap.optimal}/{gap.compared}", *_figures(gap), *times])
    for row in rows[1:]:
        row[0] = row[2] = row[-2] = row[-1] = ""
    return rows


def _figures(gap: GapSummary) -> list[str]:
    return ["-" if share is None else _per_cent(100 * share) for share in (gap.mean, gap.p95, gap.largest)]


def _per_cent(value: float) -> str:
    return f"{value:.2f}" if abs(value) < _THREE_DIGITS else f"{value:.1f}"


_THREE_DIGITS = 99.995
