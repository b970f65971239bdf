"""What Harpagon loses to the optimum, and which part loses it; "optimal" in both of its meanings.

Run ``python -m studies.losses --suite paper --instances 1131`` for the table of docs/paper-comparison.md.

A plan can equal the optimum over all plans, or the best plan of any latency split with Harpagon's own module scheduler
(`harp-bf`). With the costs of one workload

    greedy split alone >= split and reassigner >= harp-bf >= optimum,

the first difference is what the reassigner takes back from the splitter's loss, the second what both leave, the third
what the module scheduler loses. All are shares of the optimum under ``tc`` dispatch, as the benchmark library holds it.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harpagon.evaluation.gaps.tables import SAME_COST
from harpagon.heuristics.harpagon.plan import HarpagonOptions, Splitter, plan_harpagon
from harpagon.instances.library.benchmarks import benchmark_path, read_benchmarks
from harpagon.instances.policies import APART, Billing, Dispatch
from harpagon.solvers.methods import solve
from harpagon.solvers.result import Termination
from studies.suites import chosen_instances, suite_parser

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.instances.instance import Instance

SPLITTERS = (Splitter.ESTIMATE, Splitter.SCHEDULE)


@dataclass(frozen=True, slots=True)
class Losses:
    """Dollars per hour of one workload with one splitter; every figure is at least the next.

    Attributes
    ----------
    split
        Splitter and module scheduler, nothing reassigned.
    reassigned
        The whole heuristic.
    best_split
        Brute force over latency splits with the same module scheduler: where residuals are padded a sample of them,
        and the heuristic's own.
    optimum
        The cheapest of all plans.
    """

    split: float
    reassigned: float
    best_split: float
    optimum: float


def losses(instance: Instance, billing: Billing, optimum: float | None = None) -> dict[Splitter, Losses] | None:
    """Costs of one workload per splitter; None where the heuristic finds no plan, or no optimum is proven.

    ``optimum`` is that of all plans under ``tc`` dispatch, where it is known; else it is proven here.
    """
    if optimum is None:
        proof = solve(instance, "exact", billing, Dispatch.TC)
        optimum = proof.objective if proof.termination is Termination.OPTIMAL else None
    best_split = _cost(instance, billing, HarpagonOptions(splitter=Splitter.EVERY))
    found = {}
    for splitter in SPLITTERS:
        options = HarpagonOptions(splitter=splitter)
        split = _cost(instance, billing, replace(options, reassignments=0))
        reassigned = _cost(instance, billing, options)
        if optimum is None or best_split is None or split is None or reassigned is None:
            return None
        found[splitter] = Losses(split, reassigned, min(best_split, reassigned), optimum)
    return found


def _cost(instance: Instance, billing: Billing, options: HarpagonOptions) -> float | None:
    plan = plan_harpagon(instance, billing, options)
    return None if plan is None else plan.cost


def known_optima(suite_name: str) -> dict[tuple[str, str, Billing], float]:
    """Name, digest and billing to the proven ``tc`` optimum in the benchmark library."""
    stored = read_benchmarks(benchmark_path(suite_name))
    proven = (one for one in stored if one.dispatch is Dispatch.TC and one.optimum is not None)
    return {(one.instance, one.digest, one.billing): one.best for one in proven}


def row(found: Sequence[Losses]) -> list[str]:
    """Cells: shares optimal in both meanings, at the best split; mean losses of the parts, and the largest."""
    first = statistics.fmean(_same(one.reassigned, one.optimum) for one in found)
    second = statistics.fmean(_same(one.reassigned, one.best_split) for one in found)
    best = statistics.fmean(_same(one.best_split, one.optimum) for one in found)
    parts = (
        [(one.split - one.reassigned) / one.optimum for one in found],
        [(one.reassigned - one.best_split) / one.optimum for one in found],
        [(one.best_split - one.optimum) / one.optimum for one in found],
    )
    shares = [f"{100 * share:.1f} %" for share in (first, second, best)]
    return shares + [f"{100 * statistics.fmean(part):.2f} % ({100 * max(part):.1f} %)" for part in parts]


def _same(cost: float, reference: float) -> bool:
    return cost <= reference * (1 + SAME_COST)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one row per billing and splitter; returns the exit code."""
    from rich.console import Console
    from rich.progress import track

    options = _parser().parse_args(arguments)
    instances = chosen_instances(options)
    headings = (
        *("billing", "splitter goes by", "workloads", "at the optimum", "at the best split", "best split at optimum"),
        *("taken back by reassigner: mean (max)", "left by splitter and reassigner", "module scheduler"),
    )
    lines = [headings, ("---",) * len(headings)]
    optima = known_optima(options.suite)
    for billing in map(Billing, options.billing):
        found = []
        for instance in track(instances, billing, console=Console(stderr=True)):
            known = optima.get((instance.name, instance.digest(), billing))
            found.append(losses(instance, billing, known))
        for splitter in SPLITTERS:
            mine = [one[splitter] for one in found if one is not None]
            lines.append((billing, splitter, f"{len(mine)} of {len(instances)}", *row(mine)))
    print("\n".join(f"| {' | '.join(line)} |" for line in lines))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = suite_parser("losses", "What Harpagon loses, and where.", instances=42)
    parser.add_argument("--billing", nargs="+", choices=[*APART], default=[*APART])
    return parser


if __name__ == "__main__":
    sys.exit(main())
