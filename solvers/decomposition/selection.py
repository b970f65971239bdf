"""Choice of one frontier point per module on a pipeline that is not series-parallel: the pattern model on HiGHS.

Binary x_{m,k} selects point k of module m, s_m is the start of module m in units of the SLO:

    minimise    sum of cost_{m,k} x_{m,k}
    select      sum over k of x_{m,k} = 1                                          for every module m
    precede     s_m - s_j - sum over k of latency_{j,k} x_{j,k} >= transfer_{j,m}  for every edge (j, m)
    finish      s_m + sum over k of latency_{m,k} x_{m,k} <= 1                     for every sink m
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harpagon.formulations.linear_program import LinearProgram
from harpagon.formulations.physics import TIME_TOLERANCE
from harpagon.solvers.highs import solve_linear_program

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.graphs import PathNetwork
    from harpagon.solvers.decomposition.schedule import Point
    from harpagon.solvers.options import SolverOptions

_Row = tuple[float, float, dict[int, float]]


def cheapest_selection(
    network: PathNetwork, frontiers: Sequence[Sequence[Point]], slo: float, options: SolverOptions
) -> tuple[list[Point] | None, float]:
    """Cheapest choice of one point per module whose longest path meets ``slo``, and a lower bound on its cost.

    HiGHS allows a row to be missed by its tolerance; a choice that does so is cut off and the model solved again.
    """
    rows = _rows(network, frontiers, slo)
    first = _first_columns(frontiers)
    while True:
        solution = solve_linear_program(_program(network, frontiers, rows), options)
        if solution.values is None:
            return None, solution.bound
        chosen = [
            max(range(len(points)), key=lambda k, m=m: solution.values[f"x[{m},{k}]"])  # type: ignore[misc]
            for m, points in enumerate(frontiers)
        ]
        points = [frontiers[m][k] for m, k in enumerate(chosen)]
        if network.length([point.latency for point in points]) <= slo + TIME_TOLERANCE:
            return points, solution.bound
        rows.append((-np.inf, len(points) - 1, {first[m] + k: 1.0 for m, k in enumerate(chosen)}))


def _first_columns(frontiers: Sequence[Sequence[Point]]) -> list[int]:
    """Number of the column of each module's first point; the starts s_m come before all."""
    return [len(frontiers) + sum(map(len, frontiers[:m])) for m in range(len(frontiers))]


def _rows(network: PathNetwork, frontiers: Sequence[Sequence[Point]], slo: float) -> list[_Row]:
    first = _first_columns(frontiers)

    def latency(module: int, sign: float) -> dict[int, float]:
        return {first[module] + k: sign * point.latency / slo for k, point in enumerate(frontiers[module])}

    rows: list[_Row] = []
    for m, points in enumerate(frontiers):
        rows.append((1.0, 1.0, {first[m] + k: 1.0 for k in range(len(points))}))
        rows.extend(
            (transfer / slo, np.inf, {m: 1.0, j: -1.0, **latency(j, -1.0)}) for j, transfer in network.predecessors[m]
        )
        if not network.successors[m]:
            rows.append((-np.inf, 1.0, {m: 1.0, **latency(m, 1.0)}))
    return rows


def _program(network: PathNetwork, frontiers: Sequence[Sequence[Point]], rows: Sequence[_Row]) -> LinearProgram:
    starts = len(frontiers)
    costs = [0.0] * starts + [point.cost for points in frontiers for point in points]
    names = [f"s[{m}]" for m in range(starts)]
    names += [f"x[{m},{k}]" for m, points in enumerate(frontiers) for k in range(len(points))]
    return LinearProgram(
        column_names=names,
        costs=np.array(costs),
        column_lower=np.zeros(len(costs)),
        column_upper=np.ones(len(costs)),
        integer=np.arange(len(costs)) >= starts,
        row_names=[f"row[{i}]" for i in range(len(rows))],
        row_lower=np.array([row[0] for row in rows]),
        row_upper=np.array([row[1] for row in rows]),
        starts=np.cumsum([0, *(len(row[2]) for row in rows)]).astype(np.int32),
        indices=np.array([column for row in rows for column in row[2]], dtype=np.int32),
        values=np.array([value for row in rows for value in row[2].values()]),
    )
