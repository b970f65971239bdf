"""Costs of methods side by side, workload by workload."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harpagon.evaluation.gaps.tables import REFERENCE, SAME_COST, proven_optima, reported_dispatches
from harpagon.heuristics.baselines.readings import READINGS
from harpagon.instances.policies import Dispatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.evaluation.sweep.rows import Row

BASE = "harpagon"
"""Method whose cost the baselines and ablations are measured against."""
OWN = "harpagon+"
"""Our own heuristic."""
BASELINES = READINGS
"""The systems before Harpagon, in every reading."""


@dataclass(frozen=True, slots=True)
class CostRatio:
    """Cost of one method over that of `BASE`, under one billing.

    Attributes
    ----------
    billing, method
        What is compared.
    compared
        Workloads that both have a plan of.
    missing
        Workloads that only `BASE` has a plan of.
    smallest, mean, largest
        Of the ratios of cost.
    dearer, cheaper
        Of the compared workloads, how many cost more, and less (relative tolerance `SAME_COST`).
    """

    billing: str
    method: str
    compared: int
    missing: int
    smallest: float
    mean: float
    largest: float
    dearer: int
    cheaper: int


def cost_ratios(rows: Sequence[Row], base: str = BASE) -> list[CostRatio]:
    """One ratio per billing and method other than ``base`` and the reference, in the order of the rows."""
    costs = {row.problem: row.cost for row in rows if row.method == base and row.cost is not None}
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row.method not in (base, REFERENCE) and row.problem in costs:
            groups.setdefault((row.billing, row.method), []).append(row)
    found = []
    for (billing, method), group in groups.items():
        ratios = [row.cost / costs[row.problem] for row in group if row.cost is not None]
        if ratios:
            found.append(_ratio(billing, method, ratios, len(group) - len(ratios)))
    return found


def _ratio(billing: str, method: str, ratios: Sequence[float], missing: int) -> CostRatio:
    return CostRatio(
        billing,
        method,
        len(ratios),
        missing,
        min(ratios),
        statistics.fmean(ratios),
        max(ratios),
        sum(ratio > 1 + SAME_COST for ratio in ratios),
        sum(ratio < 1 - SAME_COST for ratio in ratios),
    )


@dataclass(frozen=True, slots=True)
class OrderLoss:
    """A workload with the cost of its ``tc`` optimum over that of its ``free`` optimum."""

    workload: str
    billing: str
    tc_cost: float
    free_cost: float

    @property
    def loss(self) -> float:
        """Relative excess of the ``tc`` optimum."""
        return self.tc_cost / self.free_cost - 1


def order_losses(rows: Sequence[Row]) -> list[OrderLoss]:
    """Every workload and billing with both optima proven, the largest loss first."""
    optima = proven_optima(rows)
    names = {row.problem: row.workload for row in rows}
    found = []
    for problem, name in names.items():
        tc_cost, free_cost = (optima.get((*problem, policy)) for policy in (Dispatch.TC, Dispatch.FREE))
        if tc_cost is not None and free_cost is not None:
            found.append(OrderLoss(name, problem[1], tc_cost, free_cost))
    return sorted(found, key=lambda one: (-one.loss, one.workload, one.billing))


@dataclass(frozen=True, slots=True)
class Excess:
    """A plan of a heuristic that costs more than the optimum."""

    workload: str
    billing: str
    cost: float
    optimum: float

    @property
    def gap(self) -> float:
        """Relative excess over the optimum."""
        return self.cost / self.optimum - 1


def largest_gaps(rows: Sequence[Row], method: str, count: int) -> list[Excess]:
    """Workloads on which ``method`` is farthest from the last of the `reported_dispatches`, the farthest first."""
    optima = proven_optima(rows)
    found = [
        Excess(row.workload, row.billing, row.cost, optimum)
        for row in rows
        if row.method == method
        and row.cost is not None
        and (optimum := optima.get((*row.problem, reported_dispatches(row.billing)[-1]))) is not None
    ]
    return sorted((one for one in found if one.gap > SAME_COST), key=lambda one: (-one.gap, one.workload))[:count]
