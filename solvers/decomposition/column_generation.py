"""The cheapest plan of modules that hardware limits or long pipelines couple: column generation, closed to a proof."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from harpagon.solvers.decomposition.module_generation import ModuleGeneration
from harpagon.solvers.decomposition.pipeline import LONG
from harpagon.solvers.decomposition.pipeline_generation import PipelineGeneration
from harpagon.solvers.exact import decomposition_info
from harpagon.solvers.model_method import Outcome, Task, run_model_method
from harpagon.solvers.result import Termination

if TYPE_CHECKING:
    from harpagon.instances.instance import Instance
    from harpagon.instances.policies import Billing, Dispatch
    from harpagon.solvers.options import SolverOptions
    from harpagon.solvers.result import Result


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
    short = all(len(problem.modules) <= LONG for problem in task.problems)
    search = PipelineGeneration(task) if short else ModuleGeneration(task)
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
