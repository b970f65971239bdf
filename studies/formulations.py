"""Size, relaxation and time of each formulation on the same workloads, side by side.

Run ``python -m studies.formulations --instances 50`` for the table of the docs, and with ``--floors`` for what the
floors of ``levels`` are worth.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import TYPE_CHECKING, cast

from harpagon.formulations.bounds import cost_floor
from harpagon.formulations.planning.data import PlanningData
from harpagon.formulations.planning.levels import build_levels
from harpagon.formulations.planning.linear_program import linear_program
from harpagon.instances.library.shipped import worked_example
from harpagon.instances.policies import APART, Billing, Dispatch
from harpagon.solvers.exact.climb import climb
from harpagon.solvers.exact.effort import Effort
from harpagon.solvers.method import Kind
from harpagon.solvers.methods import METHODS, find_method
from harpagon.solvers.models.export import linear_model
from harpagon.solvers.models.highs import relaxation_bound
from harpagon.solvers.models.levels import module_levels
from harpagon.solvers.models.model_method import first_start
from harpagon.solvers.models.opened import BUDGET_FACTOR
from harpagon.solvers.options import DEFAULT_OPTIONS, SolverOptions
from harpagon.solvers.result import Termination
from studies.suites import chosen_instances, suite_parser
from studies.timing import timed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harpagon.formulations.planning.levels import Level
    from harpagon.formulations.problem import ModuleProblem
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
    build_time, solve_time, processor
        Seconds by the clock; of processor time in all, which other work on the machine does not lengthen.
    nodes
        Of the branch and bound trees of all rounds.
    rows, columns
        Of the last model.
    tightness
        Optimum of the linear relaxation over the optimum.
    """

    optimal: bool
    build_time: float
    solve_time: float
    processor: float
    nodes: int | None = None
    rows: int | None = None
    columns: int | None = None
    tightness: float | None = None


def measure(instance: Instance, name: str, billing: Billing, dispatch: Dispatch, limit: float) -> Measurement:
    """Solve, three times where it is quick, then measure the model with the tangents that the solve ended with."""
    options = SolverOptions(time_limit=limit)
    run = find_method(name).run
    result, processor = timed(run, instance, billing, dispatch, options)
    if result.solve_time < _QUICK:
        again = (timed(run, instance, billing, dispatch, options) for _ in range(2))
        result, processor = min(((result, processor), *again), key=itemgetter(1))
    optimal = result.termination is Termination.OPTIMAL
    nodes = cast("int | None", result.solver.options.get("nodes"))
    measured = Measurement(optimal, result.build_time, result.solve_time, processor, nodes)
    if not METHODS[name].capabilities.linear or result.plan is None:
        return measured
    program = linear_program(linear_model(instance, name, billing, dispatch, options))
    tightness = relaxation_bound(program, DEFAULT_OPTIONS) / result.plan.cost if optimal else None
    return replace(measured, rows=program.rows, columns=program.columns, tightness=tightness)


def level_worth(instance: Instance, billing: Billing, dispatch: Dispatch, factor: float) -> dict[str, float]:
    """Relaxation of ``levels`` over the optimum, with weaker floors, and without floors, which is ``compact``.

    ``factor`` times what the first plan costs is what plans in the model may cost.
    """
    optimum = find_method("exact").run(instance, billing, dispatch).objective
    assert optimum is not None, "workloads of the suites have plans"
    task = first_start(instance, billing, dispatch, DEFAULT_OPTIONS).task
    data = PlanningData.compile(instance, task.problems, billing, dispatch, task.budget * factor)
    levels = module_levels(data, Effort())
    worth = {}
    for name, floor in FLOORS.items():
        floors = [[replace(one, floor=floor(data, m, one)) for one in own] for m, own in enumerate(levels)]
        worth[name] = relaxation_bound(linear_program(build_levels(data, floors)), DEFAULT_OPTIONS) / optimum
    return worth


