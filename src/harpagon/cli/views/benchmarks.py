"""What is known of a suite's instances, in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.cli.views.tables import plain_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from harpagon.instances.library.benchmarks import Benchmark
    from harpagon.instances.policies import Billing, Dispatch


def benchmark_table(benchmarks: Sequence[Benchmark], billing: Billing, dispatch: Dispatch) -> Table:
    """One line per instance: its best plan, the bound or "optimal", and by how much the best heuristic is dearer."""
    title = f"{billing} billing, {dispatch} dispatch, $/hour"
    table = plain_table("instance", "best", "bound", "heuristic", "over %", left=(0, 3), title=title)
    for one in benchmarks:
        bound = f"{one.bound:.3f}" if one.optimum is None else "optimal"
        cost = one.heuristic_cost
        over = "-" if cost is None else f"{100 * (cost / one.best - 1):.2f}"
        table.add_row(one.instance, f"{one.best:.3f}", bound, one.heuristic or "-", over)
    for column in table.columns:
        column.no_wrap = True
    return table
