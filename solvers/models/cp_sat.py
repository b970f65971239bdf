"""The constraint-programming model on CP-SAT: solve, check in floating point, solve again with finer units."""

from __future__ import annotations

import sys
import time
from importlib.metadata import version
from typing import TYPE_CHECKING

from harpagon.formulations.physics import has_free_order
from harpagon.formulations.planning.cp_sat import build_cp_sat, units
from harpagon.formulations.planning.data import PlanningData
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Dispatch
from harpagon.solvers.models.interruptible import run_interruptibly
from harpagon.solvers.models.model_method import Task, run_model_method
from harpagon.solvers.options import DEFAULT_OPTIONS
from harpagon.solvers.result import Result, SolverInfo, Termination

if TYPE_CHECKING:
    from collections.abc import Callable

    from ortools.sat.python.cp_model import CpSolver, CpSolverStatus

    from harpagon.formulations.planning.cp_sat import CpSatModel
    from harpagon.instances.instance import Instance
    from harpagon.instances.policies import Billing
    from harpagon.solvers.options import SolverOptions

PRECISIONS = (12, 18, 24)
"""Bits for the longest SLO; the next one is tried where a plan fails the check in floating point."""


def solve_cp_sat(
    instance: Instance, billing: Billing, dispatch: Dispatch, options: SolverOptions = DEFAULT_OPTIONS
) -> Result:
    """Solve an instance with `harpagon.formulations.planning.cp_sat`, in whole billing.

    The plan is exact within the units: it is checked in floating point, and the bound undercuts the optimum by at
    most one coin per machine. The units are in the result's options.

    Raises
    ------
    UnsupportedError
        In fractional billing: the rate of a residual is a continuous variable.
    """
    return run_model_method("cp-sat", _search, describe, instance, billing, dispatch, options)


def describe(options: SolverOptions, **extra: object) -> SolverInfo:
    """What ran."""
    chosen = {"num_workers": options.threads, "random_seed": options.seed, "relative_gap_limit": options.gap}
    return SolverInfo("CP-SAT", version("ortools"), {**chosen, "time_limit": options.time_limit, **extra})


def _search(task: Task) -> Result:
    build_time = solve_time = 0.0
    bound = task.floor
    for precision in PRECISIONS:
        begin = time.perf_counter()
        data = PlanningData.compile(task.instance, task.problems, task.billing, task.dispatch, task.budget)
        steps = units(data, precision)
        built = build_cp_sat(data, steps)
        _hint(built, data, task)
        solver = new_solver(task)
        built_at = time.perf_counter()
        solver.best_bound_callback = lambda coins, coin=steps.coin: task.report(max(task.floor, coins * coin))
        status, interrupted = run_solver(solver, built)
        build_time += built_at - begin
        solve_time += time.perf_counter() - built_at
        details = {"tick_s": steps.tick, "flow_rps": steps.flow, "coin": steps.coin, "precision": precision}
        if status == "INFEASIBLE":
            termination = task.stopped(task.budget) if task.incumbent.plan else Termination.INFEASIBLE
            return task.held(termination, task.budget, build_time, solve_time, interrupted, **details)
        accepted = False
        if status in ("OPTIMAL", "FEASIBLE"):
            bound = max(bound, solver.best_objective_bound * steps.coin)
            accepted = task.incumbent.offer(task.incumbent.assemble(read_schedules(built, data, solver))) is None
        if status != "OPTIMAL" or accepted:
            break
    termination = task.stopped(bound)
    if accepted and status == "OPTIMAL" and task.incumbent.cost - bound <= steps.coin * _machines(task):
        termination = Termination.OPTIMAL
    return task.held(termination, bound, build_time, solve_time, interrupted, **details)


def _machines(task: Task) -> float:
    plan = task.incumbent.plan
    if plan is None:
        return 0.0
    return sum(part.machines for p in plan.pipelines for module in p.modules.values() for part in module.tuples)


def new_solver(task: Task) -> CpSolver:
    """Solver with the options of ``task`` and the time that is left to it."""
    from ortools.sat.python import cp_model

    options, solver = task.remaining(), cp_model.CpSolver()
    parameters = solver.parameters
    parameters.num_workers = options.threads
    parameters.random_seed = options.seed
    parameters.relative_gap_limit = options.gap
    parameters.catch_sigint_signal = False
    if options.time_limit is not None:
        parameters.max_time_in_seconds = options.time_limit
    if options.log:
        parameters.log_search_progress = True
        parameters.log_to_stdout = False
        solver.log_callback = lambda line: print(line, file=sys.stderr)
    return solver


def run_solver(solver: CpSolver, built: CpSatModel) -> tuple[str, bool]:
    """Status in CP-SAT's word, and whether Ctrl-C came."""
    status: list[CpSolverStatus] = []
    interrupted = run_interruptibly(lambda: status.append(solver.solve(built.model)), solver.stop_search)
    return solver.status_name(status[0]), interrupted


def _hint(built: CpSatModel, data: PlanningData, task: Task) -> None:
    """Start from the incumbent's machine counts."""
    if task.incumbent.plan is None:
        return
    modules = [module for pipeline in task.incumbent.plan.pipelines for module in pipeline.modules.values()]
    for m, module in enumerate(modules):
        machines = {part.configuration: int(part.machines) for part in module.tuples}
        for c in data.of_module(m):
            built.model.add_hint(built.machines[m, c], machines.get(data.configuration(m, c), 0))


def read_schedules(built: CpSatModel, data: PlanningData, solver: CpSolver) -> list[tuple[DispatchTuple, ...]]:
    """Schedule of every module in a solution."""

    def position(m: int) -> Callable[[int], int]:
        return lambda c: solver.value(built.ranks[m, c]) if has_free_order(data.dispatch) else c

    return [
        tuple(
            DispatchTuple.full(data.configuration(m, c), machines)
            for c in sorted(data.of_module(m), key=position(m))
            if (machines := solver.value(built.machines[m, c])) > 0
        )
        for m in range(len(data.modules))
    ]
