"""Do the exact methods agree with brute force? Random small instances, one count per case.

Run ``python -m studies.agreement --instances 2000`` for the comparison of the docs, and for machines that host several
modules add ``--billing shared --dispatch paced --methods exact --pipelines 2 --modules 4 --limits --memory --machines
1.5``. Every plan goes through the checker; any disagreement prints how to reproduce it, and the command exits with 1.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING

from harpagon.formulations.checker import check
from harpagon.graphs.shapes import SHAPES
from harpagon.instances.generate import random_instance
from harpagon.instances.policies import APART, Billing, Dispatch
from harpagon.solvers.capabilities import UnsupportedError
from harpagon.solvers.method import Kind
from harpagon.solvers.methods import METHODS, find_method
from harpagon.solvers.options import DEFAULT_OPTIONS, SolverOptions
from harpagon.solvers.result import Termination
from studies.families import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harpagon.instances.instance import Instance
    from harpagon.solvers.result import Result

REFEREE = "brute-force"
_PATIENCE = 1.0
"""Seconds after which an instance is too large for it."""
COST_AGREEMENT = 1e-6
"""Relative difference of two optima that counts as none: general solvers stop within tolerances."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Which instances are compared: number ``i`` is drawn from ``seed`` and ``i`` alone.

    Attributes
    ----------
    seed, instances
        Seed and number of instances.
    shapes
        Keys of `harpagon.graphs.shapes.SHAPES`, taken in turn.
    pipelines
        Largest number of pipelines; 1, 2, ... are taken in turn.
    limits
        Whether every other instance may have hardware limits.
    machines
        No module needs more than so many machines; few leave much to share.
    memory
        Whether every third instance counts the memory of its models.
    modules
        Most modules of all pipelines of an instance; 0 for four of one pipeline, three of each of several.
    family
        A key of `studies.families.FAMILIES`.
    bundles
        Whether every hardware type is sold in bundles of one to four.
    """

    seed: int
    instances: int
    shapes: Sequence[str] = tuple(sorted(SHAPES))
    pipelines: int = 1
    limits: bool = False
    machines: float = 5.0
    memory: bool = False
    modules: int = 0
    family: str = "usual"
    bundles: bool = False

    def draw(self, number: int) -> Instance:
        """Instance ``number``."""
        most = 4 if self.pipelines == 1 else 3
        if self.modules:
            most = max(1, self.modules // (1 + number % self.pipelines))
        rng = random.Random(f"{self.seed}/{number}")
        drawn = random_instance(
            rng,
            shape=self.shapes[number % len(self.shapes)],
            pipelines=1 + number % self.pipelines,
            modules=(1, most),
            limits=self.limits and number % 2 == 1,
            machines=self.machines,
            memory=self.memory and number % 3 == 1,
        )
        drawn = FAMILIES[self.family](drawn, rng)
        return _in_bundles(drawn, rng) if self.bundles else drawn


def _in_bundles(instance: Instance, rng: random.Random) -> Instance:
    hardware = {name: replace(one, bundle=rng.randint(1, 4)) for name, one in instance.hardware.items()}
    return replace(instance, hardware=hardware)


@dataclass(slots=True)
class Tally:
    """Counts per (method, billing, dispatch, shape), and every disagreement in words.

    ``unproven`` counts answers at the time limit whose plan and bound are both valid.
    """

    agreed: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    unsupported: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    unproven: int = 0
    refused: int = 0
    infeasible: int = 0
    disagreements: list[str] = field(default_factory=list)


def compare(
    sample: Sample,
    methods: Sequence[str],
    cases: Sequence[tuple[Billing, Dispatch]],
    tally: Tally,
    options: SolverOptions = DEFAULT_OPTIONS,
    patience: float = _PATIENCE,
) -> Iterator[int]:
    """Compare ``methods`` with brute force, which has ``patience`` seconds, on every instance and in every case.

    Yields
    ------
    int
        The number of each instance, when it is done.
    """
    for number in range(sample.instances):
        instance = sample.draw(number)
        shape = sample.shapes[number % len(sample.shapes)]
        for billing, dispatch in cases:
            able = [method for method in methods if (billing, dispatch) in METHODS[method].capabilities.cases]
            tally.unsupported.update((method, billing, dispatch, shape) for method in methods if method not in able)
            if not able:
                continue
            try:
                expected = find_method(REFEREE).run(instance, billing, dispatch, SolverOptions(time_limit=patience))
            except UnsupportedError:
                tally.refused += 1
                continue
            if expected.termination not in (Termination.OPTIMAL, Termination.INFEASIBLE):
                tally.refused += 1
                continue
            tally.infeasible += expected.plan is None
            for method in able:
                place = f"--family {sample.family} --seed {sample.seed}, instance {number}"
                place += f", {billing} billing, {dispatch} dispatch"
                _compare_one(instance, method, expected, (method, billing, dispatch, shape), place, tally, options)
        yield number


def _compare_one(
    instance: Instance,
    method: str,
    expected: Result,
    key: tuple[str, Billing, Dispatch, str],
    place: str,
    tally: Tally,
    options: SolverOptions,
) -> None:
    try:
        found = find_method(method).run(instance, *key[1:3], options)
    except UnsupportedError:
        tally.unsupported[key] += 1
        return
    fault = _fault(instance, expected, found, options)
    if fault is None and found.termination is not expected.termination:
        tally.unproven += 1
    elif fault is None:
        tally.agreed[key] += 1
    else:
        tally.disagreements.append(f"{method}: {place}: {fault}")


def _fault(instance: Instance, expected: Result, found: Result, options: SolverOptions) -> str | None:
    """What differs, in words."""
    stopped = options.time_limit is not None and found.termination in (Termination.FEASIBLE, Termination.LIMIT)
    if found.termination is not expected.termination and not stopped:
        return f"{found.termination} at {found.objective}, expected {expected.termination} at {expected.objective}"
    optimum = math.inf if expected.plan is None else expected.plan.cost
    if found.dual_bound > optimum * (1 + COST_AGREEMENT):
        return f"claims the bound {found.dual_bound:.9g} above the optimum {optimum:.9g}"
    if found.plan is None:
        return None
    violations = check(instance, found.plan).violations
    if violations:
        return f"the plan fails the check: {violations[0]}"
    least, most = optimum * (1 - COST_AGREEMENT), math.inf if stopped else optimum * (1 + COST_AGREEMENT)
    return None if least <= found.plan.cost <= most else f"costs {found.plan.cost:.9g}, expected {optimum:.9g}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the comparison of the command line; returns the exit code."""
    from rich.console import Console
    from rich.progress import track

    options = _parser().parse_args(arguments)
    asked = vars(options)
    drawn = {field.name: asked[field.name] for field in fields(Sample) if field.name != "shapes"}
    sample = Sample(shapes=tuple(options.shapes), **drawn)
    cases = [(Billing(billing), Dispatch(dispatch)) for billing in options.billing for dispatch in options.dispatch]
    tally = Tally()
    console = Console(stderr=True)
    done = 0
    limit = SolverOptions(time_limit=options.time_limit)
    with suppress(KeyboardInterrupt):  # what was compared before Ctrl-C still counts
        numbers = compare(sample, options.methods, cases, tally, limit)
        for number in track(numbers, "comparing", total=sample.instances, console=console):
            done = number + 1
    print(f"{done} of {sample.instances} instances")
    print_tally(tally)
    return 1 if tally.disagreements else 0


