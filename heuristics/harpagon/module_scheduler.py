"""Harpagon's module scheduler [R]: the cheapest tuples first, within a latency budget.

Configurations are visited in descending throughput-cost ratio. Of each, floor(remaining rate / t) full machines are
taken if their worst-case latency fits the budget; the rest goes on to the next configuration; the last machine is
partly used. Under ``tc`` a tuple collects its batches from the whole rate that remains when it is filled. Under
``whole`` billing the last machine is bought whole and padded, so that it collects at its throughput.

Where nothing ends the list within the budget, the first configuration taken is passed over and the visit starts again
after it. The dummy generator offers its completions on every visit; the cheapest list wins.

``tc-safe`` and ``edf`` are ours: `harpagon.heuristics.harpagon.safe_scheduler`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harpagon.formulations.physics import collects_alone, keeps_bound
from harpagon.heuristics.harpagon.dummy_generator import cheapest_completion, cheapest_padded_end
from harpagon.heuristics.harpagon.safe_scheduler import cheapest_safe_list
from harpagon.heuristics.scheduling_rules import (
    RATE_ROUNDING,
    ROUNDING,
    ModuleSchedule,
    cost_of,
    machines_left,
)
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Billing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harpagon.formulations.problem import ModuleProblem
    from harpagon.heuristics.scheduling_rules import SchedulingRules
    from harpagon.instances.instance import Configuration


@dataclass(frozen=True, slots=True)
class _Filling:
    """Full tuples taken on the way, and the list that serves the whole rate (None where the visit found no end)."""

    taken: list[DispatchTuple]
    finished: list[DispatchTuple] | None


def schedule_module(
    module: ModuleProblem, budget: float, rules: SchedulingRules, available: Mapping[str, float] | None = None
) -> ModuleSchedule | None:
    """Schedule one module within a latency budget.

    Parameters
    ----------
    module
        Rate and configurations in ``tc`` order.
    budget
        Worst-case latency allowed, seconds.
    rules
        Billing, dispatch, mixing and dummies.
    available
        Machines left per limited hardware type; the others are not limited.

    Returns
    -------
    ModuleSchedule or None
        None where the scheduler finds nothing within the budget.

    Raises
    ------
    OutOfTimeError
        At the deadline of ``rules``.
    """
    rules.check_time()
    cheapest = cheapest_safe_list if keeps_bound(rules.dispatch) else _cheapest_list
    best = cheapest(module, budget + ROUNDING, rules, available)
    return ModuleSchedule.of(best, rules.dispatch) if best else None


def _cheapest_list(
    module: ModuleProblem, budget: float, rules: SchedulingRules, available: Mapping[str, float] | None
) -> list[DispatchTuple] | None:
    configurations = module.configurations
    best: list[DispatchTuple] | None = None
    while configurations and module.rate / configurations[0].ratio < cost_of(best):
        filling = _fill(module.rate, configurations, budget, rules, available)
        best = min(best, filling.finished, key=cost_of)
        if rules.dummies:
            completed = cheapest_completion(
                module.rate, configurations, budget, rules, filling.taken, cost_of(best), available
            )
            best = completed or best
        if rules.pads:
            padded = cheapest_padded_end(
                module.rate, configurations, budget, rules, filling.taken, cost_of(best), available
            )
            best = padded or best
        if filling.finished is not None or not filling.taken:
            break
        configurations = configurations[configurations.index(filling.taken[0].configuration) + 1 :]
    return best


def _fill(
    rate: float,
    configurations: Sequence[Configuration],
    budget: float,
    rules: SchedulingRules,
    available: Mapping[str, float] | None,
) -> _Filling:
    remaining, rounding = rate, rate * RATE_ROUNDING
    taken: list[DispatchTuple] = []
    mixable = rules.max_configurations or len(configurations)
    for configuration in configurations:
        left = machines_left(configuration.hardware, taken, available)
        machines = _full_machines(configuration, remaining, rounding, budget, rules, left)
        rest = remaining - machines * configuration.throughput
        if rest <= rounding:
            return _Filling(taken, [*taken, DispatchTuple.full(configuration, machines)])
        last = _last_machine(configuration, rest, budget, rules)
        if 0 < last <= left - machines:
            return _Filling(taken, [*taken, *_with_last(configuration, machines, last)])
        if machines and len(taken) + 1 < mixable:
            taken.append(DispatchTuple.full(configuration, machines))
            remaining = rest
    return _Filling(taken, None)


def _full_machines(
    configuration: Configuration, remaining: float, rounding: float, budget: float, rules: SchedulingRules, left: float
) -> int:
    """Full machines that fit the rate, the limit and the budget."""
    machines = int(min((remaining + rounding) / configuration.throughput, left))
    if machines <= 0:
        return 0
    collecting = machines * configuration.throughput if collects_alone(rules.dispatch) else remaining
    return machines if rules.full_keeps(configuration, collecting, budget) else 0


def _last_machine(configuration: Configuration, rest: float, budget: float, rules: SchedulingRules) -> float:
    """Share of one machine that serves ``rest`` within the budget, 1 under whole billing; 0 where it cannot."""
    throughput = configuration.throughput
    if rest >= throughput * (1 - RATE_ROUNDING):
        return 0.0
    if rules.billing is Billing.WHOLE:
        return 1.0 if rules.full_keeps(configuration, throughput, budget) else 0.0
    return rest / throughput if rules.last_keeps(configuration, rest, budget) else 0.0


def _with_last(configuration: Configuration, machines: int, last: float) -> list[DispatchTuple]:
    if last == 1.0:
        return [DispatchTuple.full(configuration, machines + 1)]
    full = [DispatchTuple.full(configuration, machines)] if machines else []
    return [*full, DispatchTuple.residual(configuration, last * configuration.throughput)]
