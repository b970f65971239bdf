"""Provisioning under envelopes: exact over columns, by composition, by Pyomo, and by effective rates."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harpagon.formulations.physics import COST_TOLERANCE
from harpagon.formulations.slopt.columns import problem_columns
from harpagon.graphs import decompose
from harpagon.instances.plan import DispatchTuple
from harpagon.solvers.exact.composition import cheapest_composition
from harpagon.solvers.exact.info import decomposition_info
from harpagon.solvers.exact.schedule import Point
from harpagon.solvers.exact.selection import cheapest_selection
from harpagon.solvers.options import DEFAULT_OPTIONS
from harpagon.solvers.result import Solution, Termination

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.formulations.slopt.columns import Column, ProvisioningProblem
    from harpagon.graphs import Node, PathNetwork
    from harpagon.solvers.options import SolverOptions


@dataclass(frozen=True, slots=True)
class Provisioning:
    """One column per module, in the order of the problem."""

    columns: tuple[Column, ...]

    @property
    def cost(self) -> float:
        """Dollars per hour."""
        return sum(column.cost for column in self.columns)


def solve_slopt(problem: ProvisioningProblem, options: SolverOptions = DEFAULT_OPTIONS) -> Solution[Provisioning]:
    """Cheapest columns by the decomposition of the exact method, with HiGHS where paths are not series-parallel."""
    begin = time.perf_counter()
    columns = problem_columns(problem)
    built = time.perf_counter()
    positions, bound = _choose(problem, columns, options)
    plan = Provisioning(tuple(module[k] for module, k in zip(columns, positions, strict=True))) if positions else None
    termination = Termination.INFEASIBLE if plan is None else Termination.OPTIMAL
    times = built - begin, time.perf_counter() - built
    return Solution("slopt", termination, plan, bound, *times, decomposition_info(options))


def _choose(
    problem: ProvisioningProblem, columns: Sequence[Sequence[Column]], options: SolverOptions
) -> tuple[list[int], float]:
    frontiers = [[_point(column) for column in module] for module in columns]
    points, bound = cheapest_points(problem.network, frontiers, problem.slo, options)
    if points is None:
        return [], math.inf
    return [module.index(point) for module, point in zip(frontiers, points, strict=True)], bound


def cheapest_points(
    network: PathNetwork, frontiers: Sequence[Sequence[Point]], slo: float, options: SolverOptions
) -> tuple[list[Point] | None, float]:
    """One point per module that meets ``slo`` at the least cost, None where none does, and a bound on the cost of any.

    By composition where paths are series-parallel, else by HiGHS.
    """
    if not all(frontiers):
        return None, math.inf
    tree = decompose(network)
    if tree is None:
        return cheapest_selection(network, frontiers, slo, options)
    points = _compose(tree, frontiers, slo * (1 + 1e-12))
    return points, math.inf if points is None else sum(point.cost for point in points)


def _compose(tree: Node, frontiers: Sequence[Sequence[Point]], slo: float) -> list[Point] | None:
    """Cheapest composition; one over thinned frontiers first bounds how far above the cheapest points to look."""
    thinned = [[*points[:: -(-len(points) // _THINNED)], points[-1]] for points in frontiers]
    rough = cheapest_composition(tree, thinned, slo, math.inf)
    if rough is None:
        return None
    cheapest = sum(points[0].cost for points in frontiers)
    excess = (sum(point.cost for point in rough) - cheapest) * (1 + COST_TOLERANCE) + COST_TOLERANCE
    near = [[point for point in points if point.cost <= points[0].cost + excess] for points in frontiers]
    return cheapest_composition(tree, near, slo, excess)


_THINNED = 20
"""Points of a frontier that the first, rough composition looks at; the fastest is always among them."""


def _point(column: Column) -> Point:
    return Point(column.latency, column.cost, (DispatchTuple.full(column.configuration, column.machines),))


def solve_slopt_pyomo(problem: ProvisioningProblem, options: SolverOptions = DEFAULT_OPTIONS) -> Solution[Provisioning]:
    """Cheapest columns by the Pyomo model on HiGHS."""
    from harpagon.formulations.planning.linear_program import linear_program
    from harpagon.formulations.slopt.model import build_slopt
    from harpagon.solvers.models.highs import highs_info, solve_linear_program

    begin = time.perf_counter()
    columns = problem_columns(problem)
    if not all(columns):
        times = time.perf_counter() - begin, 0.0
        return Solution("slopt-pyomo", Termination.INFEASIBLE, None, math.inf, *times, highs_info(options))
    program = linear_program(build_slopt(problem, columns))
    built = time.perf_counter()
    solution = solve_linear_program(program, options)
    plan = None
    if solution.plan is not None:
        values = solution.plan
        plan = Provisioning(
            tuple(
                module[max(range(len(module)), key=lambda k, m=m: values.get(f"x[{m},{k}]", 0.0))]  # type: ignore[misc]
                for m, module in enumerate(columns)
            )
        )
    times = built - begin, time.perf_counter() - built
    return Solution("slopt-pyomo", solution.termination, plan, solution.dual_bound, *times, highs_info(options))
