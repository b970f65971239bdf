"""Is any plan that costs as little quicker than the one that a method returns? ``python -m studies.ties``.

The referee is brute force at an objective just below the latency of the plan: what it finds must cost more. The command
exits with 1 where a plan was quicker.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from harpagon.formulations.physics import COST_TOLERANCE
from harpagon.instances.policies import APART, Billing, Dispatch
from harpagon.solvers.capabilities import UnsupportedError
from harpagon.solvers.methods import find_method, solve
from harpagon.solvers.options import SolverOptions
from harpagon.solvers.result import Termination
from studies.agreement import REFEREE, Sample
from studies.families import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan

QUICKER = 1e-5
"""Relative: how much below a plan's latency a quicker one is looked for."""


@dataclass(slots=True)
class Ties:
    """Plans per policy that are the quickest of their cost; places of those that are not; what was too large to say."""

    quickest: Counter[str] = field(default_factory=Counter)
    slow: list[str] = field(default_factory=list)
    refused: int = 0


def is_quickest(instance: Instance, plan: Plan, patience: float | None = None) -> bool | None:
    """Whether no plan of one pipeline that costs as little is quicker; None where that takes ``patience`` seconds."""
    (pipeline,) = instance.pipelines
    tighter = replace(pipeline, slo=plan.pipelines[0].latency * (1 - QUICKER))
    options = SolverOptions(time_limit=patience)
    try:
        found = find_method(REFEREE).run(replace(instance, pipelines=(tighter,)), plan.billing, plan.dispatch, options)
    except UnsupportedError:
        return None
    if found.plan is not None and found.plan.cost <= plan.cost * (1 + COST_TOLERANCE):
        return False
    return True if found.termination in (Termination.OPTIMAL, Termination.INFEASIBLE) else None


def count(sample: Sample, method: str, billing: Billing, dispatches: Sequence[Dispatch]) -> Ties:
    """Every instance of the sample under every policy."""
    ties = Ties()
    for number in range(sample.instances):
        instance = sample.draw(number)
        for dispatch in dispatches:
            plan = solve(instance, method, billing, dispatch).plan
            if plan is None:
                continue
            quickest = is_quickest(instance, plan, patience=1.0)
            ties.quickest[dispatch] += quickest is True
            ties.refused += quickest is None
            if quickest is False:
                ties.slow.append(f"--family {sample.family} --seed {sample.seed}, instance {number}, {dispatch}")
    return ties


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the study; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m studies.ties", description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--instances", type=int, default=40, metavar="N")
    parser.add_argument("--family", choices=FAMILIES, default="tied", help="how odd the instances are")
    parser.add_argument("--method", default="exact")
    parser.add_argument("--billing", choices=[*APART], default=Billing.FRACTIONAL)
    parser.add_argument("--dispatch", nargs="+", choices=[*Dispatch], default=[*Dispatch])
    parser.add_argument("--machines", type=float, default=2.0, help="machines that a module needs at the most")
    parser.add_argument("--modules", type=int, default=2, help="most modules")
    options = parser.parse_args(arguments)
    sample = Sample(
        options.seed, options.instances, family=options.family, machines=options.machines, modules=options.modules
    )
    ties = count(sample, options.method, Billing(options.billing), [Dispatch(one) for one in options.dispatch])
    for dispatch, quickest in ties.quickest.items():
        print(f"{dispatch:12} {quickest} quickest of their cost")
    print(f"{len(ties.slow)} not, {ties.refused} too large for {REFEREE}")
    print("\n".join(ties.slow), end="\n" if ties.slow else "")
    return 1 if ties.slow else 0


if __name__ == "__main__":
    sys.exit(main())
