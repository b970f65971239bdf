"""The hindsight optimum of a trace: level by level in time, composed over the pipeline.

For a fixed configuration and budget the optimal machine counts split by level: the l-th machine is needed in the
periods with d_k >= l, and a gap of g periods between two of them, or before the first, is bridged exactly when
g P < S: the machine is paid for instead of starting another. The sum over levels is a schedule, because a level needed
in a period has all lower ones needed there, and bridged gaps of a lower level lie within those of a higher one. Each
module so has one cost per choice; the choices are composed as the exact method composes frontiers.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harpagon.formulations.pareto import pareto_front
from harpagon.formulations.slopt.hindsight import Choice, module_choices
from harpagon.solvers.exact.info import decomposition_info
from harpagon.solvers.exact.schedule import Point
from harpagon.solvers.options import DEFAULT_OPTIONS
from harpagon.solvers.result import Solution, Termination
from harpagon.solvers.slopt.columns import cheapest_points

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.formulations.slopt.hindsight import HindsightProblem
    from harpagon.solvers.options import SolverOptions


@dataclass(frozen=True, slots=True)
class Hindsight:
    """What serves a trace at the least cost.

    Attributes
    ----------
    cost
        Dollars for the whole trace.
    choices
        One per module.
    machines
        Per module the machines of every period.
    """

    cost: float
    choices: tuple[Choice, ...]
    machines: tuple[np.ndarray, ...]


def solve_hindsight(problem: HindsightProblem, options: SolverOptions = DEFAULT_OPTIONS) -> Solution[Hindsight]:
    """Optimum by levels and composition: a proof without a general solver where paths are series-parallel."""
    begin = time.perf_counter()
    choices = [module_choices(problem, m) for m in range(len(problem.configurations))]
    built = time.perf_counter()
    frontiers = [_frontier(problem, module) for module in choices]
    points = [[point for point, _ in frontier] for frontier in frontiers]
    chosen, bound = cheapest_points(problem.network, points, problem.slo, options)
    if chosen is None:
        return _solution(None, math.inf, (begin, built), options)
    picked = tuple(
        next(choice for candidate, choice in frontier if candidate is point)
        for frontier, point in zip(frontiers, chosen, strict=True)
    )
    machines = tuple(bridged(choice.needs, problem.period, problem.startup) for choice in picked)
    plan = Hindsight(sum(point.cost for point in chosen), picked, machines)
    return _solution(plan, bound, (begin, built), options)


def bridged(needs: np.ndarray, period: float, startup: float) -> np.ndarray:
    """Cheapest machine counts that cover ``needs``: gaps shorter than the start-up time are kept running.

    A machine that is first needed within the start-up time runs from the first period on.
    """
    machines = needs.copy()
    longest = math.ceil(startup / period - 1e-9) - 1
    for gap in range(1, min(longest, needs.size - 1) + 1):
        # A machine that is there from the start needs no start-up.
        machines[:gap] = np.maximum(machines[:gap], needs[gap])
        edges = np.minimum(needs[: -gap - 1], needs[gap + 1 :])
        for k in range(1, gap + 1):
            machines[k : k + edges.size] = np.maximum(machines[k : k + edges.size], edges)
    return machines


def trace_cost(problem: HindsightProblem, choice: Choice) -> float:
    """Dollars of a choice over the trace, machines before the first period for nothing."""
    machines = bridged(choice.needs, problem.period, problem.startup)
    started = np.maximum(0, np.diff(machines)).sum()
    hourly = choice.configuration.price / 3600.0
    return float(hourly * (problem.period * machines.sum() + problem.startup * started))


def _frontier(problem: HindsightProblem, module: Sequence[Choice]) -> list[tuple[Point, Choice]]:
    """Choices that no other beats in budget and cost: cost ascending, budget descending."""
    priced = [(Point(choice.budget, trace_cost(problem, choice), ()), choice) for choice in module]
    return pareto_front(priced, lambda one: (one[0].cost, one[0].latency))


def _solution(
    plan: Hindsight | None, bound: float, clock: tuple[float, float], options: SolverOptions
) -> Solution[Hindsight]:
    begin, built = clock
    termination = Termination.INFEASIBLE if plan is None else Termination.OPTIMAL
    times = built - begin, time.perf_counter() - built
    return Solution("hindsight", termination, plan, bound, *times, decomposition_info(options))
