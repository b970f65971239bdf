"""The pattern model on HiGHS: columns from the modules' frontiers, one column per module.

In fractional billing a frontier is a curve: see `harpagon.solvers.models.structures`.

The columns suffice: a plan that is cheaper than the one at hand spends on no module more than that module's share,
and within its share every schedule that no other beats in cost, latency and use of limited hardware is a column.

Where limits or bundles couple modules these are too many. Then columns are generated: rounds of the relaxation and of
pricing until no column of negative reduced cost is left, and then all whose reduced cost is within the gap
(`harpagon.solvers.exact.module_generation`).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from harpagon.formulations.physics import TIME_TOLERANCE
from harpagon.formulations.planning.data import PlanningData
from harpagon.formulations.planning.pattern import Column, PatternData
from harpagon.formulations.residual import has_curves
from harpagon.solvers.capabilities import UnsupportedError, is_coupled
from harpagon.solvers.enumeration.combinations import pareto
from harpagon.solvers.enumeration.schedules import OutOfTimeError, Rules, module_options
from harpagon.solvers.exact.column_generation import generated
from harpagon.solvers.exact.effort import Effort, OutOfEffortError
from harpagon.solvers.exact.frontier import frontier
from harpagon.solvers.exact.module_generation import ModuleGeneration
from harpagon.solvers.exact.schedule import cheapest_schedule
from harpagon.solvers.models.choices import choose_columns
from harpagon.solvers.models.highs import highs_info
from harpagon.solvers.models.model_method import Task, run_model_method
from harpagon.solvers.models.structures import search_structures
from harpagon.solvers.options import DEFAULT_OPTIONS
from harpagon.solvers.result import Result, Termination

if TYPE_CHECKING:
    from harpagon.instances.instance import Instance
    from harpagon.instances.policies import Billing, Dispatch
    from harpagon.solvers.models.highs import Values
    from harpagon.solvers.options import SolverOptions
    from harpagon.solvers.result import Solution

_ROUNDING = 1e-9
"""Relative allowance on a module's share of the budget."""


def solve_pattern(
    instance: Instance, billing: Billing, dispatch: Dispatch, options: SolverOptions = DEFAULT_OPTIONS
) -> Result:
    """Solve an instance with `harpagon.formulations.planning.pattern`, under every rule and limit."""
    return run_model_method("pattern", _search, highs_info, instance, billing, dispatch, options)


def pattern_data(task: Task, effort: Effort | None = None) -> PatternData | None:
    """Columns of every module for plans within the budget of ``task``; None where a module has none.

    Raises
    ------
    OutOfEffortError
        Where ``effort`` is used up: a label for every schedule looked at, beside those of the searches.
    OutOfTimeError
        At the deadline.
    UnsupportedError
        In fractional billing, where a frontier is a curve and no list of columns.
    """
    if has_curves(task.billing, task.dispatch):
        raise UnsupportedError("pattern", "columns in fractional billing, where frontiers are curves", ("compact",))
    data = PlanningData.compile(task.instance, task.problems, task.billing, task.dispatch, task.budget)
    shares = _shares(task, data)
    if shares is None:
        return None
    effort = effort or Effort(task.deadline)
    columns = tuple(_columns(task, data, m, share * (1 + _ROUNDING), effort) for m, share in enumerate(shares))
    if not all(columns):
        return None
    slo = tuple(slo + TIME_TOLERANCE / 2 for slo in data.slo)
    return PatternData(columns, slo, data.edges, data.sinks, data.limits, bundles=data.bundles)


def _shares(task: Task, data: PlanningData) -> list[float] | None:
    """Per module the budget less the cheapest schedules of all other modules."""
    cheapest = []
    for module, bounds in zip(data.modules, data.bounds, strict=True):
        _check_time(task)
        point = cheapest_schedule(module, bounds.latest + TIME_TOLERANCE / 2, task.billing, task.dispatch)
        if point is None:
            return None
        cheapest.append(point.cost)
    return [task.budget - sum(cheapest) + cost for cost in cheapest]


def _columns(task: Task, data: PlanningData, m: int, share: float, effort: Effort) -> tuple[Column, ...]:
    module, latest = data.modules[m], data.bounds[m].latest + TIME_TOLERANCE / 2
    if any(configuration.hardware in data.limits for configuration in module.configurations):
        rules = Rules(task.problems, data.limits, task.billing, task.dispatch, task.deadline, data.bundles, effort)
        listed = module_options(rules, module, module.configurations, share, latest)
        options = pareto(listed, latest, rules.bundled)
        return tuple(Column(o.cost, o.latency, o.usage, o.content) for o in options)  # type: ignore[arg-type]
    columns: list[Column] = []
    for point in frontier(module, latest, task.billing, task.dispatch, share, effort=effort):
        _check_time(task)
        effort.spend(len(columns))
        columns.append(Column(point.cost, point.latency, (0.0,) * len(data.limits), point.schedule))
    return tuple(columns)


def _check_time(task: Task) -> None:
    if time.perf_counter() > task.deadline:
        raise OutOfTimeError


def _search(task: Task) -> Result:
    if has_curves(task.billing, task.dispatch):
        return search_structures(task)
    begin = time.perf_counter()
    if is_coupled(task.instance):
        return generated(task, ModuleGeneration(task), begin)
    try:
        data = pattern_data(task)
    except (OutOfTimeError, OutOfEffortError):
        return task.held(task.stopped(task.floor), task.floor, time.perf_counter() - begin)
    build_time = time.perf_counter() - begin
    if data is None:
        termination = task.stopped(task.budget) if task.incumbent.plan else Termination.INFEASIBLE
        return task.held(termination, task.budget, build_time)
    details = {"columns": sum(map(len, data.columns))}
    begin = time.perf_counter()
    termination, bound, solution = _solve(task, data)
    details["nodes"] = solution.solver.options["nodes"]
    solved = time.perf_counter() - begin
    return task.held(termination, bound, build_time, solved, solution.interrupted, **details)


def _solve(task: Task, data: PatternData) -> tuple[Termination, float, Solution[Values]]:
    def is_faulty(choice: tuple[int, ...]) -> bool:
        plan = task.incumbent.assemble([data.columns[m][k].schedule for m, k in enumerate(choice)])
        return task.incumbent.offer(plan) is not None

    solution, _ = choose_columns(data, task.remaining, is_faulty, on_bound=task.report)
    if solution.termination is Termination.INFEASIBLE:
        return task.stopped(task.budget) if task.incumbent.plan else Termination.INFEASIBLE, task.budget, solution
    bound = max(task.floor, solution.dual_bound)
    return task.stopped(bound), bound, solution