def _quick(data: PlanningData, m: int, level: Level) -> ModuleProblem:
    """Module ``m`` with the configurations that may be used on a level."""
    quick = [c for k, c in enumerate(data.bounds[m].configurations) if data.execution(m, k) <= level.longest]
    return replace(data.modules[m], configurations=tuple(quick))


def _whole_machines(data: PlanningData, m: int, level: Level) -> float:
    counts = next(climb(_quick(data, m, level), math.inf))
    return sum(machines * configuration.price for configuration, machines in counts)


FLOORS: dict[str, Callable[[PlanningData, int, Level], float]] = {
    "none: compact": lambda data, m, level: 0.0,
    "the rate at the best ratio of what is quick enough": lambda data, m, level: cost_floor(_quick(data, m, level)),
    "whole machines of what is quick enough": _whole_machines,
    "the cheapest schedule: levels": lambda data, m, level: level.floor,
}
"""What no schedule on a level undercuts, weaker and stronger; of whole billing."""


def _print_floors(workloads: Sequence[Instance], billing: Billing, dispatch: Dispatch) -> None:
    from rich.console import Console
    from rich.progress import track
    from rich.table import Table

    factors = (1.0, BUDGET_FACTOR)
    found = {
        factor: [
            level_worth(instance, billing, dispatch, factor)
            for instance in track(workloads, f"budget x {factor:g}", console=Console(stderr=True))
        ]
        for factor in factors
    }
    table = Table("floors of the levels", *(f"LP/optimum (least), {factor:g} x the first plan" for factor in factors))
    for name in found[1.0][0]:
        ratios = [[one[name] for one in found[factor]] for factor in factors]
        table.add_row(name, *(f"{statistics.median(own):.3f} ({min(own):.3f})" for own in ratios))
    Console(file=sys.stdout, width=130).print(table)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one row per formulation; returns the exit code."""
    from rich.console import Console
    from rich.progress import track
    from rich.table import Table

    options = _parser().parse_args(arguments)
    workloads = chosen_instances(options)
    if options.floors:
        _print_floors(workloads, Billing(options.billing), Dispatch(options.dispatch))
        return 0
    found = {}
    for name in options.formulations:
        find_method(name).run(worked_example(), Billing.WHOLE, Dispatch.TC)  # imports count to no workload
        found[name] = [
            measure(instance, name, Billing(options.billing), Dispatch(options.dispatch), options.time_limit)
            for instance in track(workloads, name, console=Console(stderr=True))
        ]
    headings = ("proven", "rows", "columns", "LP/optimum", "nodes", "build ms", "p99", "solve ms", "p99", "time/exact")
    table = Table("formulation", *headings)
    for name, measured in found.items():
        table.add_row(name, *summary(measured), _ratio(measured, found.get("exact", ())))
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
    nodes = [m.nodes for m in found if m.nodes is not None]
    cells.append(f"{statistics.median(nodes):g}" if nodes else "-")
    for times in ([m.build_time for m in found], [m.solve_time for m in found]):
        cells += [f"{1e3 * statistics.median(times):.1f}", f"{1e3 * _percentile(times, 0.99):.1f}"]
    return cells


def _ratio(measured: Sequence[Measurement], exact: Sequence[Measurement]) -> str:
    """Geometric mean over the workloads of the processor time, build included, over that of ``exact``."""
    if not exact:
        return "-"
    ratios = (a.processor / b.processor for a, b in zip(measured, exact, strict=True))
    return f"{statistics.geometric_mean(ratios):.1f}"


def _percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _parser() -> argparse.ArgumentParser:
    parser = suite_parser("formulations", "Measure the formulations on the same workloads.", instances=50)
    parser.add_argument("--formulations", nargs="+", choices=FORMULATIONS, default=FORMULATIONS)
    parser.add_argument("--billing", choices=[*APART], default=Billing.WHOLE)
    parser.add_argument("--dispatch", choices=[*Dispatch], default=Dispatch.TC)
    parser.add_argument("--floors", action="store_true", help="instead: LP/optimum of levels with weaker floors")
    parser.add_argument("--time-limit", type=float, default=60.0, metavar="S")
    return parser


if __name__ == "__main__":
    sys.exit(main())
