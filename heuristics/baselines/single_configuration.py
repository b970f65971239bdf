"""Round-robin building blocks of the baselines: one configuration, and the largest batch that fits a budget."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harpagon.formulations.physics import execution
from harpagon.formulations.residual import Structure
from harpagon.heuristics.scheduling_rules import RATE_ROUNDING, ROUNDING, ModuleSchedule, machines_left
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Billing, Dispatch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harpagon.formulations.problem import ModuleProblem
    from harpagon.instances.instance import Configuration


def _full_machines(configuration: Configuration, rate: float) -> tuple[int, float]:
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


def serve_with_last(
    configuration: Configuration, rate: float, billing: Billing, last: Callable[[float], DispatchTuple | None]
) -> list[DispatchTuple]:
    """Full machines of one configuration, and what serves the rate they leave over.

    Parameters
    ----------
    configuration
        Of the full machines.
    rate
        Requests per second.
    billing
        Under ``fractional`` the last machine may be partly used.
    last
        Makes that machine for a rate; where it gives None, one more full machine is bought and padded.
    """
    machines, rest = _full_machines(configuration, rate)
    residual = last(rest) if rest and billing is Billing.FRACTIONAL else None
    if rest and residual is None:
        return [DispatchTuple.full(configuration, machines + 1)]
    full = [DispatchTuple.full(configuration, machines)] if machines else []
    return [*full, residual] if residual else full


def serve_alone(configuration: Configuration, rate: float, budget: float, billing: Billing) -> list[DispatchTuple]:
    """As `serve_with_last`, with a last machine of the same configuration where that meets ``budget``."""
    return serve_with_last(configuration, rate, billing, lambda rest: partly_used(configuration, rest, budget))


def largest_batches(module: ModuleProblem, budget: float) -> list[Configuration]:
    """Per hardware type the configuration of the largest batch with 2 d within ``budget``, by type name."""
    largest: dict[str, Configuration] = {}
    for configuration in module.configurations:
        kept = largest.get(configuration.hardware)
        fits = execution(configuration, Dispatch.ROUND_ROBIN) <= budget + ROUNDING
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
