"""Provisioning under envelopes without a search: the latency-cost efficiency rule of Harpagon's splitter on columns.

Every module starts at its fastest column. The move that saves most cost per second of the end-to-end latency it adds
is taken, one module at a time, while the longest path meets the SLO.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harpagon.formulations.slopt.columns import problem_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.formulations.slopt.columns import Column, ProvisioningProblem


def plan_slopt(problem: ProvisioningProblem) -> tuple[Column, ...] | None:
    """Greedy choice of one column per module; None where even the fastest columns miss the SLO."""
    columns = problem_columns(problem)
    if not all(columns):
        return None
    chosen = [len(module) - 1 for module in columns]
    if _length(problem, columns, chosen) > problem.slo:
        return None
    while (move := _best_move(problem, columns, chosen)) is not None:
        module, position = move
        chosen[module] = position
    return tuple(module[k] for module, k in zip(columns, chosen, strict=True))


def _best_move(
    problem: ProvisioningProblem, columns: Sequence[Sequence[Column]], chosen: Sequence[int]
) -> tuple[int, int] | None:
    """(module, column) of the best move that the SLO allows, None for none."""
    latencies = [module[k].latency for module, k in zip(columns, chosen, strict=True)]
    now = problem.network.length(latencies)
    room = [
        latency + problem.slo - path
        for latency, path in zip(latencies, problem.network.path_lengths(latencies), strict=True)
    ]
    best, best_efficiency = None, 0.0
    for m, module in enumerate(columns):
        for k in range(chosen[m]):
            if module[k].latency > room[m]:
                continue
            added = problem.network.length([*latencies[:m], module[k].latency, *latencies[m + 1 :]]) - now
            saved = module[chosen[m]].cost - module[k].cost
            efficiency = saved / added if added > 0 else math.inf
            if efficiency > best_efficiency:
                best, best_efficiency = (m, k), efficiency
    return best


def _length(problem: ProvisioningProblem, columns: Sequence[Sequence[Column]], chosen: Sequence[int]) -> float:
    return problem.network.length([module[k].latency for module, k in zip(columns, chosen, strict=True)])
