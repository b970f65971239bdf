"""Are time limits kept, and is there always a plan? Solves that are hard each in its own way, under short limits.

Run ``python -m studies.hard_solves --instances 200`` for the table of the docs. Every solve runs in a process of its
own, so that its peak memory is its own and one that does not stop can be ended. What is timed is all between the call
of `harpagon.solve` and its answer: compiling the instance, the search, and the referee of the plan.
"""

from __future__ import annotations

import argparse
import csv
import gc
import math
import multiprocessing
import random
import resource
import sys
import threading
import time
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harpagon.formulations.bounds import is_reachable, smallest_latency
from harpagon.formulations.problem import pipeline_problems
from harpagon.graphs.shapes import SHAPES, chain, random_dag, tree
from harpagon.instances.instance import Hardware, Instance, Pipeline
from harpagon.instances.policies import Billing, Dispatch
from harpagon.instances.reference import reference_latency
from harpagon.solvers.methods import METHODS, solve
from harpagon.solvers.options import SolverOptions
from harpagon.solvers.result import Termination
from studies.growth.workloads import synthetic_profile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.connection import Connection

    import networkx as nx

PATIENCE = 30.0
"""Seconds beyond its limit after which a solve is ended and counts as one that does not stop."""
ALLOWED_SHARE, ALLOWED_SECONDS = 0.1, 0.3
"""Overrun that is promised at most: a share of the limit, and seconds."""
_MEGABYTES = 1 / 1024


def _instance(
    rng: random.Random,
    graph: nx.DiGraph,
    rate: float,
    tightness: float,
    configurations: int = 8,
    pipelines: int = 1,
    limited: float | None = None,
) -> Instance:
    """Synthetic profiles of three models on three types; ``limited`` is the share of the rate that a limit serves."""
    hardware = {f"gpu-{k}": Hardware(f"gpu-{k}", round(rng.uniform(0.5, 4.0), 2)) for k in range(3)}
    profiles = {f"model-{m}": synthetic_profile(rng, hardware, configurations) for m in range(3)}
    drawn = []
    for number in range(pipelines):
        own = graph.copy()
        for _, data in own.nodes(data=True):
            data["model"] = rng.choice(sorted(profiles))
        slo = tightness * reference_latency(own, rate, profiles)
        drawn.append(Pipeline(f"p{number:03d}", rate, slo, own))
    if limited is not None:
        fastest = max(c.throughput for profile in profiles.values() for c in profile)
        machines = pipelines * len(graph) * rate / fastest * limited
        hardware["gpu-0"] = replace(hardware["gpu-0"], limit=math.ceil(machines))
    return Instance("hard", Billing.WHOLE, hardware, profiles, tuple(drawn))


def _far_rates(rng: random.Random) -> Instance:
    return _instance(rng, chain(rng.randint(1, 4)), 10 ** rng.uniform(-3, 9), rng.uniform(1.2, 4))


def _many_configurations(rng: random.Random) -> Instance:
    count = round(10 ** rng.uniform(0, 3))
    return _instance(rng, SHAPES["diamond"](4, rng), 10 ** rng.uniform(1, 4), rng.uniform(1.2, 3), count)


def _many_modules(rng: random.Random) -> Instance:
    modules = round(10 ** rng.uniform(1.5, 3.7))
    shapes: list[Callable[[int], nx.DiGraph]] = [chain, tree, lambda n: random_dag(n, rng, density=min(1.0, 4 / n))]
    return _instance(rng, rng.choice(shapes)(modules), 10 ** rng.uniform(1, 3), rng.uniform(1.2, 3))


def _with_limits(rng: random.Random) -> Instance:
    shape = SHAPES[rng.choice(sorted(SHAPES))](rng.randint(1, 6), rng)
    rate, pipelines = 10 ** rng.uniform(0, 4.5), round(10 ** rng.uniform(0, 2))
    return _instance(rng, shape, rate, rng.uniform(1.2, 3), 20, pipelines, rng.uniform(0.05, 1.0))


