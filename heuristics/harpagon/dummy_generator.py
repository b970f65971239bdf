"""Harpagon's dummy generator [R]: padding that completes a machine of a better throughput-cost ratio.

A residual needs a configuration that collects a batch from a low rate: a small batch, a poor ratio. Dummy requests
raise the rate until one more machine of a better configuration is full. The generator walks back over the tuples that
the scheduler took: after each of them, and before the first, it asks for every later configuration what serving all of
the remaining rate with whole machines of it costs, and keeps the cheapest answer that fits the budget.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harpagon.formulations.physics import COST_TOLERANCE
from harpagon.heuristics.scheduling_rules import RATE_ROUNDING, machines_left
from harpagon.instances.plan import DispatchTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harpagon.heuristics.scheduling_rules import SchedulingRules
    from harpagon.instances.instance import Configuration


def cheapest_completion(
    rate: float,
    configurations: Sequence[Configuration],
    budget: float,
    rules: SchedulingRules,
    taken: Sequence[DispatchTuple],
    least: float,
    available: Mapping[str, float] | None = None,
) -> list[DispatchTuple] | None:
    """Cheapest schedule without a residual that keeps a prefix of ``taken``.

    Parameters
    ----------
    rate
        Requests per second to serve.
    configurations
        In ``tc`` order.
    budget
        Worst-case latency allowed, seconds.
    rules
        Dispatch decides what fits.
    taken
        Full tuples the scheduler took, in order.
    least
        Cost to beat, $/hour; infinity where nothing is at hand.
    available
        Machines left per limited hardware type.

    Returns
    -------
    list of DispatchTuple or None
        None where no completion is cheaper than ``least``.
    """
    best = least * (1 - COST_TOLERANCE)
    found = None
    remaining, spent, start = rate, 0.0, 0
    for kept in range(len(taken) + 1):
        prefix = taken[:kept]
        for configuration in configurations[start:]:
            if spent + remaining / configuration.ratio >= best:
                break
            machines = math.ceil((remaining - rate * RATE_ROUNDING) / configuration.throughput)
            cost = spent + machines * configuration.price
            if cost < best and _fits(configuration, machines, budget, rules, prefix, available):
                best, found = cost, [*prefix, DispatchTuple.full(configuration, machines)]
        if kept < len(taken):
            remaining -= taken[kept].rate
            spent += taken[kept].cost
            start = configurations.index(taken[kept].configuration, start) + 1
    return found


def _fits(
    configuration: Configuration,
    machines: int,
    budget: float,
    rules: SchedulingRules,
    prefix: Sequence[DispatchTuple],
    available: Mapping[str, float] | None,
) -> bool:
    if not rules.full_keeps(configuration, machines * configuration.throughput, budget):
        return False
    return machines <= machines_left(configuration.hardware, prefix, available)
