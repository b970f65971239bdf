"""The level model on HiGHS: per module the least cost on levels of its latency, found before the model is built."""

from __future__ import annotations

import math
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from harpagon.formulations.bounds import cost_floor
from harpagon.formulations.physics import COST_TOLERANCE, TIME_TOLERANCE
from harpagon.formulations.planning.levels import Level, build_levels
from harpagon.solvers.exact.effort import Effort, OutOfEffortError
from harpagon.solvers.exact.sampled_frontier import SampledFrontier
from harpagon.solvers.exact.schedule import ScheduleSearch
from harpagon.solvers.models.tangents import solve_by_tangents
from harpagon.solvers.options import DEFAULT_OPTIONS

if TYPE_CHECKING:
    from pyomo.environ import ConcreteModel

    from harpagon.formulations.bounds import ModuleBounds
    from harpagon.formulations.planning.data import PlanningData
    from harpagon.instances.instance import Instance
    from harpagon.instances.policies import Billing, Dispatch
    from harpagon.solvers.options import SolverOptions
    from harpagon.solvers.result import Result

_LOOKS = 8
"""Schedules of a module that are searched for its levels, beside its cheapest."""


def solve_levels(
    instance: Instance, billing: Billing, dispatch: Dispatch, options: SolverOptions = DEFAULT_OPTIONS
) -> Result:
    """Solve an instance with `harpagon.formulations.planning.levels`, under the policies of ``compact``."""
    deadline = math.inf if options.time_limit is None else time.perf_counter() + options.time_limit
    return solve_by_tangents("levels", LevelBuild(deadline), instance, billing, dispatch, options)


class LevelBuild:
    """Builds the level model; data that differ in their tangents alone share their levels.

    Levels are searched for until ``deadline``, a reading of ``time.perf_counter``; fewer levels are valid too.
    """

    def __init__(self, deadline: float = math.inf) -> None:
        self._effort = Effort(deadline)
        self._bounds: tuple[ModuleBounds, ...] = ()
        self._levels: list[list[Level]] = []

    def __call__(self, data: PlanningData) -> ConcreteModel:
        if self._bounds is not data.bounds:
            self._bounds, self._levels = data.bounds, module_levels(data, self._effort)
        return build_levels(data, self._levels)


def module_levels(data: PlanningData, effort: Effort) -> list[list[Level]]:
    """Levels of every module, slowest first, of all latencies that a plan within the bounds of ``data`` may have."""
    frontiers = [_frontier(data, m, effort) for m in range(len(data.modules))]
    floors = [cost_floor(module) for module in data.modules]
    above = [0.0 if one is None else one.marks[0].cost - own for one, own in zip(frontiers, floors, strict=True)]
    levels = []
    for m, frontier in enumerate(frontiers):
        bounds = data.bounds[m]
        if frontier is None:
            levels.append([Level(bounds.earliest, bounds.latest, floors[m])])
            continue
        cap = max(frontier.marks[0].cost, bounds.cost - sum(above) + above[m]) * (1 + COST_TOLERANCE)
        with suppress(OutOfEffortError):
            frontier.spread(_LOOKS, cap)
        levels.append([Level(*one) for one in frontier.ranges(cap)])
    return levels


def _frontier(data: PlanningData, m: int, effort: Effort) -> SampledFrontier | None:
    """The frontier of a module, None where not even its cheapest schedule is found."""
    search = ScheduleSearch(data.modules[m], data.billing, data.dispatch, effort=effort)
    with suppress(OutOfEffortError):
        return SampledFrontier(search, data.bounds[m].earliest, data.bounds[m].latest + TIME_TOLERANCE)
    return None
