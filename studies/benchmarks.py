"""Fill the benchmark library: ``python -m studies.benchmarks --suite paper``, ``--suite hard --time-limit 60``.

With ``--heuristics`` only the best heuristics are made anew. With ``--check`` nothing is written: every stored record
is made again, and those that differ are printed.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from harpagon.evaluation.gaps.tables import REFERENCE, SAME_COST
from harpagon.instances.library.benchmarks import Benchmark, benchmark_path, read_benchmarks, write_benchmarks
from harpagon.instances.library.suites import benchmark_cases, suite, suite_names
from harpagon.instances.policies import APART, Billing, Dispatch
from harpagon.solvers.methods import METHODS, solve
from harpagon.solvers.options import SolverOptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harpagon.instances.instance import Instance
    from harpagon.solvers.result import Result

AGREEMENT = {Billing.WHOLE: 1e-9, Billing.FRACTIONAL: 2e-7}
"""Relative difference of two proofs: where costs are curves, plan and bound meet within a tolerance."""
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
    heuristic = best_heuristic(instance, billing, dispatch)
    best = _better(exact, heuristic, AGREEMENT[billing])
    if best is None:
        raise RuntimeError(f"{instance.name}, {billing}, {dispatch}: {exact.termination}, no plan to store")
    cost = best.objective or 0.0
    found = (cost, min(cost, exact.dual_bound), best.method, version("harpagon"), instance.digest())
    known = ("", None) if heuristic is None else (heuristic.method, heuristic.objective)
    return Benchmark(instance.name, dispatch, billing, *found, *known)


def best_heuristic(instance: Instance, billing: Billing, dispatch: Dispatch) -> Result | None:
    """Result of the cheapest of `HEURISTICS`, or None."""
    tried = [solve(instance, name, billing, policy) for name in HEURISTICS if (policy := _policy(name, dispatch))]
    return min((result for result in tried if result.objective is not None), key=_rounded, default=None)


def with_heuristics_anew(stored: Iterable[Benchmark], instances: Sequence[Instance]) -> Iterator[Benchmark]:
    """Stored records with the best heuristic of today; bounds stay, and so do best plans that it does not undercut."""
    named = {instance.name: instance for instance in instances}
    for record in stored:
        one = record
        found = best_heuristic(named[one.instance], one.billing, one.dispatch)
        if found is None or found.objective is None:
            yield replace(one, heuristic="", heuristic_cost=None)
            continue
        if found.objective < one.best * (1 - AGREEMENT[one.billing]):
            one = replace(one, best=found.objective, method=found.method, version=version("harpagon"))
        yield replace(one, heuristic=found.method, heuristic_cost=found.objective)


def _better(exact: Result, heuristic: Result | None, tolerance: float) -> Result | None:
    """The exact method's result, unless the heuristic's plan is cheaper by more than ``tolerance``."""
    if exact.objective is None or heuristic is None or heuristic.objective is None:
        return heuristic if exact.objective is None else exact
    return heuristic if heuristic.objective < exact.objective * (1 - tolerance) else exact


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
    """Records of all instances in all cases, instance by instance; how many are proven, and times, are printed."""
    found = []
    for billing, dispatch in cases:
        wall, processor = time.perf_counter(), time.process_time()
        mine = [benchmark(instance, billing, dispatch, time_limit) for instance in instances]
        taken = f"{time.perf_counter() - wall:.1f} s, {time.process_time() - processor:.1f} s of processor time"
        proven = sum(one.optimum is not None for one in mine)
        print(f"{billing}, {dispatch}: {proven} of {len(mine)} proven optimal; {taken}", flush=True)
        found.append(mine)
    return [one for of_instance in zip(*found, strict=True) for one in of_instance]


def differences(stored: Iterable[Benchmark], made: Iterable[Benchmark]) -> list[str]:
    """What differs between two lists of records, version and rounding of the last digits aside; one line a figure."""
    before, after = ({one.case: one for one in records} for records in (stored, made))
    missing = [f"{' '.join(case)}: in one list only" for case in before.keys() ^ after.keys()]
    changed = [
        f"{' '.join(case)}: {column} was {was}, is {now}"
        for case in before.keys() & after.keys()
        for column in ("digest", "best", "bound", "heuristic", "heuristic_cost")
        if not _same(
            was := getattr(before[case], column), now := getattr(after[case], column), AGREEMENT[before[case].billing]
        )
    ]
    return sorted(missing + changed)


def _same(was: float | str | None, now: float | str | None, tolerance: float) -> bool:
    if isinstance(was, float) and isinstance(now, float):
        return math.isclose(was, now, rel_tol=tolerance)
    return was == now


def main() -> int:
    """Run the command; 1 where a check finds differences."""
    parser = argparse.ArgumentParser(prog="python -m studies.benchmarks", description=__doc__)
    parser.add_argument("--suite", default="paper", choices=suite_names())
    parser.add_argument("--time-limit", type=float, metavar="S", help="of each exact solve")
    parser.add_argument("--out", type=Path, help="file to write; default: the shipped one")
    parser.add_argument(
        "--heuristics", action="store_true", help="only the best heuristics; optima and bounds are kept"
    )
    parser.add_argument("--check", action="store_true", help="compare with what is stored")
    parser.add_argument("--billing", nargs="*", type=Billing, default=APART, help="of a check; default: both")
    arguments = parser.parse_args()
    path = arguments.out or benchmark_path(arguments.suite)
    if arguments.heuristics:
        stored = read_benchmarks(benchmark_path(arguments.suite))
        write_benchmarks(path, list(with_heuristics_anew(stored, suite(arguments.suite))))
        print(f"{len(stored)} records written to {path}")
        return 0
    cases = [case for case in benchmark_cases(arguments.suite) if not arguments.check or case[0] in arguments.billing]
    made = records(suite(arguments.suite), cases, arguments.time_limit)
    if arguments.check:
        stored = [one for one in read_benchmarks(path) if one.billing in arguments.billing]
        found = differences(stored, made)
        print(*found, f"{len(stored)} stored records, {len(found)} differ", sep="\n")
        return bool(found)
    write_benchmarks(path, made)
    print(f"written to {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
