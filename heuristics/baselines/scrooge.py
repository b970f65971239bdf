"""Scrooge (SoCC 2021), adapted to this plan space [R].

The original packs media applications on heterogeneous cloud GPUs: it splits an application's latency among its stages
by throughput, and finds batch sizes, machine types and allocations by mathematical programming.

Adapted: each configuration collects its batches from its own share of the requests (``per-config``). Budgets come
from the greedy splitter that spends latency where it gains most throughput. Within a budget, the allocation of at
most two tuples is solved exactly, by enumeration instead of a solver: two tuples leave one number to choose, and for
a residual only the ends of its range can be best. Completing a machine by padding is allowed, as for every method.
With hardware limits that enumeration skips what does not fit and is no longer exact.
"""

from __future__ import annotations

import math
from itertools import combinations
from typing import TYPE_CHECKING

from harpagon.formulations.physics import COST_TOLERANCE, TIME_TOLERANCE, collection_rate
from harpagon.heuristics.baselines.budgets import schedule_budgets
from harpagon.heuristics.fleet import plan_fleet
from harpagon.heuristics.harpagon.latency_splitter import latency_cost_efficiency, split_latency
from harpagon.heuristics.harpagon.operating_points import throughput_points
from harpagon.heuristics.scheduling_rules import (
    RATE_ROUNDING,
    ROUNDING,
    ModuleSchedule,
    SchedulingRules,
    machines_left,
)
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Billing, Dispatch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harpagon.formulations.problem import ModuleProblem, PipelineProblem
    from harpagon.instances.instance import Configuration, Instance
    from harpagon.instances.plan import Plan


def plan_scrooge(instance: Instance, billing: Billing) -> Plan | None:
    """Plan with Scrooge; None where the quickest operating points miss the SLO, or a limit is in the way."""
    rules = SchedulingRules(billing, Dispatch.PER_CONFIG)

    def schedule(problem: PipelineProblem, available: Mapping[str, float] | None) -> list[ModuleSchedule] | None:
        frontiers = [throughput_points(module, rules) for module in problem.modules]
        budgets = split_latency(problem.network, problem.slo, frontiers, latency_cost_efficiency)
        return schedule_budgets(
            problem, budgets, available, lambda module, budget, left: cheapest_pair(module, budget, billing, left)
        )

    return plan_fleet(instance, billing, Dispatch.PER_CONFIG, schedule)


def cheapest_pair(
    module: ModuleProblem, budget: float, billing: Billing, available: Mapping[str, float] | None = None
) -> ModuleSchedule | None:
    """Cheapest schedule of at most two tuples under ``per-config`` dispatch.

    Minimise n_1 p_1 + n_2 p_2 subject to n_1 t_1 + n_2 t_2 >= T and n_i t_i >= q_i = b_i / (L - d_i), n integer;
    under ``fractional`` billing the second tuple may be a residual f = T - n_1 t_1 with q_2 <= f < t_2 at cost f / r_2.

    Parameters
    ----------
    module
        Rate T and configurations in ``tc`` order.
    budget
        Worst-case latency L, seconds.
    billing
        Whether a residual is allowed.
    available
        Machines left per limited hardware type.
    """
    usable = [c for c in module.configurations if budget - c.duration > TIME_TOLERANCE]
    best: list[DispatchTuple] | None = None
    least = math.inf
    for tuples in _candidates(usable, module.rate, budget + ROUNDING, billing):
        cost = sum(part.cost for part in tuples)
        if cost < least * (1 - COST_TOLERANCE) and _available(tuples, available):
            best, least = tuples, cost
    return ModuleSchedule.of(best, Dispatch.PER_CONFIG) if best else None


def _candidates(
    usable: list[Configuration], rate: float, budget: float, billing: Billing
) -> Iterator[list[DispatchTuple]]:
    for configuration in usable:
        yield [DispatchTuple.full(configuration, _needed(configuration, rate, budget))]
    if billing is Billing.FRACTIONAL:
        for last in usable:
            yield from _residual(last, rate, rate, budget)
            for first in usable:
                yield from _with_residual(first, last, rate, budget)
    for better, worse in combinations(usable, 2):
        yield from _two_full(better, worse, rate, budget)


def _needed(configuration: Configuration, rate: float, budget: float) -> int:
    """Machines that serve ``rate`` and collect a batch within the budget."""
    serving = math.ceil(rate * (1 - RATE_ROUNDING) / configuration.throughput)
    collecting = math.ceil(collection_rate(configuration, budget) / configuration.throughput)
    return max(1, serving, collecting)


def _residual(last: Configuration, rest: float, rate: float, budget: float) -> Iterator[list[DispatchTuple]]:
    least = max(collection_rate(last, budget), rate * RATE_ROUNDING)
    if least <= rest < last.throughput * (1 - RATE_ROUNDING):
        yield [DispatchTuple.residual(last, rest)]


def _with_residual(
    first: Configuration, last: Configuration, rate: float, budget: float
) -> Iterator[list[DispatchTuple]]:
    """Fewest and most machines of ``first`` that leave ``last`` a residual it can collect from."""
    fewest = max(_needed(first, 0.0, budget), math.floor((rate - last.throughput) / first.throughput) + 1)
    most = math.floor((rate - collection_rate(last, budget)) / first.throughput)
    for machines in sorted({fewest, most}) if fewest <= most else ():
        for residual in _residual(last, rate - machines * first.throughput, rate, budget):
            yield [DispatchTuple.full(first, machines), *residual]


def _two_full(better: Configuration, worse: Configuration, rate: float, budget: float) -> Iterator[list[DispatchTuple]]:
    """Full machines of both, by the number of the worse, while more of it can still pay."""
    least = _needed(better, rate, budget) * better.price
    machines = _needed(worse, 0.0, budget)
    while machines * worse.throughput < rate:
        rest = rate - machines * worse.throughput
        if machines * worse.price + rest / better.ratio >= least:
            return
        pair = [
            DispatchTuple.full(better, _needed(better, rest, budget)),
            DispatchTuple.full(worse, machines),
        ]
        least = min(least, sum(part.cost for part in pair))
        yield pair
        machines += 1


def _available(tuples: list[DispatchTuple], available: Mapping[str, float] | None) -> bool:
    return all(machines_left(part.configuration.hardware, tuples, available) >= 0 for part in tuples)
