"""Operating points: what one configuration alone would do for a module, as latency splitters estimate it [R].

For rate T, configuration c alone costs p T / t under ``fractional`` billing and p ceil(T / t) under ``whole``. Its
latency is that of its full machines (of its residual where T < t). With dummies, ceil(T / t) full machines are a
point of their own.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from harpagon.heuristics.scheduling_rules import RATE_ROUNDING
from harpagon.instances.policies import Billing, Dispatch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harpagon.formulations.problem import ModuleProblem
    from harpagon.heuristics.scheduling_rules import SchedulingRules
    from harpagon.instances.instance import Configuration


class OperatingPoint(NamedTuple):
    """A latency (s) and what is minimised there: cost ($/hour), or throughput (req/s) with a minus sign."""

    latency: float
    value: float


def cost_points(module: ModuleProblem, rules: SchedulingRules) -> list[OperatingPoint]:
    """Frontier of latency against the cost of serving the module with one configuration."""
    points = []
    for configuration in module.configurations:
        machines = module.rate / configuration.throughput
        bought = max(1, math.ceil(machines * (1 - RATE_ROUNDING)))
        price = configuration.price
        if rules.dummies:
            points.append(OperatingPoint(_padded_latency(configuration, bought, rules.dispatch), bought * price))
        if rules.billing is Billing.FRACTIONAL:
            points.append(OperatingPoint(_latency(configuration, module.rate, rules), machines * price))
        elif not rules.dummies:
            points.append(OperatingPoint(_latency(configuration, module.rate, rules), bought * price))
    return frontier(points)


def throughput_points(module: ModuleProblem, rules: SchedulingRules) -> list[OperatingPoint]:
    """Frontier of latency against the throughput of one machine, whatever it costs."""
    points = []
    for configuration in module.configurations:
        bought = max(1, math.ceil(module.rate / configuration.throughput * (1 - RATE_ROUNDING)))
        if rules.dummies:
            latency = _padded_latency(configuration, bought, rules.dispatch)
        else:
            latency = _latency(configuration, module.rate, rules)
        points.append(OperatingPoint(latency, -configuration.throughput))
    return frontier(points)


def frontier(points: Iterable[OperatingPoint]) -> list[OperatingPoint]:
    """Points that no other point beats, latency ascending and value descending."""
    kept: list[OperatingPoint] = []
    for point in sorted(points):
        if not kept or point.value < kept[-1].value:
            kept.append(point)
    return kept


def _padded_latency(configuration: Configuration, machines: int, dispatch: Dispatch) -> float:
    if dispatch is Dispatch.ROUND_ROBIN:
        return 2 * configuration.duration
    return configuration.duration * (1 + 1 / machines)


def _latency(configuration: Configuration, rate: float, rules: SchedulingRules) -> float:
    full = int(rate * (1 + RATE_ROUNDING) / configuration.throughput)
    if full == 0:
        collecting = configuration.throughput if rules.billing is Billing.WHOLE else rate
    elif rules.dispatch is Dispatch.ROUND_ROBIN:
        return 2 * configuration.duration
    else:
        collecting = rate if rules.dispatch is Dispatch.TC else full * configuration.throughput
    return configuration.duration + configuration.batch / collecting
