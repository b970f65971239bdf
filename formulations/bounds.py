"""What the data alone say about a plan: latency ranges, a first plan, and machine counts that suffice.

The models take their variable bounds and their big-M values from here, so none is typed in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harpagon.formulations.physics import RATE_TOLERANCE, TIME_TOLERANCE, collection_rate, execution
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Dispatch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harpagon.formulations.problem import ModuleProblem, PipelineProblem
    from harpagon.instances.instance import Configuration, Instance

_BISECTIONS = 60


@dataclass(frozen=True, slots=True)
class ModuleBounds:
    """Ranges that hold one optimal plan of a module.

    Attributes
    ----------
    configurations
        Those that fit ``latest``, in ``tc`` order.
    machines
        Per configuration the most machines an optimal plan can hold.
    earliest, latest
        Seconds: the module's latency lies between, with every other module at its smallest.
    cost
        Dollars per hour: no optimal plan spends more on this module.
    """

    configurations: tuple[Configuration, ...]
    machines: tuple[int, ...]
    earliest: float
    latest: float
    cost: float

    @property
    def capacity(self) -> float:
        """Requests per second that ``cost`` buys at the best throughput-cost ratio."""
        return self.cost * max(configuration.ratio for configuration in self.configurations)


def hardware_limits(instance: Instance) -> dict[str, int]:
    """Limit of each hardware type that has one."""
    return {name: hardware.limit for name, hardware in instance.hardware.items() if hardware.limit is not None}


def smallest_latency(module: ModuleProblem, dispatch: Dispatch) -> float:
    """Seconds that the module's latency approaches as machines are added: min d, or 2 min d (``round-robin``)."""
    return min(execution(configuration, dispatch) for configuration in module.configurations)


def reaches_smallest(module: ModuleProblem, dispatch: Dispatch) -> bool:
    """Whether finitely many machines reach `smallest_latency`, rather than approach it."""
    quickest = min(module.configurations, key=lambda c: (execution(c, dispatch), c.batch))
    return dispatch is Dispatch.ROUND_ROBIN or quickest.is_capacity


def cost_floor(module: ModuleProblem) -> float:
    """Dollars per hour: the rate served at the best throughput-cost ratio."""
    return module.rate * (1 - RATE_TOLERANCE) / max(configuration.ratio for configuration in module.configurations)


def first_plan(problem: PipelineProblem, dispatch: Dispatch) -> list[tuple[DispatchTuple, ...]] | None:
    """A plan with one configuration per module: the SLO is split in proportion to the smallest latencies.

    Returns
    -------
    list of schedules or None
        None exactly where the pipeline has no plan under any hardware limits.
    """
    smallest = [smallest_latency(module, dispatch) for module in problem.modules]
    stretch = _largest_stretch(problem, smallest)
    if stretch is None:
        return None
    schedules = [
        _cheapest_single(module, stretch * latency, dispatch)
        for module, latency in zip(problem.modules, smallest, strict=True)
    ]
    return None if None in schedules else schedules  # type: ignore[return-value]


def _largest_stretch(problem: PipelineProblem, smallest: Sequence[float]) -> float | None:
    """Largest factor on all smallest latencies that keeps the SLO."""
    low, high = 1.0, max(1.0, 2 * problem.slo / min(smallest))
    if problem.network.length(smallest) > problem.slo + TIME_TOLERANCE:
        return None
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        fits = problem.network.length([middle * latency for latency in smallest]) <= problem.slo
        low, high = (middle, high) if fits else (low, middle)
    return low


def _cheapest_single(module: ModuleProblem, budget: float, dispatch: Dispatch) -> tuple[DispatchTuple, ...] | None:
    plans = [
        DispatchTuple.full(configuration, machines)
        for configuration in module.configurations
        if (machines := _machines_alone(configuration, module.rate, budget, dispatch)) is not None
    ]
    return (min(plans, key=lambda part: part.cost),) if plans else None


def _machines_alone(configuration: Configuration, rate: float, budget: float, dispatch: Dispatch) -> int | None:
    """Fewest machines of one configuration that serve ``rate`` within ``budget`` seconds."""
    if dispatch is Dispatch.ROUND_ROBIN:
        if execution(configuration, dispatch) > budget + TIME_TOLERANCE:
            return None
    else:
        needed = collection_rate(configuration, budget)
        if math.isinf(needed):
            return None
        rate = max(rate, needed)
    return max(1, math.ceil(rate / configuration.throughput * (1 - RATE_TOLERANCE)))


def module_bounds(
    problems: Sequence[PipelineProblem], dispatch: Dispatch, limits: Mapping[str, int], cost: float
) -> list[list[ModuleBounds]]:
    """Bounds of every module of every pipeline, for plans that cost at most ``cost`` dollars per hour."""
    floors = sum(cost_floor(module) for problem in problems for module in problem.modules)
    return [
        [
            _bounds(module, earliest, problem.slo - others, dispatch, limits, cost - floors + cost_floor(module))
            for module, earliest, others in _latency_shares(problem, dispatch)
        ]
        for problem in problems
    ]


def _latency_shares(problem: PipelineProblem, dispatch: Dispatch) -> list[tuple[ModuleProblem, float, float]]:
    """Per module its smallest latency and the seconds that the rest of its longest path takes at least."""
    smallest = [smallest_latency(module, dispatch) for module in problem.modules]
    through = problem.network.path_lengths(smallest)
    return [(m, own, path - own) for m, own, path in zip(problem.modules, smallest, through, strict=True)]


def _bounds(
    module: ModuleProblem, earliest: float, latest: float, dispatch: Dispatch, limits: Mapping[str, int], cost: float
) -> ModuleBounds:
    fitting = tuple(c for c in module.configurations if execution(c, dispatch) < latest + TIME_TOLERANCE)
    machines = tuple(
        min(math.floor(cost / c.price * (1 + RATE_TOLERANCE)), limits.get(c.hardware, math.inf)) for c in fitting
    )
    return ModuleBounds(fitting, tuple(int(count) for count in machines), earliest, latest, cost)
