"""Size, relaxation and time of each formulation on the same workloads, side by side.

Run ``python -m studies.formulations --instances 50`` for the table of the docs.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harpagon.formulations.planning.linear_program import linear_program
from harpagon.instances.library.shipped import worked_example
from harpagon.instances.library.suites import spread, suite
from harpagon.instances.policies import APART, Billing, Dispatch
from harpagon.solvers.method import Kind
from harpagon.solvers.methods import METHODS, find_method
from harpagon.solvers.models.export import linear_model
from harpagon.solvers.models.highs import relaxation_bound
from harpagon.solvers.options import DEFAULT_OPTIONS, SolverOptions
from harpagon.solvers.result import Termination

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.instances.instance import Instance

FORMULATIONS = tuple(
    m.name
    for m in METHODS.values()
    if m.kind is Kind.EXACT and m.name != "brute-force" and Billing.WHOLE in m.capabilities.billings
)

_QUICK = 0.05
"""Seconds below which a solve is repeated and the least time counts."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One formulation on one workload; sizes and relaxation only where the model is linear.

    Attributes
    ----------
    optimal
        Whether it was proven optimal within the time limit.
    build_time, solve_time
        Seconds.
    rows, columns
        Of the last model.
    tightness
        Optimum of the linear relaxation over the optimum.
    """

    optimal: bool
    build_time: float
    solve_time: float
    rows: int | None = None
    columns: int | None = None
    tightness: float | None = None


def measure(instance: Instance, formulation: str, billing: Billing, dispatch: Dispatch, limit: float) -> Measurement:
    """Solve, three times where it is quick, then measure the model with the tangents that the solve ended with."""
    options = SolverOptions(time_limit=limit)
    result = find_method(formulation).run(instance, billing, dispatch, options)
    if result.solve_time < _QUICK:
        again = (find_method(formulation).run(instance, billing, dispatch, options) for _ in range(2))
        result = min((result, *again), key=lambda one: one.build_time + one.solve_time)
    optimal = result.termination is Termination.OPTIMAL
    if not METHODS[formulation].capabilities.linear or result.plan is None:
        return Measurement(optimal, result.build_time, result.solve_time)
    program = linear_program(linear_model(instance, formulation, billing, dispatch, options))
    tightness = relaxation_bound(program, DEFAULT_OPTIONS) / result.plan.cost if optimal else None
    return Measurement(optimal, result.build_time, result.solve_time, program.rows, program.columns, tightness)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one row per formulation; returns the exit code."""
    from rich.console import Console
    from rich.progress import track
    from rich.table import Table

    options = _parser().parse_args(arguments)
    workloads = spread(suite(options.suite), options.instances)
    found = {}
    for formulation in options.formulations:
        find_method(formulation).run(worked_example(), Billing.WHOLE, Dispatch.TC)  # imports count to no workload
        found[formulation] = [
            measure(instance, formulation, Billing(options.billing), Dispatch(options.dispatch), options.time_limit)
            for instance in track(workloads, formulation, console=Console(stderr=True))
        ]
    headings = ("proven", "rows", "columns", "LP/optimum", "build ms", "p99", "solve ms", "p99", "time/exact")
    table = Table("formulation", *headings)
    for formulation, measured in found.items():
        table.add_row(formulation, *summary(measured), _ratio(measured, found.get("exact", ())))
    Console(file=sys.stdout, width=130).print(table)
    return 0


def summary(found: Sequence[Measurement]) -> list[str]:
    """Cells of one formulation: how many proven; medians, and 99th percentiles of the times."""
    rows = [m.rows for m in found if m.rows is not None]
    columns = [m.columns for m in found if m.columns is not None]
    tightness = [m.tightness for m in found if m.tightness is not None]
    cells = [f"{sum(m.optimal for m in found)}/{len(found)}"]
    cells += [f"{statistics.median(sizes):g}" if sizes else "-" for sizes in (rows, columns)]
    cells.append(f"{statistics.median(tightness):.3f}" if tightness else "-")
    for times in ([m.build_time for m in found], [m.solve_time for m in found]):
        cells += [f"{1e3 * statistics.median(times):.1f}", f"{1e3 * _percentile(times, 0.99):.1f}"]
    return cells


def _ratio(measured: Sequence[Measurement], exact: Sequence[Measurement]) -> str:
    """Geometric mean over the workloads of the time, build included, over that of ``exact``."""
    if not exact:
        return "-"
    ratios = [m.build_time + m.solve_time for m in measured], [m.build_time + m.solve_time for m in exact]
    return f"{statistics.geometric_mean(a / b for a, b in zip(*ratios, strict=True)):.1f}"


def _percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Measure the formulations on the same workloads.")
    parser.add_argument("--suite", default="smoke")
    parser.add_argument("--instances", type=int, default=50, metavar="N", help="spread evenly over the suite")
    parser.add_argument("--formulations", nargs="+", choices=FORMULATIONS, default=FORMULATIONS)
    parser.add_argument("--billing", choices=[*APART], default=Billing.WHOLE)
    parser.add_argument("--dispatch", choices=[*Dispatch], default=Dispatch.TC)
    parser.add_argument("--time-limit", type=float, default=60.0, metavar="S")
    return parser


if __name__ == "__main__":
    sys.exit(main())
