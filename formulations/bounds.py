"""What the data alone say about a plan: latency ranges, a first plan, and machine counts that suffice.

The models take their variable bounds and their big-M values from here, so none is typed in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harpagon.formulations.paced_sizes import fewest_machines
from harpagon.formulations.physics import (
    RATE_TOLERANCE,
    TIME_TOLERANCE,
    collection_rate,
    collects,
    execution,
    keeps_streams,
)
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Dispatch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harpagon.formulations.problem import ModuleProblem, PipelineProblem
    from harpagon.instances.instance import Configuration, Instance

_ROUNDING = 2**-52
"""Relative step of a factor that comes too near its root to be told from it."""


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
    """Machines that there are of each hardware type that has a limit, in whole bundles."""
    return {name: one.available for name, one in instance.hardware.items() if one.available is not None}


def smallest_latency(module: ModuleProblem, dispatch: Dispatch) -> float:
    """Seconds that the module's latency approaches as machines are added: min d, or 2 min d (``round-robin``)."""
    return min(execution(configuration, dispatch) for configuration in module.configurations)


def reaches_smallest(module: ModuleProblem, dispatch: Dispatch) -> bool:
    """Whether finitely many machines reach `smallest_latency`, rather than approach it."""
    quickest = min(module.configurations, key=lambda c: (execution(c, dispatch), c.batch))
    return keeps_streams(dispatch) or not collects(dispatch) or quickest.is_capacity


def cost_floor(module: ModuleProblem) -> float:
    """Dollars per hour: the rate served at the best throughput-cost ratio."""
    return module.rate * (1 - RATE_TOLERANCE) / max(configuration.ratio for configuration in module.configurations)


def is_reachable(problem: PipelineProblem, dispatch: Dispatch) -> bool:
    """Whether enough machines meet the SLO, hardware limits left aside."""
    latencies = _of_configurations(problem, lambda module: approached_latency(module, dispatch))
    return problem.network.length(latencies) <= problem.slo + TIME_TOLERANCE / 2


def _of_configurations(problem: PipelineProblem, figure: Callable[[ModuleProblem], float]) -> list[float]:
    """A figure of every module that hangs on its configurations alone: asked for once, where modules share them."""
    found = {id(module.configurations): module for module in problem.modules}
    figures = {key: figure(module) for key, module in found.items()}
    return [figures[id(module.configurations)] for module in problem.modules]


def approached_latency(module: ModuleProblem, dispatch: Dispatch) -> float:
    """Seconds that finitely many machines reach: `smallest_latency`, or more than rounding above it."""
    margin = 0.0 if reaches_smallest(module, dispatch) else 2 * TIME_TOLERANCE
    return smallest_latency(module, dispatch) + margin


def first_plan(problem: PipelineProblem, dispatch: Dispatch) -> list[tuple[DispatchTuple, ...]] | None:
    """A plan with one configuration per module: the SLO is split in proportion to the smallest latencies.

    Returns
    -------
    list of schedules or None
        None exactly where the pipeline has no plan under any hardware limits.
    """
    smallest = _of_configurations(problem, lambda module: smallest_latency(module, dispatch))
    if not is_reachable(problem, dispatch):
        return None
    stretch = largest_stretch(problem, smallest)
    schedules = [
        cheapest_single(module, stretch * latency, dispatch)
        for module, latency in zip(problem.modules, smallest, strict=True)
    ]
    return None if None in schedules else schedules  # type: ignore[return-value]


def least_machines(module: ModuleProblem) -> float:
    """Machines of the largest throughput that the rate keeps busy, a fraction of one counted."""
    return module.rate / max(configuration.throughput for configuration in module.configurations)


def largest_stretch(problem: PipelineProblem, latencies: Sequence[float], held: Sequence[float] = ()) -> float:
    """Largest factor, at least 1, on all latencies that keeps the SLO; latencies ``held``, if not 0, do not stretch.

    Where the latencies take longer than the SLO as they are, by a tolerance, no path gets longer than the longest. The
    longest path is convex in the factor and piecewise linear, so Newton's steps from above end at its root after few.
    """
    network, held = problem.network, held or [0.0] * len(latencies)
    most = max(problem.slo, network.length(latencies))
    stretch = most / max((latency for latency, own in zip(latencies, held, strict=True) if not own), default=most)
    rounding = _ROUNDING
    while stretch > 1:
        stretched = [own or stretch * latency for latency, own in zip(latencies, held, strict=True)]
        excess = network.length(stretched) - most
        if excess <= 0:
            return stretch
        slope = sum(latencies[module] for module in network.critical_modules(stretched) if not held[module])
        below, stretch = stretch * (1 - rounding), stretch - excess / slope if slope else 1.0
        if stretch > below:
            stretch, rounding = below, 2 * rounding
    return 1.0


def cheapest_single(module: ModuleProblem, budget: float, dispatch: Dispatch) -> tuple[DispatchTuple, ...] | None:
    """The cheapest schedule of one configuration within ``budget`` seconds, None without one."""
    best, least = None, math.inf
    for configuration in module.configurations:
        load = module.rate * (1 - RATE_TOLERANCE) / configuration.throughput
        if configuration.price * (max(1.0, load) + module.spare) >= least:
            continue
        machines = _machines_alone(configuration, module, budget, dispatch)
        if machines is not None and (machines + module.spare) * configuration.price < least:
            best = DispatchTuple.full(configuration, machines, module.spare)
            least = best.cost
    return None if best is None else (best,)


def _machines_alone(
    configuration: Configuration, module: ModuleProblem, budget: float, dispatch: Dispatch
) -> int | None:
    """Fewest machines of one configuration that serve a module within ``budget`` seconds."""
    if keeps_streams(dispatch):
        assert module.stream is not None, "compiled from a pipeline"
        return fewest_machines(configuration, module.stream, budget)
    rate = module.rate
    if not collects(dispatch):
        if execution(configuration, dispatch) > budget + TIME_TOLERANCE:
            return None
    else:
        needed = collection_rate(configuration, budget)
        if math.isinf(needed):
            return None
        rate = max(rate, needed)
    return max(1, math.ceil(rate / configuration.throughput * (1 - RATE_TOLERANCE)))


def most_under_shared(instance: Instance, problems: Sequence[PipelineProblem]) -> float:
    """Dollars per hour that the cheapest plan under ``shared`` billing costs at the most, if there is a plan.

    All limited machines and, of every module that may do without them, its quickest schedule of unlimited types: a plan
    stays one when whatever uses unlimited machines is exchanged for these.
    """
    limits = hardware_limits(instance)
    limited = sum(limit * instance.hardware[name].price for name, limit in limits.items())
    return limited + sum(_quickest_unlimited(module, limits) for problem in problems for module in problem.modules)


def _quickest_unlimited(module: ModuleProblem, limits: Mapping[str, int]) -> float:
    """Dollars per hour of the quickest schedule of types without limit; 0 where a module has none."""
    free = tuple(c for c in module.configurations if c.hardware not in limits)
    if not free:
        return 0.0
    schedule = cheapest_single(replace(module, configurations=free), min(c.duration for c in free), Dispatch.PACED)
    assert schedule is not None, "enough machines reach the smallest duration"
    return sum(part.cost for part in schedule)


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
    smallest = _of_configurations(problem, lambda module: smallest_latency(module, dispatch))
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
