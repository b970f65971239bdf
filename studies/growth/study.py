"""How the time of ``exact`` grows with modules, configurations, rate and pipelines, one at a time.

Run ``python -m studies.growth.study`` for the table of the docs; ``--figure FILE`` draws it.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harpagon.instances.library.shipped import worked_example
from harpagon.instances.policies import APART, Billing, Dispatch
from harpagon.solvers.exact.solve import solve_exact
from harpagon.solvers.options import SolverOptions
from studies.growth.workloads import AXES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studies.growth.workloads import Axis

NEGLIGIBLE = 0.005
"""Seconds below which a time says nothing about growth."""
NEAR = 1e-4
"""Gap that counts as closed where a proof takes longer."""


@dataclass(frozen=True, slots=True)
class GrowthPoint:
    """One solve.

    Attributes
    ----------
    axis, size
        What grew, and how far.
    status
        Termination reason.
    gap
        Relative gap reached, None without a plan.
    wall, cpu
        Seconds by the clock, and seconds of processor time, which other work on the machine does not lengthen.
    near
        Processor seconds after which plan and bound were within 0.01 %, None where they never were.
    machines
        Machines in the plan.
    """

    axis: str
    size: int
    status: str
    gap: float | None
    wall: float
    cpu: float
    near: float | None
    machines: float


def measure(axis: Axis, size: int, billing: Billing, dispatch: Dispatch, time_limit: float) -> GrowthPoint:
    """Solve the workload of one size."""
    instance = axis.workload(size, billing, dispatch)
    wall, cpu, within = time.perf_counter(), time.process_time(), list[float]()

    def told(cost: float, bound: float) -> None:
        if cost - bound <= NEAR * cost < math.inf:
            within.append(time.process_time() - cpu)

    result = solve_exact(instance, billing, dispatch, SolverOptions(time_limit=time_limit, progress=told))
    if result.objective is not None:
        told(result.objective, result.dual_bound)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    pipelines = () if result.plan is None else result.plan.pipelines
    machines = sum(part.machines for p in pipelines for module in p.modules.values() for part in module.tuples)
    return GrowthPoint(axis.name, size, result.termination, result.gap, wall, cpu, min(within, default=None), machines)


def exponent(points: Sequence[GrowthPoint]) -> float | None:
    """Slope of log(processor time) over log(size), by least squares over the times that are not negligible.

    Returns
    -------
    float or None
        1 where time grows in proportion to the size; None with fewer than three times to fit.
    """
    fitted = [(math.log(p.size), math.log(p.cpu)) for p in points if p.cpu >= NEGLIGIBLE]
    return _slope(fitted) if len(fitted) >= 3 else None


def linearithmic_exponent(points: Sequence[GrowthPoint]) -> float:
    """What `exponent` would be for times in proportion to n log n at the same sizes."""
    sizes = [p.size for p in points if p.cpu >= NEGLIGIBLE and p.size > 1]
    return _slope([(math.log(n), math.log(n * math.log(n))) for n in sizes])


def _slope(pairs: Sequence[tuple[float, float]]) -> float:
    x = math.fsum(a for a, _ in pairs) / len(pairs)
    y = math.fsum(b for _, b in pairs) / len(pairs)
    return math.fsum((a - x) * (b - y) for a, b in pairs) / math.fsum((a - x) ** 2 for a, _ in pairs)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print one row per solve and one line per axis; returns the exit code."""
    from rich.console import Console
    from rich.progress import track

    options = _parser().parse_args(arguments)
    billing, dispatch = Billing(options.billing), Dispatch(options.dispatch)
    solve_exact(worked_example(), billing, dispatch)  # imports count to no workload
    tasks = [(AXES[name], size) for name in options.axes for size in AXES[name].sizes]
    tasks = [(axis, size) for axis, size in tasks if options.smallest <= size <= options.largest]
    points = [
        measure(axis, size, billing, dispatch, options.time_limit)
        for axis, size in track(tasks, "measuring", console=Console(stderr=True))
    ]
    _print(points, billing, dispatch)
    if options.csv is not None:
        _write(points, options.csv)
    if options.figure is not None:
        from studies.growth.figure import draw_growth

        draw_growth(points, options.figure)
    return 0


def _print(points: Sequence[GrowthPoint], billing: Billing, dispatch: Dispatch) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(
        "axis", "size", "status", "gap", "wall s", "CPU s", "to 0.01 %", "machines", title=f"{billing}, {dispatch}"
    )
    for point in points:
        gap = "-" if point.gap is None else f"{point.gap:.2e}"
        near = "-" if point.near is None else f"{point.near:.3f}"
        figures = (gap, f"{point.wall:.3f}", f"{point.cpu:.3f}", near, f"{point.machines:g}")
        table.add_row(point.axis, str(point.size), point.status, *figures)
    console = Console(file=sys.stdout, width=120)
    console.print(table)
    for name in dict.fromkeys(point.axis for point in points):
        console.print(_verdict(name, [point for point in points if point.axis == name]))


def _verdict(name: str, points: Sequence[GrowthPoint]) -> str:
    fitted = exponent(points)
    if fitted is None:
        return f"{name}: under {NEGLIGIBLE * 1e3:g} ms at most sizes, no growth to fit"
    return f"{name}: time ~ size^{fitted:.2f}; n log n at these sizes is size^{linearithmic_exponent(points):.2f}"


def _write(points: Sequence[GrowthPoint], path: Path) -> None:
    rows = [asdict(point) for point in points]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Measure how the time of exact grows, one thing at a time.")
    parser.add_argument("--axes", nargs="+", choices=[*AXES], default=[*AXES])
    parser.add_argument("--smallest", type=int, default=1, metavar="N", help="leave smaller sizes out")
    parser.add_argument("--largest", type=int, default=1_000_000, metavar="N", help="leave larger sizes out")
    parser.add_argument("--billing", choices=[*APART], default=Billing.WHOLE)
    parser.add_argument("--dispatch", choices=[*Dispatch], default=Dispatch.TC)
    parser.add_argument("--time-limit", type=float, default=60.0, metavar="S")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the rows")
    parser.add_argument("--figure", type=Path, metavar="FILE", help="draw the times")
    return parser


if __name__ == "__main__":
    sys.exit(main())
