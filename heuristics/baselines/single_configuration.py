"""Round-robin building blocks of the baselines: one configuration, and the largest batch that fits a budget."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harpagon.formulations.residual import Structure
from harpagon.heuristics.scheduling_rules import RATE_ROUNDING, ROUNDING, ModuleSchedule, machines_left
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Billing, Dispatch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harpagon.formulations.problem import ModuleProblem
    from harpagon.instances.instance import Configuration


def full_machines(configuration: Configuration, rate: float) -> tuple[int, float]:
    """Machines that ``rate`` fills, and the rate left over (0 where it is rounding)."""
    machines = int(rate * (1 + RATE_ROUNDING) / configuration.throughput)
    rest = rate - machines * configuration.throughput
    return machines, rest if rest > rate * RATE_ROUNDING else 0.0


def partly_used(configuration: Configuration, rest: float, budget: float) -> DispatchTuple | None:
    """A machine that serves ``rest`` requests per second within ``budget`` and is paid for by the share of its time.

    Where ``rest`` alone collects a batch too slowly, dummy requests raise its rate to b / (L - d), so that it pays the
    duty cycle d / (L - d). None where a full machine misses the budget, or ``rest`` fills it.
    """
    machine = Structure.of((), configuration, rest, Dispatch.ROUND_ROBIN)
    rate = machine.rate(budget + ROUNDING)
    return None if math.isinf(rate) else DispatchTuple.residual(configuration, rate)


def serve_alone(configuration: Configuration, rate: float, budget: float, billing: Billing) -> list[DispatchTuple]:
    """Serve ``rate`` with one configuration.

    The last machine is partly used where ``billing`` is ``fractional`` and that meets ``budget``; otherwise it is
    bought whole and padded.
    """
    machines, rest = full_machines(configuration, rate)
    last = partly_used(configuration, rest, budget) if rest and billing is Billing.FRACTIONAL else None
    if rest and last is None:
        return [DispatchTuple.full(configuration, machines + 1)]
    full = [DispatchTuple.full(configuration, machines)] if machines else []
    return [*full, last] if last else full


def largest_batches(module: ModuleProblem, budget: float) -> list[Configuration]:
    """Per hardware type the configuration of the largest batch with 2 d within ``budget``, by type name."""
    largest: dict[str, Configuration] = {}
    for configuration in module.configurations:
        kept = largest.get(configuration.hardware)
        fits = 2 * configuration.duration <= budget + ROUNDING
        if fits and (kept is None or configuration.batch > kept.batch):
            largest[configuration.hardware] = configuration
    return [largest[hardware] for hardware in sorted(largest)]


def cheapest_type(
    module: ModuleProblem,
    budget: float,
    serve: Callable[[Configuration], list[DispatchTuple]],
    available: Mapping[str, float] | None = None,
) -> ModuleSchedule | None:
    """Cheapest schedule over hardware types, each led by its largest batch.

    Parameters
    ----------
    module
        Rate and configurations.
    budget
        Seconds allowed; 2 d of the leading configuration is within it.
    serve
        From the leading configuration to tuples on its hardware type.
    available
        Machines left per limited hardware type.

    Returns
    -------
    ModuleSchedule or None
        None where no batch fits the budget or no type has machines enough.
    """
    schedules = [
        ModuleSchedule.of(tuples, Dispatch.ROUND_ROBIN)
        for leading in largest_batches(module, budget)
        if machines_left(leading.hardware, tuples := serve(leading), available) >= 0
    ]
    return min(schedules, key=lambda schedule: schedule.cost, default=None)
