"""The cheapest plan of modules that hardware limits or long pipelines couple: column generation, closed to a proof."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from harpagon.formulations.bounds import hardware_limits
from harpagon.solvers.exact.info import decomposition_info
from harpagon.solvers.exact.module_generation import ModuleGeneration
from harpagon.solvers.exact.pipeline import LONG
from harpagon.solvers.exact.pipeline_generation import PipelineGeneration
from harpagon.solvers.models.model_method import Outcome, Task, run_model_method
from harpagon.solvers.result import Termination

if TYPE_CHECKING:
    from harpagon.formulations.problem import PipelineProblem
    from harpagon.instances.instance import Instance
    from harpagon.instances.policies import Billing, Dispatch
    from harpagon.solvers.options import SolverOptions
    from harpagon.solvers.result import Result

_LARGE = 200
"""Machines above which the frontiers of a pipeline have hundreds of points."""


def solve_by_columns(instance: Instance, billing: Billing, dispatch: Dispatch, options: SolverOptions) -> Result:
    """Solve an instance of any size, with or without hardware limits.

    Raises
    ------
    SolveInterrupted
        On Ctrl-C during a call of HiGHS.
    """
    return run_model_method("exact", _search, decomposition_info, instance, billing, dispatch, options)


def _search(task: Task) -> Outcome:
    begin = time.perf_counter()
    whole_pipelines = hardware_limits(task.instance) and all(map(_is_small, task.problems))
    search = PipelineGeneration(task) if whole_pipelines else ModuleGeneration(task)
    built = time.perf_counter()
    bound, interrupted = search.run()
    nothing = task.incumbent.plan is None and bound >= task.budget
    return Outcome(
        termination=Termination.INFEASIBLE if nothing else task.stopped(bound),
        bound=bound,
        build_time=built - begin,
        solve_time=time.perf_counter() - built,
        interrupted=interrupted,
        details={"columns": search.pool.size, "rounds": search.rounds},
    )


def _is_small(problem: PipelineProblem) -> bool:
    """Whether the frontiers of a pipeline are short enough to search it as a whole, round after round."""
    machines = sum(module.rate / max(c.throughput for c in module.configurations) for module in problem.modules)
    return len(problem.modules) <= LONG and machines <= _LARGE
