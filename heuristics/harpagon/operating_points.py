"""Operating points: what a latency splitter takes a module to cost at a latency [R].

Either what the module scheduler makes within that latency costs, or an estimate: what one configuration alone would
do. For rate T, configuration c alone costs p T / t under ``fractional`` billing and p ceil(T / t) under ``whole``. Its
latency is that of its full machines (of its residual where T < t). With dummies, ceil(T / t) full machines are a
point of their own. Without dummies a residual can be too small for every configuration to collect a batch in time: then
points that the module scheduler cannot keep are left out, and the latency of the last machine makes further points.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from harpagon.formulations.pareto import pareto_front
from harpagon.formulations.physics import collects, collects_alone, execution
from harpagon.heuristics.harpagon.module_scheduler import schedule_module
from harpagon.heuristics.scheduling_rules import RATE_ROUNDING
from harpagon.instances.policies import Billing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harpagon.formulations.problem import ModuleProblem
    from harpagon.heuristics.scheduling_rules import ModuleSchedule, SchedulingRules
    from harpagon.instances.instance import Configuration
    from harpagon.instances.policies import Dispatch


class OperatingPoint(NamedTuple):
    """A latency (s) and what is minimised there: cost ($/hour), or throughput (req/s) with a minus sign."""

    latency: float
    value: float


def scheduled_points(schedules: Sequence[ModuleSchedule]) -> list[OperatingPoint]:
    """Frontier of latency against cost from a module's frontier of schedules, cost ascending."""
    return [OperatingPoint(one.latency, one.cost) for one in reversed(schedules)]


def estimated_points(module: ModuleProblem, rules: SchedulingRules) -> list[OperatingPoint]:
    """Frontier of latency against the cost of serving the module with one configuration."""
    points = []
    for configuration in module.configurations:
        machines = module.rate / configuration.throughput
        bought = _bought(configuration, module.rate)
        price = configuration.price
        if rules.dummies:
            points.append(OperatingPoint(_padded_latency(configuration, bought, rules.dispatch), bought * price))
        paid = machines if rules.billing is Billing.FRACTIONAL else bought
        if rules.billing is Billing.FRACTIONAL or not rules.dummies:
            points.extend(_unpadded_points(configuration, module.rate, rules, paid * price))
    return pareto_front(points if rules.dummies else _schedulable(module, rules, points), lambda point: point)


def throughput_points(module: ModuleProblem, rules: SchedulingRules) -> list[OperatingPoint]:
    """Frontier of latency against the throughput of one machine, whatever it costs."""
    points = []
    for configuration in module.configurations:
        if rules.dummies:
            bought = _bought(configuration, module.rate)
            latency = _padded_latency(configuration, bought, rules.dispatch)
            points.append(OperatingPoint(latency, -configuration.throughput))
        else:
            points.extend(_unpadded_points(configuration, module.rate, rules, -configuration.throughput))
    return pareto_front(points if rules.dummies else _schedulable(module, rules, points), lambda point: point)


def _padded_latency(configuration: Configuration, machines: int, dispatch: Dispatch) -> float:
    if not collects(dispatch):
        return execution(configuration, dispatch)
    return configuration.duration * (1 + 1 / machines)


def _bought(configuration: Configuration, rate: float) -> int:
    return max(1, math.ceil(rate / configuration.throughput * (1 - RATE_ROUNDING)))


def _unpadded_points(
    configuration: Configuration, rate: float, rules: SchedulingRules, value: float
) -> list[OperatingPoint]:
    """Points at the latency of the full machines and, without dummies, at that of the last machine too."""
    throughput = configuration.throughput
    full = int(rate * (1 + RATE_ROUNDING) / throughput)
    rest = rate - full * throughput
    points = [OperatingPoint(_latency(configuration, full, rate, rules), value)]
    if not rules.dummies and full and rest > rate * RATE_ROUNDING:
        last = throughput if rules.billing is Billing.WHOLE else rest
        points.append(OperatingPoint(configuration.duration + configuration.batch / last, value))
    return points


def _schedulable(
    module: ModuleProblem, rules: SchedulingRules, points: Iterable[OperatingPoint]
) -> list[OperatingPoint]:
    """Points whose latency the module scheduler keeps: without dummies a residual can be too small for all."""
    return [point for point in points if schedule_module(module, point.latency, rules) is not None]


def _latency(configuration: Configuration, full: int, rate: float, rules: SchedulingRules) -> float:
    if full == 0:
        collecting = configuration.throughput if rules.billing is Billing.WHOLE else rate
    elif not collects(rules.dispatch):
        return execution(configuration, rules.dispatch)
    else:
        collecting = full * configuration.throughput if collects_alone(rules.dispatch) else rate
    return configuration.duration + configuration.batch / collecting
