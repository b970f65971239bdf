"""Of the plans of least cost the quickest: a second solve, over latency, behind every exact method in whole billing.

Quickest is the least sum over pipelines of latency / SLO. Where pipelines share no hardware and are short, the
decomposition finds it; else a model of columns does, from the frontiers of all modules within the cost. It takes no
longer than the method itself or a fifth of a second; where that is not enough, the method's own plan stays.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from harpagon.formulations.physics import COST_TOLERANCE
from harpagon.formulations.problem import pipeline_problems
from harpagon.instances.policies import Billing
from harpagon.solvers.capabilities import UnsupportedError, is_coupled
from harpagon.solvers.exact.pipeline import LONG
from harpagon.solvers.exact.solve import solve_exact
from harpagon.solvers.result import Termination

if TYPE_CHECKING:
    from harpagon.formulations.planning.pattern import PatternData
    from harpagon.formulations.problem import PipelineProblem
    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan
    from harpagon.solvers.models.incumbent import Incumbent
    from harpagon.solvers.models.model_method import Task
    from harpagon.solvers.options import SolverOptions
    from harpagon.solvers.result import Result

_LEAST = 0.2
"""Seconds that the second solve may take at least."""


def with_quickest_plan(instance: Instance, result: Result, options: SolverOptions) -> Result:
    """``result`` with the quickest plan of its cost, where that is proven to be the least, in whole billing."""
    plan = result.plan
    if plan is None or plan.billing is not Billing.WHOLE or result.termination is not Termination.OPTIMAL:
        return result
    begin = time.perf_counter()
    problems = pipeline_problems(instance)
    limit = max(_LEAST, result.build_time + result.solve_time)
    if options.time_limit is not None:
        limit = min(limit, options.time_limit - result.build_time - result.solve_time)
    options = replace(options, start=None, progress=None, time_limit=max(0.0, limit))
    if is_coupled(instance) or any(len(problem.modules) > LONG for problem in problems):
        quicker = _by_columns(instance, plan, problems, options)
    elif result.method == "exact":
        return result
    else:
        quicker = solve_exact(instance, plan.billing, plan.dispatch, options).plan
    if quicker is None or quicker.cost > plan.cost * (1 + COST_TOLERANCE):
        return result
    return replace(result, plan=quicker, solve_time=result.solve_time + time.perf_counter() - begin)


def _by_columns(
    instance: Instance, plan: Plan, problems: tuple[PipelineProblem, ...], options: SolverOptions
) -> Plan | None:
    # Only here are numpy and a general solver needed: most plans are short and share nothing.
    from harpagon.solvers.enumeration.schedules import OutOfTimeError
    from harpagon.solvers.exact.effort import OutOfEffortError
    from harpagon.solvers.models.incumbent import Incumbent
    from harpagon.solvers.models.model_method import Task
    from harpagon.solvers.models.pattern import pattern_data

    incumbent = Incumbent(instance, problems, plan.billing, plan.dispatch, plan)
    deadline = math.inf if options.time_limit is None else time.perf_counter() + options.time_limit
    most = plan.cost * (1 + COST_TOLERANCE)
    task = Task(instance, problems, plan.billing, plan.dispatch, options, incumbent, most, deadline)
    try:
        data = pattern_data(task)
    except (OutOfTimeError, OutOfEffortError, UnsupportedError):
        return None
    if data is not None:
        _choose(task, data, incumbent)
    return incumbent.plan


def _choose(task: Task, data: PatternData, incumbent: Incumbent) -> None:
    """Offer the quickest choice; one that misses an SLO or the cost by rounding is cut off."""
    from harpagon.formulations.planning.pattern import quickest_program
    from harpagon.solvers.models.choices import picked
    from harpagon.solvers.models.highs import solve_linear_program

    pipelines = [q for q, problem in enumerate(task.problems) for _ in problem.modules]
    while True:
        solution = solve_linear_program(quickest_program(data, pipelines, task.budget), task.remaining())
        if solution.plan is None:
            return
        choice = picked(data.columns, solution.plan)
        plan = incumbent.assemble([data.columns[m][k].schedule for m, k in enumerate(choice)])
        if plan.cost <= task.budget and incumbent.offer_quicker(plan) is None:
            return
        data = replace(data, excluded=(*data.excluded, choice))