def _barely_reachable(rng: random.Random) -> Instance:
    """The objective is what finitely many machines reach, and up to 1e-9 of it more."""
    instance = _instance(rng, SHAPES[rng.choice(sorted(SHAPES))](rng.randint(1, 6), rng), 10 ** rng.uniform(-1, 3), 2)
    (problem,) = pipeline_problems(instance)
    smallest = problem.network.length([smallest_latency(module, Dispatch.TC) for module in problem.modules])
    slo = smallest * (1 + 10 ** rng.uniform(-12, -9)) + rng.choice([0.0, 1e-9, 1e-8])
    return replace(instance, pipelines=(replace(instance.pipelines[0], slo=slo),))


FAMILIES: dict[str, Callable[[random.Random], Instance]] = {
    "rates 1e-3 to 1e9": _far_rates,
    "1 to 1,000 configurations": _many_configurations,
    "30 to 5,000 modules": _many_modules,
    "limits, 1 to 100 pipelines": _with_limits,
    "barely reachable": _barely_reachable,
}
"""Name of a family to what draws one of its instances."""


@dataclass(frozen=True, slots=True)
class Row:
    """One solve: seconds by the clock and of processor time, megabytes; ``feasible`` where a plan certainly exists.

    ``beyond`` is the processor time of it that was taken once the limit had passed by the clock.
    """

    number: int
    family: str
    method: str
    dispatch: str
    limit: float
    status: str
    wall: float
    cpu: float
    beyond: float
    memory: float
    feasible: bool
    has_plan: bool
    has_bound: bool

    @property
    def overrun(self) -> float:
        """Seconds of processor time beyond the limit, or by the clock where that is less: others may hold it up."""
        return max(0.0, min(self.wall - self.limit, self.beyond))

    @property
    def keeps_limit(self) -> bool:
        """Whether the overrun is within what is promised."""
        return self.overrun <= ALLOWED_SHARE * self.limit + ALLOWED_SECONDS


def draw(number: int, seed: int) -> tuple[str, Instance, Dispatch]:
    """Family, instance and policy number ``number``: the families, then the policies in turn."""
    family = list(FAMILIES)[number % len(FAMILIES)]
    dispatch = list(Dispatch)[number // len(FAMILIES) % len(Dispatch)]
    return family, FAMILIES[family](random.Random(f"{seed}/{number}")), dispatch


def solve_apart(number: int, seed: int, method: str, limit: float) -> Row | None:
    """Row of one solve in a process of its own; None where the method does not support the case."""
    family, instance, dispatch = draw(number, seed)
    if (Billing.WHOLE, dispatch) not in METHODS[method].capabilities.cases:
        return None
    # what types without limit reach has a plan; whether limited ones add to that is not known beforehand
    feasible = all(is_reachable(problem, dispatch) for problem in pipeline_problems(_unlimited(instance)))
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_solve, args=(sender, number, seed, method, limit))
    gc.freeze()  # the collector of the new process has no part in what this one holds
    process.start()
    gc.unfreeze()
    unending = "does not stop", PATIENCE, PATIENCE, PATIENCE, 0.0, 0, 0
    answer = receiver.recv() if receiver.poll(limit + PATIENCE) else unending
    process.kill()
    process.join()
    status, wall, cpu, beyond, memory, has_plan, has_bound = answer
    known = bool(has_plan), bool(has_bound)
    return Row(number, family, method, dispatch, limit, status, wall, cpu, beyond, memory, feasible, *known)


def _unlimited(instance: Instance) -> Instance:
    """The instance off its limited types: here every model runs on others too."""
    profiles = {
        model: tuple(c for c in profile if instance.hardware[c.hardware].limit is None)
        for model, profile in instance.profiles.items()
    }
    return replace(instance, profiles=profiles)


