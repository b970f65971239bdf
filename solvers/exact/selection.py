"""Choice of one frontier point per module where the pipeline is not series-parallel: the pattern model on HiGHS."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harpagon.formulations.physics import TIME_TOLERANCE
from harpagon.formulations.planning.pattern import Column, PatternData, pattern_program
from harpagon.solvers.models.highs import solve_linear_program

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harpagon.graphs import PathNetwork
    from harpagon.solvers.exact.schedule import Point
    from harpagon.solvers.options import SolverOptions


def cheapest_selection(
    network: PathNetwork, frontiers: Sequence[Sequence[Point]], slo: float, options: SolverOptions
) -> tuple[list[Point] | None, float]:
    """Cheapest choice of one point per module whose longest path meets ``slo``, and a lower bound on its cost.

    HiGHS allows a row to be missed by its tolerance; a choice that does so is cut off and the model solved again.
    """
    data = _pattern_data(network, frontiers, slo)
    while True:
        solution = solve_linear_program(pattern_program(data), options)
        if solution.values is None:
            return None, solution.bound
        choice = picked_columns(data, solution.values)
        points = [frontiers[m][k] for m, k in enumerate(choice)]
        if network.length([point.latency for point in points]) <= slo + TIME_TOLERANCE:
            return points, solution.bound
        data = replace(data, excluded=(*data.excluded, choice))


def picked_columns(data: PatternData, values: Mapping[str, float]) -> tuple[int, ...]:
    """The column that each module picks in a solution of the pattern model."""
    return tuple(
        max(range(len(columns)), key=lambda k, m=m: values[f"pick[{m},{k}]"])  # type: ignore[misc]
        for m, columns in enumerate(data.columns)
    )


def _pattern_data(network: PathNetwork, frontiers: Sequence[Sequence[Point]], slo: float) -> PatternData:
    return PatternData(
        columns=tuple(tuple(Column(p.cost, p.latency, (), p.schedule) for p in points) for points in frontiers),
        slo=(slo,) * len(frontiers),
        edges={(i, j): transfer for i, pairs in enumerate(network.successors) for j, transfer in pairs},
        sinks=tuple(i for i, pairs in enumerate(network.successors) if not pairs),
        limits={},
    )
