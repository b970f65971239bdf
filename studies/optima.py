"""Prove the optima of a shipped suite and store them: ``python -m studies.optima --suite paper``.

With ``--check`` nothing is written: every stored optimum is proven again, and those that differ are printed.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from harpagon.evaluation.gaps.tables import REFERENCE, REFERENCE_DISPATCHES
from harpagon.evaluation.sweep.rows import instance_hash
from harpagon.formulations.checker import check
from harpagon.instances.library.optima import Optimum, optima_path, read_optima, write_optima
from harpagon.instances.library.suites import suite
from harpagon.instances.policies import APART, Billing, Dispatch
from harpagon.solvers.exact.solve import solve_exact
from harpagon.solvers.result import Termination

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harpagon.instances.instance import Instance

HASH_DIGITS = 16
"""Digits of the instance hash that are stored: enough to notice changed figures."""


def prove(instance: Instance, billing: Billing, dispatch: Dispatch) -> Optimum:
    """Optimum of one instance, checked.

    Raises
    ------
    RuntimeError
        Where there is no proof, or the plan fails the independent check.
    """
    result = solve_exact(instance, billing, dispatch)
    if result.plan is None or result.termination is not Termination.OPTIMAL:
        raise RuntimeError(f"{instance.name}, {billing}, {dispatch}: {result.termination}, no optimum to store")
    if not check(instance, result.plan).ok:
        raise RuntimeError(f"{instance.name}, {billing}, {dispatch}: the plan fails the check")
    digits = instance_hash(instance)[:HASH_DIGITS]
    found = (result.plan.cost, result.dual_bound, REFERENCE, version("harpagon"))
    return Optimum(instance.name, digits, billing, dispatch, *found)


def prove_all(instances: Sequence[Instance], billings: Iterable[Billing] = APART) -> list[Optimum]:
    """Optima of all instances under these billings and both reference dispatches; times go to standard output."""
    optima = []
    for billing in billings:
        for dispatch in REFERENCE_DISPATCHES:
            wall, processor = time.perf_counter(), time.process_time()
            optima += [prove(instance, billing, dispatch) for instance in instances]
            taken = f"{time.perf_counter() - wall:.1f} s, {time.process_time() - processor:.1f} s of processor time"
            print(f"{billing}, {dispatch}: {len(instances)} proven optimal in {taken}", flush=True)
    return optima


def differences(stored: Iterable[Optimum], proven: Iterable[Optimum]) -> list[str]:
    """What differs between two lists of optima, version and rounding of the last digits aside; one line each."""
    before, after = ({optimum.problem: optimum for optimum in optima} for optima in (stored, proven))
    missing = [f"{' '.join(problem)}: in one list only" for problem in before.keys() ^ after.keys()]
    changed = [
        f"{' '.join(problem)}: stored {before[problem].cost:.9g}, now {after[problem].cost:.9g}"
        for problem in before.keys() & after.keys()
        if not _same(before[problem], after[problem])
    ]
    return sorted(missing + changed)


def _same(one: Optimum, other: Optimum) -> bool:
    pairs = ((one.cost, other.cost), (one.bound, other.bound))
    return one.instance == other.instance and all(math.isclose(*pair, rel_tol=1e-9) for pair in pairs)


def main() -> int:
    """Run the command; 1 where a check finds differences."""
    parser = argparse.ArgumentParser(prog="python -m studies.optima", description=__doc__)
    parser.add_argument("--suite", default="paper", help="name of a shipped suite")
    parser.add_argument("--out", type=Path, help="file to write; default: the shipped one")
    parser.add_argument("--check", action="store_true", help="compare with what is stored")
    parser.add_argument("--billing", nargs="*", type=Billing, default=APART, help="of a check; default: both")
    arguments = parser.parse_args()
    path = arguments.out or optima_path(arguments.suite)
    if arguments.check:
        stored = [optimum for optimum in read_optima(path) if optimum.billing in arguments.billing]
        found = differences(stored, prove_all(suite(arguments.suite), arguments.billing))
        print(*found, f"{len(stored)} stored optima, {len(found)} differ", sep="\n")
        return bool(found)
    write_optima(path, prove_all(suite(arguments.suite)))
    print(f"written to {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