def print_tally(tally: Tally) -> None:
    """Print one row per method, billing and dispatch, with a column per shape, and every disagreement."""
    from rich.console import Console
    from rich.table import Table

    counts = tally.agreed + tally.unsupported
    shapes = sorted({key[3] for key in counts})
    table = Table("method", "billing", "dispatch", *shapes, "agree", "not supported")
    for method, billing, dispatch in sorted({key[:3] for key in counts}):
        agreed = [tally.agreed[method, billing, dispatch, shape] for shape in shapes]
        unsupported = sum(tally.unsupported[method, billing, dispatch, shape] for shape in shapes)
        table.add_row(method, billing, dispatch, *map(str, agreed), str(sum(agreed)), str(unsupported))
    console = Console(file=sys.stdout, width=max(120, 14 * len(shapes) + 60))
    console.print(table)
    total = sum(tally.agreed.values())
    console.print(
        f"{total} agree with {REFEREE}, {len(tally.disagreements)} disagree, {tally.unproven} stopped in time, "
        f"{sum(tally.unsupported.values())} not supported; {tally.infeasible} cases infeasible, {tally.refused} too "
        f"large for {REFEREE}"
    )
    for line in tally.disagreements:
        console.print(line)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Compare the exact methods with brute force on random instances.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--instances", type=int, default=200, metavar="N")
    others = [m.name for m in METHODS.values() if m.kind is Kind.EXACT and m.name != REFEREE]
    parser.add_argument("--methods", nargs="+", choices=others, default=others)
    parser.add_argument("--billing", nargs="+", choices=[*Billing], default=[*APART])
    parser.add_argument("--dispatch", nargs="+", choices=[*Dispatch], default=[Dispatch.TC, Dispatch.FREE])
    parser.add_argument("--shapes", nargs="+", choices=sorted(SHAPES), default=sorted(SHAPES))
    parser.add_argument("--pipelines", type=int, default=1, help="largest number of pipelines per instance")
    parser.add_argument("--time-limit", type=float, metavar="S", help="per solve; what it stops must hold all the same")
    parser.add_argument("--family", choices=FAMILIES, default="usual", help="how tight or odd the instances are")
    parser.add_argument("--limits", action="store_true", help="give half of the instances hardware limits")
    parser.add_argument("--machines", type=float, default=5.0, help="machines that a module needs at the most")
    parser.add_argument("--modules", type=int, default=0, help="most modules of all pipelines of an instance")
    parser.add_argument("--bundles", action="store_true", help="sell every hardware type in bundles of one to four")
    parser.add_argument("--memory", action="store_true", help="count the memory of models on a third of the instances")
    return parser


if __name__ == "__main__":
    sys.exit(main())
