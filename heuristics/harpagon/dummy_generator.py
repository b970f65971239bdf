"""Harpagon's dummy generator [R]: padding that completes a batch sooner, on a machine of a better ratio.

A residual needs a configuration that collects a batch from a low rate: a small batch, a poor ratio. Dummy requests
raise that rate. The generator walks back over the tuples that the scheduler took: after each of them, and before the
first, it asks for every later configuration what serving all of the remaining rate with it costs, and keeps the
cheapest answer that fits the budget:

* whole machines, the last of them completed by dummies;
* under ``fractional`` billing full machines and a residual, padded to the smallest rate that keeps the budget for it
  and for the tuples before it. That rate falls continuously with the budget (`harpagon.formulations.residual`).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harpagon.formulations.physics import COST_TOLERANCE, collection_rate
from harpagon.formulations.residual import Structure
from harpagon.heuristics.scheduling_rules import RATE_ROUNDING, cost_of, machines_left
from harpagon.instances.plan import DispatchTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

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
    for prefix, remaining, spent, following in _prefixes(rate, configurations, taken):
        for configuration in following:
            if spent + remaining / configuration.ratio >= best:
                break
            machines = math.ceil((remaining - rate * RATE_ROUNDING) / configuration.throughput)
            cost = spent + machines * configuration.price
            if cost < best and _fits(configuration, machines, budget, rules, prefix, available):
                best, found = cost, [*prefix, DispatchTuple.full(configuration, machines)]
    return found


def cheapest_padded_end(
    rate: float,
    configurations: Sequence[Configuration],
    budget: float,
    rules: SchedulingRules,
    taken: Sequence[DispatchTuple],
    least: float,
    available: Mapping[str, float] | None = None,
) -> list[DispatchTuple] | None:
    """Cheapest schedule that ends with a padded residual and keeps a prefix of ``taken``; as `cheapest_completion`."""
    best = least * (1 - COST_TOLERANCE)
    found = None
    for prefix, remaining, spent, following in _prefixes(rate, configurations, taken):
        for configuration in following:
            if spent + remaining / configuration.ratio >= best:
                break
            machines = int((remaining + rate * RATE_ROUNDING) / configuration.throughput)
            needed = max(remaining - machines * configuration.throughput, collection_rate(configuration, budget))
            if spent + (machines + needed / configuration.throughput) * configuration.price >= best:
                continue
            full = [*prefix, DispatchTuple.full(configuration, machines)] if machines else prefix
            structure = Structure.of(full, configuration, rate, rules.dispatch)
            if structure.quickest > budget:
                continue
            schedule = list(structure.schedule(structure.rate(budget)))
            if cost_of(schedule) < best and machines_left(configuration.hardware, schedule, available) >= 0:
                best, found = cost_of(schedule), schedule
    return found


def _prefixes(
    rate: float, configurations: Sequence[Configuration], taken: Sequence[DispatchTuple]
) -> Iterator[tuple[Sequence[DispatchTuple], float, float, Sequence[Configuration]]]:
    """Every prefix of ``taken`` with the rate it leaves, its cost, and the configurations that may follow it."""
    remaining, spent, start = rate, 0.0, 0
    yield (), remaining, spent, configurations
    for kept, part in enumerate(taken, 1):
        remaining -= part.rate
        spent += part.cost
        start = configurations.index(part.configuration, start) + 1
        yield taken[:kept], remaining, spent, configurations[start:]


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
