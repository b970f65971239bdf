"""Fill the benchmark library: ``python -m studies.benchmarks --suite paper``, ``--suite hard --time-limit 60``."""

from __future__ import annotations

import argparse
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from harpagon.evaluation.gaps.tables import REFERENCE, SAME_COST
from harpagon.instances.library.benchmarks import Benchmark, benchmark_path, write_benchmarks
from harpagon.instances.library.suites import benchmark_cases, suite, suite_names
from harpagon.instances.policies import Dispatch
from harpagon.solvers.methods import METHODS, solve
from harpagon.solvers.options import SolverOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.instances.instance import Instance
    from harpagon.instances.policies import Billing
    from harpagon.solvers.result import Result

HEURISTICS = ("harpagon", "harpagon+", "plus-tc")
"""Compared for the best heuristic, the first of equals; each counts where its plans are allowed by the policy."""


def benchmark(instance: Instance, billing: Billing, dispatch: Dispatch, time_limit: float | None = None) -> Benchmark:
    """Record of one case: the exact method's bound, the best plan of all, the best of the heuristics.

    Raises
    ------
    RuntimeError
        Where no method finds a plan.
    """
    exact = solve(instance, REFERENCE, billing, dispatch, SolverOptions(time_limit=time_limit))
    tried = [solve(instance, name, billing, policy) for name in HEURISTICS if (policy := _policy(name, dispatch))]
    planned = [result for result in tried if result.objective is not None]
    heuristic = min(planned, key=_rounded, default=None)
    candidates = [result for result in (exact, heuristic) if result is not None and result.objective is not None]
    if not candidates:
        raise RuntimeError(f"{instance.name}, {billing}, {dispatch}: {exact.termination}, no plan to store")
    best = min(candidates, key=_rounded)
    cost = best.objective or 0.0
    found = (cost, min(cost, exact.dual_bound), best.method, version("harpagon"), instance.digest())
    known = ("", None) if heuristic is None else (heuristic.method, heuristic.objective)
    return Benchmark(instance.name, dispatch, billing, *found, *known)


def _policy(method: str, dispatch: Dispatch) -> Dispatch | None:
    """Policy to run a heuristic with so that ``dispatch`` allows its plans, or None; ``free`` allows Harpagon's."""
    if dispatch in METHODS[method].capabilities.dispatches:
        return dispatch
    return Dispatch.TC if dispatch is Dispatch.FREE and method == "harpagon" else None


def _rounded(result: Result) -> float:
    """Cost in steps of `SAME_COST`, so that rounding decides no tie."""
    return round((result.objective or 0.0) / SAME_COST)


def records(
    instances: Sequence[Instance], cases: Sequence[tuple[Billing, Dispatch]], time_limit: float | None
) -> list[Benchmark]:
    """Records of all instances in all cases; how many are proven, and times, go to standard output."""
    found = []
    for billing, dispatch in cases:
        wall, processor = time.perf_counter(), time.process_time()
        mine = [benchmark(instance, billing, dispatch, time_limit) for instance in instances]
        taken = f"{time.perf_counter() - wall:.1f} s, {time.process_time() - processor:.1f} s of processor time"
        proven = sum(one.optimum is not None for one in mine)
        print(f"{billing}, {dispatch}: {proven} of {len(mine)} proven optimal; {taken}", flush=True)
        found += mine
    return found


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m studies.benchmarks", description=__doc__)
    parser.add_argument("--suite", default="paper", choices=suite_names())
    parser.add_argument("--time-limit", type=float, metavar="S", help="of each exact solve")
    parser.add_argument("--out", type=Path, help="file to write; default: the shipped one")
    arguments = parser.parse_args()
    path = arguments.out or benchmark_path(arguments.suite)
    write_benchmarks(path, records(suite(arguments.suite), benchmark_cases(arguments.suite), arguments.time_limit))
    print(f"written to {path}")


if __name__ == "__main__":
    main()
