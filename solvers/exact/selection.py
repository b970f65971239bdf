"""Choice of one frontier point per module where the pipeline is not series-parallel: the pattern model on HiGHS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.formulations.physics import TIME_TOLERANCE
from harpagon.formulations.planning.pattern import Column, PatternData, quickest_program
from harpagon.solvers.exact.effort import TIE_NODES
from harpagon.solvers.models.choices import choose_columns, picked
from harpagon.solvers.models.highs import solve_linear_program

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.graphs import PathNetwork
    from harpagon.solvers.exact.schedule import Point
    from harpagon.solvers.options import SolverOptions


def cheapest_selection(
    network: PathNetwork, frontiers: Sequence[Sequence[Point]], slo: float, options: SolverOptions
) -> tuple[list[Point] | None, float]:
    """Cheapest choice of one point per module whose longest path meets ``slo``, and a lower bound on its cost."""

    def points(choice: tuple[int, ...]) -> list[Point]:
        return [frontiers[m][k] for m, k in enumerate(choice)]

    def is_faulty(choice: tuple[int, ...]) -> bool:
        return network.length([point.latency for point in points(choice)]) > slo + TIME_TOLERANCE

    solution, choice = choose_columns(_pattern_data(network, frontiers, slo), lambda: options, is_faulty)
    return None if choice is None else points(choice), solution.dual_bound


def quickest_selection(
    network: PathNetwork, frontiers: Sequence[Sequence[Point]], slo: float, cost: float, options: SolverOptions
) -> list[Point] | None:
    """Quickest choice of one point per module that costs at most ``cost`` $/h; None where none is found."""
    data = _pattern_data(network, frontiers, slo)
    program = quickest_program(data, [0] * len(frontiers), cost)
    solution = solve_linear_program(program, options, most_nodes=TIE_NODES)
    if solution.plan is None:
        return None
    chosen = [points[k] for points, k in zip(frontiers, picked(data.columns, solution.plan), strict=True)]
    fits = network.length([point.latency for point in chosen]) <= slo + TIME_TOLERANCE
    return chosen if fits and sum(point.cost for point in chosen) <= cost else None


def _pattern_data(network: PathNetwork, frontiers: Sequence[Sequence[Point]], slo: float) -> PatternData:
    return PatternData(
        columns=tuple(tuple(Column(p.cost, p.latency, (), p.schedule) for p in points) for points in frontiers),
        slo=(slo,) * len(frontiers),
        edges=network.edges(),
        sinks=network.sinks,
        limits={},
    )
