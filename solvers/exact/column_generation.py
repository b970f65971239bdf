"""The cheapest plan of modules that hardware limits or long pipelines couple: column generation, closed to a proof."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from harpagon.formulations.bounds import least_machines
from harpagon.formulations.residual import has_curves
from harpagon.solvers.capabilities import is_coupled
from harpagon.solvers.exact.info import decomposition_info
from harpagon.solvers.exact.module_generation import ModuleGeneration
from harpagon.solvers.exact.pipeline import LONG
from harpagon.solvers.exact.pipeline_generation import PipelineGeneration
from harpagon.solvers.exact.quickest_structures import QuickestStructures
from harpagon.solvers.models.model_method import Task, run_model_method
from harpagon.solvers.result import Termination

if TYPE_CHECKING:
    from harpagon.formulations.problem import PipelineProblem
    from harpagon.instances.instance import Instance
    from harpagon.instances.policies import Billing, Dispatch
    from harpagon.solvers.models.model_method import Start
    from harpagon.solvers.options import SolverOptions
    from harpagon.solvers.result import Result

_FEW = 3
"""Pipelines up to which their modules are coordinated at once where schedules are curves, which closes every gap."""
_LARGE = 200
"""Machines above which the frontiers of a pipeline have hundreds of points."""


def solve_by_columns(
    instance: Instance,
    billing: Billing,
    dispatch: Dispatch,
    options: SolverOptions,
    held: Result | None,
    start: Start,
) -> Result:
    """Solve an instance of any size, with or without hardware limits.

    Parameters
    ----------
    instance, billing, dispatch, options
        The case.
    held
        What is known when hardware limits are left aside: its bound holds, its plan may.
    start
        What is known under the limits; its deadline counts.

    Raises
    ------
    SolveInterrupted
        On Ctrl-C, with the best plan so far.
    """
    search = partial(_search, held)
    return run_model_method("exact", search, decomposition_info, instance, billing, dispatch, options, start)


def _search(held: Result | None, task: Task) -> Result:
    if held is None:
        return _generate(task)
    if held.plan is not None and task.incumbent.offer(held.plan) is None:
        task = replace(task, budget=min(task.budget, task.incumbent.cost))
    if task.is_proven(held.dual_bound):
        return task.held(Termination.OPTIMAL, held.dual_bound)
    result = _generate(task)
    bound = max(result.dual_bound, held.dual_bound)
    nothing = result.termination is Termination.INFEASIBLE
    return replace(result, dual_bound=bound, termination=Termination.INFEASIBLE if nothing else task.stopped(bound))


def _generate(task: Task) -> Result:
    """Columns for plans within the budget of ``task``."""
    if task.late():
        return task.held(task.stopped(task.floor), task.floor)
    begin = time.perf_counter()
    by_pipelines = is_coupled(task.instance) and all(map(_is_small, task.problems))
    if not has_curves(task.billing, task.dispatch):
        return generated(task, PipelineGeneration(task) if by_pipelines else ModuleGeneration(task), begin)
    first = None
    if by_pipelines and len(task.problems) > _FEW:
        first = generated(task, PipelineGeneration(task), begin)
        if first.interrupted or first.termination is Termination.OPTIMAL or task.late():
            return first
    result = generated(task, QuickestStructures(task), begin)
    return result if first is None else replace(result, dual_bound=max(first.dual_bound, result.dual_bound))


def generated(task: Task, search: ModuleGeneration | PipelineGeneration | QuickestStructures, begin: float) -> Result:
    """What ``search``, made since ``begin`` by ``time.perf_counter``, proves; on Ctrl-C the best so far."""
    built = time.perf_counter()
    try:
        bound, interrupted = search.run()
    except KeyboardInterrupt:
        bound, interrupted = max(search.bound, task.floor), True
    nothing = task.incumbent.plan is None and bound >= task.budget
    termination = Termination.INFEASIBLE if nothing else task.stopped(bound)
    times = built - begin, time.perf_counter() - built
    return task.held(termination, bound, *times, interrupted, columns=search.size, rounds=search.rounds)


def _is_small(problem: PipelineProblem) -> bool:
    """Whether the frontiers of a pipeline are short enough to search it as a whole, round after round."""
    return len(problem.modules) <= LONG and sum(map(least_machines, problem.modules)) <= _LARGE
