"""Processor time of the exact method beside Harpagon's heuristic: ``python -m studies.times --suite paper``.

Both solve one workload directly after one another, three times in turn; the least processor time counts, so that other
work on the machine, and what is compiled once an instance, disturbs little.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harpagon.evaluation.gaps.tables import REFERENCE, quantile
from harpagon.instances.policies import APART, Billing, Dispatch
from harpagon.solvers.methods import solve
from harpagon.solvers.options import SolverOptions
from harpagon.solvers.result import Termination
from studies.suites import chosen_instances, suite_parser
from studies.timing import timed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.instances.instance import Instance

_RUNS = 3


@dataclass(frozen=True, slots=True)
class Solved:
    """One workload: whether its optimum was proven, and seconds of processor time of both."""

    name: str
    proven: bool
    seconds: float
    harpagon_seconds: float


def solved(instance: Instance, billing: Billing, dispatch: Dispatch, options: SolverOptions) -> Solved:
    """Solve one workload by both."""
    seconds, others = [], []
    for _ in range(_RUNS):
        result, taken = timed(solve, instance, REFERENCE, billing, dispatch, options)
        seconds.append(taken)
        others.append(timed(solve, instance, "harpagon", billing)[1])
    return Solved(instance.name, result.termination is Termination.OPTIMAL, min(seconds), min(others))


def row(found: Sequence[Solved]) -> list[str]:
    """Cells: proven, seconds in all, at the median, the 99th percentile and the most, and mean ratio to Harpagon's."""
    times = sorted(one.seconds for one in found)
    slowest = max(found, key=lambda one: one.seconds)
    ratio = statistics.geometric_mean(one.seconds / one.harpagon_seconds for one in found)
    return [
        f"{sum(one.proven for one in found)} of {len(found)}",
        *(f"{seconds:.3g} s" for seconds in (sum(times), quantile(times, 0.5), quantile(times, 0.99))),
        f"{slowest.seconds:.3g} s ({slowest.name})",
        f"{ratio:.2f}",
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one row per billing and policy; returns the exit code."""
    from rich.console import Console
    from rich.progress import track

    options = _parser().parse_args(arguments)
    instances = chosen_instances(options)
    limit = SolverOptions(time_limit=options.time_limit)
    headings = ("billing", "dispatch", "proven", "all", "median", "p99", "largest", "over Harpagon, geometric mean")
    lines = [headings, ("---",) * len(headings)]
    for billing in map(Billing, options.billing):
        for dispatch in map(Dispatch, options.dispatch):
            tracked = track(instances, f"{billing}, {dispatch}", console=Console(stderr=True))
            solved(instances[0], billing, dispatch, limit)  # what is imported is not the method's time
            lines.append((billing, dispatch, *row([solved(one, billing, dispatch, limit) for one in tracked])))
    print("\n".join(f"| {' | '.join(line)} |" for line in lines))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = suite_parser("times", "The exact method beside Harpagon.", instances=42)
    parser.add_argument("--billing", nargs="+", choices=[*APART], default=[*APART])
    parser.add_argument("--dispatch", nargs="+", choices=[*Dispatch], default=[Dispatch.TC, Dispatch.FREE])
    parser.add_argument("--time-limit", type=float, metavar="S", help="of the exact method, per workload")
    return parser


if __name__ == "__main__":
    sys.exit(main())