def _solve(sender: Connection, number: int, seed: int, method: str, limit: float) -> None:
    _, instance, dispatch = draw(number, seed)  # anew: of this one nothing is compiled yet
    passed: list[float] = []
    timer = threading.Timer(limit, lambda: passed.append(time.process_time()))
    timer.daemon = True
    wall, cpu = time.perf_counter(), time.process_time()
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    timer.start()
    result = solve(instance, method, Billing.WHOLE, dispatch, SolverOptions(time_limit=limit))
    beyond = time.process_time() - passed[0] if passed else 0.0
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held) * _MEGABYTES
    has_bound = result.dual_bound > 0 or result.termination is Termination.INFEASIBLE
    sender.send((str(result.termination), wall, cpu, beyond, memory, result.plan is not None, has_bound))


def main(arguments: Sequence[str] | None = None) -> int:
    """Solve, print one row per family and limit and every broken promise; returns the exit code."""
    from rich.console import Console
    from rich.progress import track

    options = _parser().parse_args(arguments)
    # loaded before the solves, so that it counts to none of them
    import highspy  # noqa: F401
    import numpy as np  # noqa: F401

    import harpagon.solvers.exact.column_generation  # noqa: F401

    numbers = options.numbers or range(options.instances)
    tasks = [(i, method, limit) for limit in options.limits for method in options.methods for i in numbers]
    found = [
        solve_apart(number, options.seed, method, limit)
        for number, method, limit in track(tasks, "solving", console=Console(stderr=True))
    ]
    rows = [row for row in found if row is not None]
    _print(rows)
    if options.csv is not None:
        _write(rows, options.csv)
    return 1 if any(map(_broken, rows)) else 0


def _broken(row: Row) -> str:
    """What promise a row breaks, in words; empty for none."""
    if row.status == "does not stop":
        return "does not stop"
    if not row.keeps_limit:
        return f"{row.overrun:.2f} s over"
    if row.feasible and not row.has_plan:
        return f"no plan ({row.status})"
    return "" if row.has_bound else "no bound"


def _print(rows: Sequence[Row]) -> None:
    from rich.console import Console
    from rich.table import Table

    headings = ("solves", "proven", "plan", "no plan", "bound", "median overrun", "largest", "largest MB")
    table = Table("family", "method", "limit s", *headings)
    for family, method, limit in dict.fromkeys((row.family, row.method, row.limit) for row in rows):
        own = [row for row in rows if (row.family, row.method, row.limit) == (family, method, limit)]
        table.add_row(family, method, f"{limit:g}", *_cells(own))
    console = Console(file=sys.stdout, width=130)
    console.print(table)
    for row in rows:
        if _broken(row):
            console.print(f"{row.number} {row.family}, {row.method}, {row.dispatch}, {row.limit:g} s: {_broken(row)}")


def _cells(rows: Sequence[Row]) -> list[str]:
    proven = sum(row.status in ("optimal", "infeasible") for row in rows)
    overruns = sorted(row.overrun for row in rows)
    missing = sum(row.feasible and not row.has_plan for row in rows)
    counts = (len(rows), proven, sum(row.has_plan for row in rows), missing, sum(row.has_bound for row in rows))
    figures = (overruns[len(overruns) // 2], overruns[-1])
    return [*map(str, counts), *(f"{figure:.2f}" for figure in figures), f"{max(row.memory for row in rows):.0f}"]


def _write(rows: Sequence[Row], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Row)])
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Solve hard instances under short time limits.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--instances", type=int, default=200, metavar="N")
    parser.add_argument("--limits", type=float, nargs="+", default=[0.05, 1.0, 5.0], metavar="S")
    parser.add_argument("--methods", nargs="+", choices=sorted(METHODS), default=["exact"])
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the rows")
    parser.add_argument("--numbers", type=int, nargs="+", metavar="I", help="these instances only")
    return parser


if __name__ == "__main__":
    sys.exit(main())
