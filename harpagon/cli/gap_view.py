"""The gap table in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table

from harpagon.cli.certificate import duration
from harpagon.evaluation.tables import REFERENCE, REFERENCE_DISPATCHES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.evaluation.tables import GapSummary, Summary


def gap_tables(summaries: Sequence[Summary]) -> list[Table]:
    """One table per billing, one row per method."""
    billings = dict.fromkeys(summary.billing for summary in summaries)
    return [_table(billing, [summary for summary in summaries if summary.billing == billing]) for billing in billings]


def _table(billing: str, summaries: Sequence[Summary]) -> Table:
    table = Table(title=f"{billing} billing", box=SIMPLE_HEAD, title_justify="left", padding=(0, 1), title_style="bold")
    table.add_column("method", no_wrap=True)
    table.add_column("plans", justify="right")
    table.add_column("proven", justify="right")
    for dispatch in REFERENCE_DISPATCHES:
        table.add_column(f"= {dispatch}\noptimum", justify="right")
        table.add_column(f"over {dispatch} optimum\nmean / p95 / max", justify="right", no_wrap=True)
    table.add_column("median\ntime", justify="right", no_wrap=True)
    table.add_column("p99\ntime", justify="right", no_wrap=True)
    for summary in summaries:
        table.add_row(*_cells(summary))
    return table


def _cells(summary: Summary) -> list[str]:
    cells = [summary.label, f"{summary.planned}/{summary.workloads}", str(summary.proven) if summary.proven else "-"]
    for dispatch, gap in summary.gaps.items():
        is_itself = summary.method == REFERENCE and summary.dispatch == dispatch
        cells += ["", ""] if is_itself else [f"{gap.optimal}/{gap.compared}", _gap(gap)]
    times = (summary.median_s, summary.p99_s)
    return [*cells, *("-" if seconds is None else duration(seconds) for seconds in times)]


def _gap(gap: GapSummary) -> str:
    figures = (gap.mean, gap.p95, gap.largest)
    return " / ".join("-" if figure is None else f"{100 * figure:.2f}" for figure in figures) + " %"
