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
    """One line per instance: the optimum, or the best plan and its bound where the case is open; the best heuristic."""
    title = f"{billing} billing, {dispatch} dispatch: $/hour; open cases as best plan > bound"
    table = plain_table("instance", "optimum", "best heuristic", "its cost", "over %", left=(0, 2), title=title)
    for one in benchmarks:
        known = f"{one.best:.3f} > {one.bound:.3f}" if one.optimum is None else f"{one.optimum:.3f}"
        cost = one.heuristic_cost
        figures = ("-", "-") if cost is None else (f"{cost:.3f}", f"{100 * (cost / one.best - 1):.2f}")
        table.add_row(one.instance, known, one.heuristic or "-", *figures)
    for column in table.columns:
        column.no_wrap = True
    return table
