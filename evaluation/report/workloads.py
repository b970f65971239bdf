"""Every workload of a report: its optimum, what each method makes of it, and the plans behind the figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.evaluation.gaps.tables import REFERENCE, reference_dispatches
from harpagon.evaluation.plotting.palette import MAIN
from harpagon.evaluation.report.table import Table, percent
from harpagon.formulations.physics import has_free_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.evaluation.sweep.rows import Row


def workload_table(rows: Sequence[Row], billing: str) -> Table:
    """Per workload its proven optima in dollars per hour, and per main method the cost over the last."""
    policies = sorted(reference_dispatches(billing), key=has_free_order)
    optima = [f"{policy} optimum" for policy in policies]
    found = _by_workload(rows)
    methods = list(dict.fromkeys(name for columns in found.values() for name in columns if name not in optima))
    cells = []
    for workload, columns in found.items():
        proven = [columns[name].cost if name in columns else None for name in optima]
        cells.append((workload, *map(_dollars, proven), *(_gap(columns.get(name), proven[-1]) for name in methods)))
    caption = f"Every workload, {billing} billing: optimum in $/hour, and cost over the {optima[-1]}"
    return Table(f"workloads-{billing}", caption, ("workload", *optima, *methods), cells)


def workload_plans(rows: Sequence[Row]) -> dict[str, dict[str, str]]:
    """Plans in words by workload and column of `workload_table`, each under its cost."""
    return {
        workload: {name: f"{_dollars(row.cost)} $/hour, {row.dispatch}\n{row.plan}" for name, row in columns.items()}
        for workload, columns in _by_workload(rows).items()
    }


def _by_workload(rows: Sequence[Row]) -> dict[str, dict[str, Row]]:
    """Rows with a plan: of proven optima by ``POLICY optimum``, of the main methods by name (of all where none is)."""
    heuristics = {row.method for row in rows} - {REFERENCE}
    drawn = heuristics & set(MAIN) or heuristics
    found: dict[str, dict[str, Row]] = {}
    for row in rows:
        columns = found.setdefault(row.workload, {})
        if row.method == REFERENCE and row.status == "optimal":
            columns[f"{row.dispatch} optimum"] = row
        elif row.method in drawn and row.cost is not None:
            columns[row.method] = row
    return found


def _dollars(cost: float | None) -> str:
    return "-" if cost is None else f"{cost:.4f}"


def _gap(row: Row | None, optimum: float | None) -> str:
    return percent(None if row is None or row.cost is None or optimum is None else row.cost / optimum - 1)
