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
from harpagon.formulations.physics import COST_TOLERANCE, RATE_TOLERANCE
from harpagon.formulations.problem import pipeline_problems
from harpagon.solvers.capabilities import has_limits
from harpagon.solvers.exact.effort import Effort
from harpagon.solvers.exact.info import decomposition_info
from harpagon.solvers.exact.pipeline import LONG, MANY, PipelineSearch
from harpagon.solvers.options import DEFAULT_OPTIONS
from harpagon.solvers.result import Result, SolveInterrupted, Termination

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.formulations.problem import PipelineProblem
    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan
    from harpagon.instances.policies import Billing, Dispatch
    from harpagon.solvers.exact.pipeline import PipelineOutcome
    from harpagon.solvers.options import SolverOptions

QUICK = 20_000
"""Labels that the frontiers of small pipelines may take before column generation takes over."""


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
    deadline = math.inf if options.time_limit is None else begin + options.time_limit
    held = None
    if has_limits(instance) and _limits_leave_none(instance, billing, dispatch, deadline):
        build = time.perf_counter() - begin
        return Result("exact", Termination.INFEASIBLE, None, math.inf, build, 0.0, decomposition_info(options))
    problems = pipeline_problems(instance)
    if options.start is None and all(len(problem.modules) <= LONG for problem in problems):
        try:
            held = _solve_apart(instance, problems, billing, dispatch, options, begin)
        except SolveInterrupted as interruption:
            at_once = replace(options, time_limit=0.0)
            raise SolveInterrupted(_by_columns(instance, billing, dispatch, at_once, interruption.result)) from None
        proven = held.termination in (Termination.OPTIMAL, Termination.INFEASIBLE)
        if proven and (held.plan is None or _keeps_limits(instance, held.plan)):
            return held
    if options.time_limit is not None:
        options = replace(options, time_limit=max(0.0, options.time_limit - (time.perf_counter() - begin)))
    return _by_columns(instance, billing, dispatch, options, held)


def _by_columns(
    instance: Instance, billing: Billing, dispatch: Dispatch, options: SolverOptions, held: Result | None
) -> Result:
    # Only here is numpy needed: most instances are solved before.
    from harpagon.solvers.exact.column_generation import solve_by_columns

    return solve_by_columns(instance, billing, dispatch, options, held)


def _limits_leave_none(instance: Instance, billing: Billing, dispatch: Dispatch, deadline: float) -> bool:
    """Whether it is quickly proven that the hardware limits leave no plan."""
    from harpagon.solvers.models.model_method import any_plan

    return any_plan(instance, billing, dispatch, deadline)[1] is False


def _solve_apart(
    instance: Instance,
    problems: Sequence[PipelineProblem],
    billing: Billing,
    dispatch: Dispatch,
    options: SolverOptions,
    begin: float,
) -> Result:
    """Each pipeline on its own, hardware limits left aside, as far as `QUICK` labels go."""
    built = time.perf_counter()
    effort = Effort(math.inf if options.time_limit is None else begin + options.time_limit, QUICK)
    searches = [PipelineSearch(problem, billing, dispatch, options, effort, most_points=MANY) for problem in problems]
    interrupted = False
    try:
        for search in searches:
            search.run()
    except KeyboardInterrupt:
        interrupted = True
    outcomes = [search.held for search in searches]
    plan = _assemble(instance, problems, outcomes, billing, dispatch)
    bound = sum(outcome.bound for outcome in outcomes)
    if math.isinf(bound):
        termination = Termination.INFEASIBLE
    elif plan is None:
        termination = Termination.LIMIT
    elif plan.cost - bound <= max(options.gap, COST_TOLERANCE) * plan.cost:
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
    outcomes: Sequence[PipelineOutcome],
    billing: Billing,
    dispatch: Dispatch,
) -> Plan | None:
    if not all(outcome.points for outcome in outcomes):
        return None
    pipelines = [
        plan_pipeline(problem, [point.schedule for point in outcome.points], dispatch)
        for problem, outcome in zip(problems, outcomes, strict=True)
    ]
    return assemble_plan(instance, billing, dispatch, pipelines)


def _keeps_limits(instance: Instance, plan: Plan) -> bool:
    used = plan.usage()
    limits = hardware_limits(instance)
    return all(used.get(hardware, 0.0) <= limit * (1 + RATE_TOLERANCE) for hardware, limit in limits.items())
