"""The pattern model of fractional billing on HiGHS: structures instead of columns, every one that a plan may use.

A plan that is cheaper than the one at hand spends on no module more than that module's share, so the structures within
the shares suffice.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from harpagon.formulations.physics import TIME_TOLERANCE
from harpagon.formulations.planning.structures import structure_program
from harpagon.solvers.exact.effort import OutOfEffortError
from harpagon.solvers.exact.pricing import LIST_PRICES
from harpagon.solvers.exact.schedule import ScheduleSearch
from harpagon.solvers.exact.structure_generation import StructureGeneration
from harpagon.solvers.exact.structure_listing import Line
from harpagon.solvers.models.model_method import Task
from harpagon.solvers.result import Result, Termination

if TYPE_CHECKING:
    from harpagon.formulations.planning.linear_program import LinearProgram

_ROUNDING = 1e-9
"""Relative allowance on a module's share of the budget."""


def search_structures(task: Task) -> Result:
    """Cheapest plan within the budget of ``task``, by one model over all structures."""
    begin = time.perf_counter()
    search = StructureGeneration(task)
    try:
        complete = _list_within_shares(search, task)
    except OutOfEffortError:
        return task.held(task.stopped(task.floor), task.floor, time.perf_counter() - begin)
    build_time = time.perf_counter() - begin
    if not complete:
        return task.held(_nothing(task), task.budget, build_time)
    begin = time.perf_counter()
    solution = search.choose([list(choices.values()) for choices in search.choices], 0.0)
    solve_time = time.perf_counter() - begin
    if solution.termination is Termination.INFEASIBLE:
        return task.held(_nothing(task), task.budget, build_time, solve_time)
    bound = max(task.floor, solution.dual_bound)
    stopped, times = task.stopped(bound), (build_time, solve_time)
    return task.held(stopped, bound, *times, solution.interrupted, structures=search.size)


def tight_structure_program(task: Task) -> LinearProgram | None:
    """Program whose tangents hold its optimum up, None where no plan is within the budget.

    Raises
    ------
    OutOfEffortError
        At the deadline.
    """
    search = StructureGeneration(task)
    if not _list_within_shares(search, task):
        return None
    choices = [list(choices.values()) for choices in search.choices]
    search.choose(choices, 0.0)
    return structure_program(search.model(choices))


def _list_within_shares(search: StructureGeneration, task: Task) -> bool:
    """Add every structure within the budget less the cheapest schedules of the other modules; whether all have any."""
    data, cheapest = search.data, []
    for module, bounds in zip(data.modules, data.bounds, strict=True):
        alone = ScheduleSearch(module, task.billing, task.dispatch, effort=search.effort)
        point = alone.cheapest(bounds.latest + TIME_TOLERANCE / 2)
        if point is None:
            return False
        cheapest.append(point.cost)
    for m, cost in enumerate(cheapest):
        share = task.budget - sum(cheapest) + cost
        search.list_below(m, Line(share * (1 + _ROUNDING), 0.0), LIST_PRICES)
    return all(search.choices)


def _nothing(task: Task) -> Termination:
    return task.stopped(task.budget) if task.incumbent.plan else Termination.INFEASIBLE
