"""HiGHS on arrays: one place for its options, its statuses and its interrupts."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeVar

import numpy as np

from harpagon.solvers.models.interruptible import run_interruptibly
from harpagon.solvers.result import Solution, SolverInfo, Termination

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import highspy
    from numpy.typing import NDArray

    from harpagon.formulations.planning.linear_program import LinearProgram
    from harpagon.solvers.options import SolverOptions

T = TypeVar("T")
Values: TypeAlias = "Mapping[str, float]"
"""Column name to value."""

NAME = "HiGHS"
FEASIBILITY_TOLERANCE = 1e-9
"""Row and bound violation that HiGHS may leave, in the units of the program that it is given."""
INTEGRALITY_TOLERANCE = 1e-8
"""Of machine counts. With 1e-9 HiGHS 1.16 claims $1788 in big-M form for three equal modules, where $1786 is right."""
SMALLEST_COEFFICIENT = 1e-12
"""Coefficients below it are dropped, the least that HiGHS allows; its own 1e-9 drops slopes of tangents."""


def solve_linear_program(
    program: LinearProgram,
    options: SolverOptions,
    start: Mapping[str, float] | None = None,
    on_bound: Callable[[float], None] | None = None,
    most_nodes: int | None = None,
) -> Solution[Values]:
    """Minimise ``program``; the solver's options tell the ``nodes`` of the branch and bound tree.

    Parameters
    ----------
    program
        A mixed-integer linear program.
    options
        Time limit, gap, threads, seed and log.
    start
        Values of some or all columns to start from.
    on_bound
        Called with the lower bound reached: at every better solution, and now and then.
    most_nodes
        Nodes of the tree after which the best solution so far is taken, the same on every machine.
    """
    if options.time_limit is not None and options.time_limit <= 0:
        return Solution(NAME, Termination.LIMIT, None, -math.inf, solver=SolverInfo(NAME, options={"nodes": 0}))
    highs = new_solver(options)
    if most_nodes is not None:
        highs.setOptionValue("mip_max_nodes", most_nodes)
    _pass(highs, program)
    if start is not None:
        _pass_start(highs, program, start)
    if on_bound is not None:
        for told in (highs.cbMipLogging, highs.cbMipImprovingSolution):
            told.subscribe(lambda event: on_bound(event.data_out.mip_dual_bound))
    interrupted = _run(highs)
    info = SolverInfo(NAME, options={"nodes": max(0, highs.getInfo().mip_node_count)})
    return replace(_solution(highs, program), interrupted=interrupted, solver=info)


class Relaxation(NamedTuple):
    """Optimum of a linear relaxation, the dual value of every row and the value of every column by name."""

    value: float
    duals: Mapping[str, float]
    values: Mapping[str, float]


def solve_relaxation(program: LinearProgram, options: SolverOptions) -> Relaxation | None:
    """Optimum of the linear relaxation; None where it was not reached.

    Upper bounds of integer columns are dropped, so that the duals of the rows price every column: rows must imply them.
    """
    import highspy

    highs = new_solver(options)
    upper = np.where(program.integer, math.inf, program.column_upper)
    _pass(highs, replace(program, column_upper=upper, integer=np.zeros(program.columns, dtype=np.bool_)))
    run_again(highs, highs.run)
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    solution = highs.getSolution()
    return Relaxation(
        highs.getInfo().objective_function_value,
        dict(zip(program.row_names, solution.row_dual, strict=True)),
        dict(zip(program.column_names, solution.col_value, strict=True)),
    )


def relaxation_bound(program: LinearProgram, options: SolverOptions) -> float:
    """Optimum of the linear relaxation: every column may take fractions."""
    relaxed = replace(program, integer=np.zeros(program.columns, dtype=np.bool_))
    return solve_linear_program(relaxed, options).dual_bound


def highs_options(options: SolverOptions) -> dict[str, bool | float | int]:
    """Options of HiGHS for ours; gaps of exactly ``options.gap``, because HiGHS calls 1e-4 optimal otherwise."""
    chosen: dict[str, bool | float | int] = {
        "output_flag": options.log,
        "threads": options.threads,
        "random_seed": options.seed,
        "mip_rel_gap": options.gap,
        "mip_abs_gap": 0.0,
        "mip_feasibility_tolerance": INTEGRALITY_TOLERANCE,
        "primal_feasibility_tolerance": FEASIBILITY_TOLERANCE,
        "dual_feasibility_tolerance": FEASIBILITY_TOLERANCE,
        "small_matrix_value": SMALLEST_COEFFICIENT,
    }
    if options.time_limit is not None:
        chosen["time_limit"] = options.time_limit
    return chosen


def highs_info(options: SolverOptions, **extra: object) -> SolverInfo:
    """What ran."""
    from importlib.metadata import version

    return SolverInfo(NAME, version("highspy"), {**highs_options(options), **extra})


def new_solver(options: SolverOptions) -> highspy.Highs:
    """A solver with our options, made in silence; it runs whatever threads another user of HiGHS has left behind."""
    import highspy

    _print_licence_unseen()
    highs = highspy.Highs()
    highs.resetGlobalScheduler(False)
    for name, value in highs_options(options).items():
        highs.setOptionValue(name, value)
    return highs


@cache
def _print_licence_unseen() -> None:
    """Make a process's first solver while C++ has no standard output.

    HiGHS 1.16 prints its licence then, before any option can be set, and into what may be a JSON document.
    """
    import highspy

    try:
        kept = os.dup(1)
    except OSError:  # standard output is closed: nothing to keep clean
        return
    try:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
        highspy.Highs()
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _pass(highs: highspy.Highs, program: LinearProgram) -> None:
    import highspy

    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = program.columns, program.rows
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = program.costs, program.column_lower, program.column_upper
    lp.row_lower_, lp.row_upper_ = program.row_lower, program.row_upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_ = program.starts, program.indices
    lp.a_matrix_.value_ = program.values
    if program.integer.any():
        kinds = highspy.HighsVarType
        lp.integrality_ = [kinds.kInteger if whole else kinds.kContinuous for whole in program.integer]
    highs.passModel(lp)


def _pass_start(highs: highspy.Highs, program: LinearProgram, start: Mapping[str, float]) -> None:
    known = [i for i, name in enumerate(program.column_names) if name in start]
    values = np.array([start[program.column_names[i]] for i in known])
    highs.setSolution(len(known), np.array(known, dtype=np.int32), values)


def _run(highs: highspy.Highs) -> bool:
    """Run; returns whether Ctrl-C came. The scheduler is reset so that the next run may use other threads."""
    highs.HandleUserInterrupt = True
    interrupted = run_again(highs, partial(run_interruptibly, highs.run, highs.cancelSolve))
    highs.resetGlobalScheduler(False)
    return interrupted


def run_again(highs: highspy.Highs, run: Callable[[], T]) -> T:
    """Run, and where HiGHS fails, which after a presolve it can by a residual just above its tolerance, another way."""
    import highspy

    failed = (highspy.HighsModelStatus.kSolveError, highspy.HighsModelStatus.kUnknown)
    outcome = run()
    for option, value in (("presolve", "off"), ("solver", "ipm")):
        if highs.getModelStatus() not in failed:
            break
        highs.clearSolver()
        highs.setOptionValue(option, value)
        outcome = run()
    return outcome


def _solution(highs: highspy.Highs, program: LinearProgram) -> Solution[Values]:
    import highspy

    info, status = highs.getInfo(), highs.getModelStatus()
    if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
        return Solution(NAME, Termination.INFEASIBLE, None, math.inf)
    values: NDArray[np.float64] | None = None
    if info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible:
        values = np.array(highs.getSolution().col_value)
    optimal = status == highspy.HighsModelStatus.kOptimal
    bound = info.mip_dual_bound if program.integer.any() else (info.objective_function_value if optimal else -math.inf)
    if values is None:
        return Solution(NAME, Termination.LIMIT, None, bound)
    named = dict(zip(program.column_names, values.tolist(), strict=True))
    return Solution(NAME, Termination.OPTIMAL if optimal else Termination.FEASIBLE, named, bound)
