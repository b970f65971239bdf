"""The exact method: the cheapest plan with its proof, by decomposition.

Without hardware limits the pipelines of an instance are independent, and `PipelineSearch` solves each in milliseconds.
Where that plan would break a limit, where a pipeline is long or its frontiers take more work than that, or where a
plan to start from is handed in, modules are coordinated by column generation
(`harpagon.solvers.exact.column_generation`), from the best plan and the bound so far.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from harpagon.formulations.assembly import assemble_plan, plan_pipeline
from harpagon.formulations.bounds import hardware_limits
from harpagon.formulations.physics import RATE_TOLERANCE
from harpagon.formulations.problem import pipeline_problems
from harpagon.formulations.residual import has_curves
from harpagon.instances.policies import Billing
from harpagon.solvers.capabilities import has_limits, is_coupled
from harpagon.solvers.exact.covers import Covers
from harpagon.solvers.exact.effort import Effort
from harpagon.solvers.exact.info import decomposition_info
from harpagon.solvers.exact.pipeline import LONG, MANY, PipelineSearch, proof_tolerance
from harpagon.solvers.exact.pricing import LIST_PRICES
from harpagon.solvers.options import DEFAULT_OPTIONS
from harpagon.solvers.result import Result, SolveInterrupted, Termination

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.formulations.problem import PipelineProblem
    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan
    from harpagon.instances.policies import Dispatch
    from harpagon.solvers.exact.pipeline import PipelineChoice
    from harpagon.solvers.models.model_method import Start
    from harpagon.solvers.options import SolverOptions

QUICK = 20_000
"""Labels that the frontiers of a small pipeline, or of all that limits couple, may take before column generation."""
QUICK_OVER_CURVES = 200_000
"""The same for a pipeline in fractional billing that no limit couples: generation over structures is far slower."""
_WHOLE_SHARE, _WHOLE_GAP = 1 / 4, 1e-2
"""What of the time that is left a plan of whole billing to start from may take, and its gap."""


def solve_exact(
    instance: Instance, billing: Billing, dispatch: Dispatch, options: SolverOptions = DEFAULT_OPTIONS
) -> Result:
    """Solve an instance to proven optimality.

    Parameters
    ----------
    instance
        Any pipelines, with or without hardware limits.
    billing, dispatch
        Rules of the plan.
    options
        Time limit, gap, start; threads, seed and log where HiGHS is needed.

    Returns
    -------
    Result
        Optimal to the gap asked for; infeasible; or, at the time limit, the best plan with a valid bound.

    Raises
    ------
    SolveInterrupted
        On Ctrl-C, with the best plan so far.
    """
    begin = time.perf_counter()
    held = None
    start = _start_within_limits(instance, billing, dispatch, options) if has_limits(instance) else None
    if start is not None and start.known is False:
        build = time.perf_counter() - begin
        return Result("exact", Termination.INFEASIBLE, None, math.inf, build, 0.0, decomposition_info(options))
    problems = pipeline_problems(instance) if start is None else start.task.problems
    if options.start is None and all(len(problem.modules) <= LONG for problem in problems):
        try:
            held = solve_apart(instance, problems, billing, dispatch, options, begin)
        except SolveInterrupted as interruption:
            at_once = replace(options, time_limit=0.0)
            start = None if start is None else replace(start, task=replace(start.task, deadline=0.0))
            result = _by_columns(instance, problems, billing, dispatch, at_once, interruption.result, start)
            raise SolveInterrupted(result) from None
        proven = held.termination in (Termination.OPTIMAL, Termination.INFEASIBLE)
        if proven and (held.plan is None or _keeps_limits(instance, held.plan)):
            return held
    if options.time_limit is not None:
        options = replace(options, time_limit=max(0.0, options.time_limit - (time.perf_counter() - begin)))
    result = _by_columns(instance, problems, billing, dispatch, options, held, start)
    solved = result.solve_time + (0.0 if held is None else held.solve_time)
    return replace(result, build_time=time.perf_counter() - begin - solved, solve_time=solved)


def _by_columns(
    instance: Instance,
    problems: tuple[PipelineProblem, ...],
    billing: Billing,
    dispatch: Dispatch,
    options: SolverOptions,
    held: Result | None,
    start: Start | None,
) -> Result:
    # Only here is numpy needed: most instances are solved before.
    from harpagon.solvers.exact.column_generation import solve_by_columns
    from harpagon.solvers.models.model_method import first_start

    start, interrupted = start or first_start(instance, billing, dispatch, options, problems), False
    if has_curves(billing, dispatch) and options.start is None and not start.task.late():
        start, interrupted = _with_whole_plan(start)
    result = solve_by_columns(instance, billing, dispatch, options, held, start)
    if interrupted:
        raise SolveInterrupted(result)
    return result


def _with_whole_plan(start: Start) -> tuple[Start, bool]:
    """``start`` with a plan near the optimum of whole billing: a plan here too, and found sooner; whether on Ctrl-C."""
    task, interrupted = start.task, False
    options = replace(task.remaining(), gap=max(task.options.gap, _WHOLE_GAP), progress=None)
    if options.time_limit is not None:
        options = replace(options, time_limit=options.time_limit * _WHOLE_SHARE)
    try:
        whole = solve_exact(task.instance, Billing.WHOLE, task.dispatch, options).plan
    except SolveInterrupted as interruption:
        whole, task, interrupted = interruption.result.plan, replace(task, deadline=0.0), True
    except KeyboardInterrupt:  # before it had a plan
        whole, task, interrupted = None, replace(task, deadline=0.0), True
    if whole is not None:
        task.incumbent.propose([module.tuples for pipeline in whole.pipelines for module in pipeline.modules.values()])
    known = start.known if task.incumbent.plan is None else True
    task = replace(task, budget=min(task.budget, task.incumbent.cost))
    return replace(start, task=task, known=known), interrupted


def _start_within_limits(instance: Instance, billing: Billing, dispatch: Dispatch, options: SolverOptions) -> Start:
    """A plan within the hardware limits, or the proof that there is none, where either is quickly found."""
    from harpagon.solvers.models.model_method import first_start, settled_start

    return settled_start(first_start(instance, billing, dispatch, options))


def solve_apart(
    instance: Instance,
    problems: Sequence[PipelineProblem],
    billing: Billing,
    dispatch: Dispatch,
    options: SolverOptions,
    begin: float | None = None,
) -> Result:
    """Each pipeline on its own, what couples them left aside, as far as labels go: `QUICK` of all, or more of each.

    ``begin`` is the reading of ``time.perf_counter`` from which the time limit counts; None for now.
    """
    begin = time.perf_counter() if begin is None else begin
    built = time.perf_counter()
    deadline = math.inf if options.time_limit is None else begin + options.time_limit
    if is_coupled(instance):
        efforts = [Effort(deadline, QUICK)] * len(problems)
    else:
        most = QUICK_OVER_CURVES if has_curves(billing, dispatch) else QUICK
        efforts = [Effort(deadline, most) for _ in problems]
    covers = Covers(LIST_PRICES)
    searches = [
        PipelineSearch(problem, billing, dispatch, options, effort, covers, MANY)
        for problem, effort in zip(problems, efforts, strict=True)
    ]
    interrupted = False
    try:
        for search in searches:
            search.run()
    except KeyboardInterrupt:
        interrupted = True
    plan = _assemble(instance, problems, [search.held.plan for search in searches], billing, dispatch)
    bound = sum(search.held.dual_bound for search in searches)
    if math.isinf(bound):
        termination = Termination.INFEASIBLE
    elif plan is None:
        termination = Termination.LIMIT
    elif plan.cost - bound <= max(options.gap, proof_tolerance(billing, dispatch)) * plan.cost:
        termination = Termination.OPTIMAL
    else:
        termination = Termination.FEASIBLE
    solve_time = time.perf_counter() - built
    result = Result("exact", termination, plan, bound, built - begin, solve_time, decomposition_info(options))
    if interrupted:
        raise SolveInterrupted(result)
    return result


def _assemble(
    instance: Instance,
    problems: Sequence[PipelineProblem],
    choices: Sequence[PipelineChoice | None],
    billing: Billing,
    dispatch: Dispatch,
) -> Plan | None:
    pipelines = [
        plan_pipeline(problem, [point.schedule for point in choice.points], dispatch)
        for problem, choice in zip(problems, choices, strict=True)
        if choice is not None
    ]
    if len(pipelines) < len(problems):
        return None
    return assemble_plan(instance, billing, dispatch, pipelines)


def _keeps_limits(instance: Instance, plan: Plan) -> bool:
    used = plan.usage()
    limits = hardware_limits(instance)
    return all(used.get(hardware, 0.0) <= limit * (1 + RATE_TOLERANCE) for hardware, limit in limits.items())
