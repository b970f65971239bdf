"""What limited hardware can serve at the most: a linear program over machines, latencies left aside."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from harpagon.formulations.bounds import approached_latency, smallest_latency
from harpagon.formulations.physics import TIME_TOLERANCE, collection_rate, collects
from harpagon.formulations.planning.linear_program import LinearProgram
from harpagon.formulations.problem import ModuleProblem
from harpagon.solvers.models.highs import relaxation_bound
from harpagon.solvers.options import DEFAULT_OPTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harpagon.formulations.problem import PipelineProblem
    from harpagon.instances.instance import Configuration
    from harpagon.instances.policies import Dispatch

MARGIN = 1e-6
"""Share of the demand by which a linear program may err: a share below 1 by more proves that limits leave no plan."""


def capacity_share(problems: Sequence[PipelineProblem], limits: Mapping[str, int], dispatch: Dispatch) -> float:
    """Largest common share of all rates that machines within ``limits`` serve, the SLO's usable configurations only.

    Maximise s with x_mc >= 0 machines of configuration c in module m, over the modules that cannot do without limits:

        sum over c of t_c x_mc >= s T_m,        sum over m and over c on h of x_mc <= limit_h.

    Returns
    -------
    float
        Infinity where every module may run on hardware without a limit. Below 1, no plan keeps the limits.
    """
    return _largest_share(problems, limits, dispatch, collecting=False)


def collection_share(problems: Sequence[PipelineProblem], limits: Mapping[str, int], dispatch: Dispatch) -> float:
    """As `capacity_share` for what the modules need to collect batches in time: T_m or the least q_c, if that is more.

    A module's latest tuple collects no faster than all its machines work, so d_c + b_c / W <= L for some c in use.
    """
    return _largest_share(problems, limits, dispatch, collecting=True)


def _largest_share(
    problems: Sequence[PipelineProblem], limits: Mapping[str, int], dispatch: Dispatch, *, collecting: bool
) -> float:
    bound = [(module, usable, latest) for p in problems for module, usable, latest in _usable(p, dispatch)]
    bound = [one for one in bound if all(c.hardware in limits for c in one[1])]
    if not bound:
        return math.inf
    if not all(usable for _, usable, _ in bound):
        return 0.0
    demands = [module.rate for module, _, _ in bound]
    if collecting and collects(dispatch):
        collected = [min(collection_rate(c, latest + TIME_TOLERANCE) for c in usable) for _, usable, latest in bound]
        demands = list(map(max, demands, collected))
    return -relaxation_bound(_program(demands, [usable for _, usable, _ in bound], limits), DEFAULT_OPTIONS)


def _usable(
    problem: PipelineProblem, dispatch: Dispatch
) -> list[tuple[ModuleProblem, tuple[Configuration, ...], float]]:
    """Per module its configurations that meet the SLO beside all others at their quickest, and the time left to it."""
    smallest = [smallest_latency(module, dispatch) for module in problem.modules]
    found = []
    for module, own, length in zip(problem.modules, smallest, problem.network.path_lengths(smallest), strict=True):
        latest = problem.slo - length + own
        # d + b / w passes d by more than rounding at any rate that limits allow; 2 d and a stated latency are reached
        usable = tuple(
            c
            for c in module.configurations
            if approached_latency(ModuleProblem(module.name, module.rate, (c,)), dispatch) <= latest + TIME_TOLERANCE
        )
        found.append((module, usable, latest))
    return found


def _program(
    demands: Sequence[float], usable: Sequence[Sequence[Configuration]], limits: Mapping[str, int]
) -> LinearProgram:
    """Columns: the share s, then x_mc; rows scaled to a demand of 1 and to one machine."""
    columns = [(m, c) for m, configurations in enumerate(usable) for c in configurations]
    rows: list[dict[int, float]] = [{0: -1.0} for _ in demands] + [{} for _ in limits]
    places = {name: len(demands) + h for h, name in enumerate(limits)}
    for i, (m, c) in enumerate(columns, 1):
        rows[m][i] = c.throughput / demands[m]
        rows[places[c.hardware]][i] = 1.0
    return LinearProgram(
        column_names=["share", *(f"machines[{i}]" for i in range(len(columns)))],
        costs=np.array([-1.0] + [0.0] * len(columns)),
        column_lower=np.zeros(len(columns) + 1),
        column_upper=np.full(len(columns) + 1, math.inf),
        integer=np.zeros(len(columns) + 1, dtype=np.bool_),
        row_names=[f"row[{i}]" for i in range(len(rows))],
        row_lower=np.array([0.0] * len(demands) + [-math.inf] * len(limits)),
        row_upper=np.array([math.inf] * len(demands) + [float(limit) for limit in limits.values()]),
        starts=np.cumsum([0, *map(len, rows)]).astype(np.int32),
        indices=np.array([column for row in rows for column in row], dtype=np.int32),
        values=np.array([value for row in rows for value in row.values()]),
    )
