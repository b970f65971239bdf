"""How near ``harpagon+`` comes to the optimum, and its processor time beside Harpagon's.

Run ``python -m studies.plus --suite paper --instances 1131`` for the table of docs/paper-comparison.md. Optima are
those of the benchmark library. Both heuristics solve one workload directly after one another, three times in turn; the
least processor time counts, so that other work on the machine disturbs little.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harpagon.evaluation.gaps.tables import SAME_COST, quantile
from harpagon.heuristics.harpagon.plan import plan_harpagon
from harpagon.heuristics.harpagon_plus.plan import plan_harpagon_plus
from harpagon.instances.library.benchmarks import benchmark_path, read_benchmarks
from harpagon.instances.policies import APART, Billing, Dispatch
from studies.suites import chosen_instances, suite_parser
from studies.timing import timed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.instances.instance import Instance

_NEAR = 1e-3
"""Gap of a plan that counts as near the optimum."""
_RUNS = 3


@dataclass(frozen=True, slots=True)
class Comparison:
    """One workload: gap of ``harpagon+`` over the ``free`` optimum, and seconds of processor time of both."""

    gap: float
    seconds: float
    harpagon_seconds: float


def compare(instance: Instance, billing: Billing, optimum: float) -> Comparison | None:
    """Run both heuristics; None where ``harpagon+`` finds no plan."""
    plan, seconds, others = None, [], []
    for _ in range(_RUNS):
        plan, taken = timed(plan_harpagon_plus, instance, billing)
        seconds.append(taken)
        others.append(timed(plan_harpagon, instance, billing)[1])
    return None if plan is None else Comparison(plan.cost / optimum - 1, min(seconds), min(others))


def row(found: Sequence[Comparison]) -> list[str]:
    """Cells: shares at and near the optimum, mean and largest gap, times of both, and the ratios of the times."""
    gaps = [one.gap for one in found]
    shares = [f"{100 * statistics.fmean(gap <= bound for gap in gaps):.2f} %" for bound in (SAME_COST, _NEAR)]
    times = [sorted(getattr(one, name) for one in found) for name in ("seconds", "harpagon_seconds")]
    middle, late = ([quantile(mine, share) for mine in times] for share in (0.5, 0.99))
    return [
        *(*shares, f"{100 * statistics.fmean(gaps):.4f} % ({100 * max(gaps):.2f} %)"),
        *(f"{1e3 * one:.1f}, {1e3 * other:.1f} ms" for one, other in zip(middle, late, strict=True)),
        *(f"{own / other:.2f}" for own, other in (middle, late)),
        f"{statistics.geometric_mean(one.seconds / one.harpagon_seconds for one in found):.2f}",
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one row per billing; returns the exit code."""
    from rich.console import Console
    from rich.progress import track

    options = _parser().parse_args(arguments)
    optima = {one.case: one.best for one in read_benchmarks(benchmark_path(options.suite))}
    instances = chosen_instances(options)
    headings = (
        *("billing", "workloads", "optimal", "within 0.1 %", "gap: mean (max)", "harpagon+: median, p99"),
        *("harpagon: median, p99", "ratio of medians", "ratio of p99", "mean ratio"),
    )
    lines = [headings, ("---",) * len(headings)]
    for billing in map(Billing, options.billing):
        tracked = track(instances, billing, console=Console(stderr=True))
        tried = [compare(one, billing, optima[one.name, billing, Dispatch.FREE]) for one in tracked]
        found = [one for one in tried if one is not None]
        lines.append((billing, f"{len(found)} of {len(instances)}", *row(found)))
    print("\n".join(f"| {' | '.join(line)} |" for line in lines))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = suite_parser("plus", "harpagon+ beside Harpagon.", instances=42)
    parser.add_argument("--billing", nargs="+", choices=[*APART], default=[*APART])
    return parser


if __name__ == "__main__":
    sys.exit(main())
