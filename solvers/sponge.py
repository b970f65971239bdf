"""Sponge's reference models, which tests and studies compare the enumeration with: Pyomo on HiGHS, and CP-SAT."""

from __future__ import annotations

import math
import time
from importlib.metadata import version
from typing import TYPE_CHECKING

from harpagon.formulations.sponge.problem import SpongeDecision
from harpagon.solvers.options import DEFAULT_OPTIONS
from harpagon.solvers.result import Solution, SolverInfo, Termination

if TYPE_CHECKING:
    from harpagon.formulations.sponge.problem import SpongeProblem


def solve_sponge(problem: SpongeProblem) -> Solution[SpongeDecision]:
    """Build the Pyomo model and solve it with HiGHS to a relative gap of 0."""
    from harpagon.formulations.planning.linear_program import linear_program
    from harpagon.formulations.sponge.model import build_sponge
    from harpagon.solvers.models.highs import highs_info, solve_linear_program

    started = time.perf_counter()
    model = build_sponge(problem)
    program = linear_program(model)
    built = time.perf_counter()
    options = DEFAULT_OPTIONS
    solution = solve_linear_program(program, options)
    decision = None
    if solution.plan is not None:
        cores, batch = next(pair for pair in model.pairs if solution.plan[model.x[pair].name] > 0.5)
        decision = SpongeDecision(cores, batch, problem.objective(cores, batch))
    solved = time.perf_counter()
    return _result(decision, solution.termination.value, (built - started, solved - built), highs_info(options))


def solve_sponge_cp_sat(problem: SpongeProblem) -> Solution[SpongeDecision]:
    """Build the CP-SAT model and solve it with one worker."""
    from ortools.sat.python import cp_model

    from harpagon.formulations.sponge.cp_sat import build_sponge_cp_sat

    started = time.perf_counter()
    built_model = build_sponge_cp_sat(problem)
    built = time.perf_counter()
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    status = solver.solve(built_model.model)
    decision = None
    if status == cp_model.OPTIMAL:
        cores, batch = solver.value(built_model.cores), solver.value(built_model.batch)
        decision = SpongeDecision(cores, batch, problem.objective(cores, batch))
    solved = time.perf_counter()
    info = SolverInfo("CP-SAT", version("ortools"), {"num_workers": 1})
    return _result(decision, solver.status_name(status).lower(), (built - started, solved - built), info)


def _result(
    decision: SpongeDecision | None, status: str, times: tuple[float, float], info: SolverInfo
) -> Solution[SpongeDecision]:
    """Outcome of a run without a limit: the optimum or a proof that there is none, anything else is a fault."""
    if decision is None and not status.startswith("infeasible"):
        raise RuntimeError(f"{info.name} stopped with status {status}")
    termination = Termination.INFEASIBLE if decision is None else Termination.OPTIMAL
    bound = math.inf if decision is None else decision.cost
    return Solution("sponge", termination, decision, bound, *times, info)
