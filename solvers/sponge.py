"""Run Sponge's models: Pyomo on HiGHS, and CP-SAT."""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from harpagon.formulations.sponge_problem import SpongeDecision
from harpagon.solvers.result import SolverInfo, Termination

if TYPE_CHECKING:
    from harpagon.formulations.sponge_problem import SpongeProblem


@dataclass(frozen=True, slots=True)
class SpongeResult:
    """Outcome of one model on one decision.

    Attributes
    ----------
    termination
        Optimal or infeasible: the models are small enough to run without a limit.
    decision
        The optimum, or None where it is proven that there is none.
    build_time, solve_time
        Seconds, apart.
    solver
        What ran.
    """

    termination: Termination
    decision: SpongeDecision | None
    build_time: float
    solve_time: float
    solver: SolverInfo


def solve_sponge(problem: SpongeProblem) -> SpongeResult:
    """Build the Pyomo model and solve it with HiGHS to a relative gap of 0."""
    from pyomo.contrib.appsi.solvers import Highs

    from harpagon.formulations.sponge import build_sponge

    started = time.perf_counter()
    model = build_sponge(problem)
    built = time.perf_counter()
    solver = Highs()
    solver.config.load_solution = False
    options = {"mip_rel_gap": 0.0, "mip_feasibility_tolerance": 1e-9, "primal_feasibility_tolerance": 1e-9}
    solver.highs_options = options
    outcome = solver.solve(model)
    decision = None
    if outcome.best_feasible_objective is not None:
        outcome.solution_loader.load_vars()
        cores, batch = next(pair for pair in model.pairs if model.x[pair].value > 0.5)
        decision = SpongeDecision(cores, batch, problem.objective(cores, batch))
    solved = time.perf_counter()
    info = SolverInfo("HiGHS", version("highspy"), options)
    return _result(decision, outcome.termination_condition.name, (built - started, solved - built), info)


def solve_sponge_cp_sat(problem: SpongeProblem) -> SpongeResult:
    """Build the CP-SAT model and solve it with one worker."""
    from ortools.sat.python import cp_model

    from harpagon.formulations.sponge_cp_sat import build_sponge_cp_sat

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


def _result(decision: SpongeDecision | None, status: str, times: tuple[float, float], info: SolverInfo) -> SpongeResult:
    """Result of a run without a limit: the optimum or a proof that there is none, anything else is a fault."""
    if decision is None and not status.startswith("infeasible"):
        raise RuntimeError(f"{info.name} stopped with status {status}")
    termination = Termination.INFEASIBLE if decision is None else Termination.OPTIMAL
    return SpongeResult(termination, decision, *times, info)
