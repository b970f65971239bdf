"""Module scheduler under ``tc-safe`` and ``edf``: Harpagon's visit, every list judged by the policy's bound. Ours.

Under these policies a tuple's latency depends on the tuples before it, so it is known only once the list is complete.
Configurations are visited in descending throughput-cost ratio from every starting point; as in Harpagon each takes the
full machines that the remaining rate fills, where ``tc`` would allow it. At each step the list may end: with whole
machines, padded, or under ``fractional`` billing with a residual. The cheapest ended list within the budget wins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.formulations.physics import module_latency
from harpagon.formulations.residual import Structure
from harpagon.heuristics.scheduling_rules import RATE_ROUNDING, cost_of, machines_left
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Billing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harpagon.formulations.problem import ModuleProblem
    from harpagon.heuristics.scheduling_rules import SchedulingRules
    from harpagon.instances.instance import Configuration


def cheapest_safe_list(
    module: ModuleProblem, budget: float, rules: SchedulingRules, available: Mapping[str, float] | None
) -> list[DispatchTuple] | None:
    """Cheapest list of the visits within ``budget`` seconds and the machines ``available``; None without one."""
    best: list[DispatchTuple] | None = None
    for start, first in enumerate(module.configurations):
        if module.rate / first.ratio >= cost_of(best):
            break
        for tuples in _visit(module.rate, module.configurations[start:], budget, rules, available):
            if cost_of(tuples) < cost_of(best) and _fits(tuples, budget, rules, available):
                best = tuples
    return best


def _visit(
    rate: float,
    configurations: Sequence[Configuration],
    budget: float,
    rules: SchedulingRules,
    available: Mapping[str, float] | None,
) -> Iterator[list[DispatchTuple]]:
    """Every list that one visit can end with."""
    remaining, rounding = rate, rate * RATE_ROUNDING
    taken: list[DispatchTuple] = []
    mixable = rules.max_configurations or len(configurations)
    for configuration in configurations:
        yield from _ended(taken, configuration, rate, remaining, budget, rules)
        left = machines_left(configuration.hardware, taken, available)
        machines = int(min((remaining + rounding) / configuration.throughput, left))
        rest = remaining - machines * configuration.throughput
        allowed = rules.last_keeps(configuration, remaining, budget) and len(taken) + 1 < mixable
        if machines > 0 and rest > rounding and allowed:
            taken.append(DispatchTuple.full(configuration, machines))
            remaining = rest


def _ended(
    taken: Sequence[DispatchTuple],
    configuration: Configuration,
    rate: float,
    remaining: float,
    budget: float,
    rules: SchedulingRules,
) -> Iterator[list[DispatchTuple]]:
    """``taken`` with every way to serve all that remains with one configuration."""
    full = int((remaining + rate * RATE_ROUNDING) / configuration.throughput)
    rest = remaining - full * configuration.throughput
    if rest <= rate * RATE_ROUNDING:
        yield [*taken, DispatchTuple.full(configuration, full)]
        return
    if rules.dummies or rules.billing is Billing.WHOLE:
        yield [*taken, DispatchTuple.full(configuration, full + 1)]
    if rules.billing is Billing.FRACTIONAL:
        whole = [*taken, DispatchTuple.full(configuration, full)] if full else taken
        structure = Structure.of(whole, configuration, rate, rules.dispatch)
        if rules.dummies and structure.quickest <= budget:
            rest = structure.rate(budget)
        yield [*whole, DispatchTuple.residual(configuration, rest)]


def _fits(
    tuples: Sequence[DispatchTuple], budget: float, rules: SchedulingRules, available: Mapping[str, float] | None
) -> bool:
    within = all(machines_left(part.configuration.hardware, tuples, available) >= 0 for part in tuples)
    return within and rules.keeps(module_latency(tuples, rules.dispatch), budget)
