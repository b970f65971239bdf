"""Of the plans of least cost the quickest: a second solve, over latency, behind every exact method.

Quickest is the least sum over pipelines of latency / SLO. Where pipelines share no hardware and are short, the
decomposition finds it; else a model of columns does, from the frontiers of all modules within the cost, and in
fractional billing one of structures. There `exact` looks for it by itself. The second solve counts its work in labels
and nodes, so its plan is the same at any speed; where the work is used up, the method's own plan stays.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from harpagon.formulations.physics import COST_TOLERANCE
from harpagon.formulations.problem import pipeline_problems
from harpagon.formulations.residual import has_curves
from harpagon.instances.policies import Billing
from harpagon.solvers.capabilities import UnsupportedError, is_coupled
from harpagon.solvers.exact.effort import TIE_CHOICES, TIE_LABELS, TIE_NODES, Effort, OutOfEffortError
from harpagon.solvers.exact.pipeline import LONG
from harpagon.solvers.exact.solve import solve_apart
from harpagon.solvers.result import Termination

if TYPE_CHECKING:
    from harpagon.formulations.planning.pattern import PatternData
    from harpagon.formulations.problem import PipelineProblem
    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan
    from harpagon.solvers.models.model_method import Task
    from harpagon.solvers.options import SolverOptions
    from harpagon.solvers.result import Result


def with_quickest_plan(instance: Instance, result: Result, options: SolverOptions) -> Result:
    """``result`` with the quickest plan of its cost, where that is proven to be the least; not in shared billing."""
    plan = result.plan
    if plan is None or plan.billing is Billing.SHARED or result.termination is not Termination.OPTIMAL:
        return result
    begin = time.perf_counter()
    problems = pipeline_problems(instance)
    if result.method == "exact" and _has_quickest(instance, result, plan):
        return result
    if options.time_limit is not None:
        left = options.time_limit - result.build_time - result.solve_time
        options = replace(options, time_limit=max(0.0, left))
    options = replace(options, start=None, progress=None)
    quicker = None
    if not is_coupled(instance) and all(len(problem.modules) <= LONG for problem in problems):
        apart = solve_apart(instance, problems, plan.billing, plan.dispatch, options)
        quicker = apart.plan if apart.termination is Termination.OPTIMAL else None
    if quicker is None:
        quicker = _chosen_again(instance, plan, problems, options)
    if quicker is None or quicker.cost > plan.cost * (1 + COST_TOLERANCE):
        return result
    return replace(result, plan=quicker, solve_time=result.solve_time + time.perf_counter() - begin)


def _has_quickest(instance: Instance, result: Result, plan: Plan) -> bool:
    """Whether `exact` has looked for it: in whole billing where it needed no columns, in fractional billing always."""
    return has_curves(plan.billing, plan.dispatch) or "columns" not in result.solver.options


def _chosen_again(
    instance: Instance, plan: Plan, problems: tuple[PipelineProblem, ...], options: SolverOptions
) -> Plan | None:
    # Only here are numpy and a general solver needed: most plans are short and share nothing.
    from harpagon.solvers.exact.quickest_structures import QuickestStructures
    from harpagon.solvers.models.incumbent import Incumbent
    from harpagon.solvers.models.model_method import Task

    incumbent = Incumbent(instance, problems, plan.billing, plan.dispatch, plan)
    deadline = math.inf if options.time_limit is None else time.perf_counter() + options.time_limit
    most = plan.cost * (1 + COST_TOLERANCE)
    task = Task(instance, problems, plan.billing, plan.dispatch, options, incumbent, most, deadline)
    effort = Effort(deadline, TIE_LABELS)
    if has_curves(plan.billing, plan.dispatch):
        QuickestStructures(task, effort).run()
    else:
        _choose_columns(task, effort)
    return incumbent.plan


def _choose_columns(task: Task, effort: Effort) -> None:
    from harpagon.solvers.enumeration.schedules import OutOfTimeError
    from harpagon.solvers.models.pattern import pattern_data

    try:
        data = pattern_data(task, effort)
    except (OutOfTimeError, OutOfEffortError, UnsupportedError):
        return
    if data is not None:
        _choose(task, data)


def _choose(task: Task, data: PatternData) -> None:
    """Offer the quickest choice; one that misses an SLO or the cost by rounding is cut off."""
    from harpagon.formulations.planning.pattern import quickest_program
    from harpagon.solvers.models.choices import picked
    from harpagon.solvers.models.highs import solve_linear_program

    pipelines = [q for q, problem in enumerate(task.problems) for _ in problem.modules]
    for _ in range(TIE_CHOICES):
        program = quickest_program(data, pipelines, task.budget)
        solution = solve_linear_program(program, task.remaining(), most_nodes=TIE_NODES)
        if solution.plan is None:
            return
        choice = picked(data.columns, solution.plan)
        plan = task.incumbent.assemble([data.columns[m][k].schedule for m, k in enumerate(choice)])
        if plan.cost <= task.budget and task.incumbent.offer_quicker(plan) is None:
            return
        data = replace(data, excluded=(*data.excluded, choice))
