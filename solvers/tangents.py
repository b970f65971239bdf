"""Outer approximation: solve a linear model, add tangents where its solution passes under the latency curve, repeat.

Each model is a relaxation, so its bound holds for the true problem; a solution whose true latencies meet the SLO is
therefore optimal. The rounds end: a tangent at a machine count is exact there, and the counts are finitely many.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from harpagon.formulations.bounds import cost_floor
from harpagon.formulations.linear_program import linear_program
from harpagon.formulations.physics import RATE_TOLERANCE
from harpagon.formulations.planning_data import PlanningData
from harpagon.formulations.problem import pipeline_problems
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.capabilities import require_support
from harpagon.solvers.highs import highs_info, solve_linear_program
from harpagon.solvers.incumbent import first_incumbent
from harpagon.solvers.result import Result, Termination

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyomo.environ import ConcreteModel

    from harpagon.instances.instance import Instance
    from harpagon.solvers.highs import LinearSolution
    from harpagon.solvers.incumbent import Incumbent
    from harpagon.solvers.options import SolverOptions

PROOF_TOLERANCE = 1e-7
"""Relative difference of plan and bound that row violations within the solver's tolerance can leave."""

Build: TypeAlias = "Callable[[PlanningData], ConcreteModel]"
Schedule: TypeAlias = tuple[DispatchTuple, ...]


@dataclass(slots=True)
class OuterApproximation:
    """Rounds of one linear model.

    Attributes
    ----------
    build
        From data with tangents to a Pyomo model.
    data
        With the tangents of the last round.
    incumbent
        Best plan so far.
    bound
        Largest dual bound proven, dollars per hour.
    rounds, build_time, solve_time
        What it took, seconds.
    interrupted
        Whether the user stopped it.
    """

    build: Build
    data: PlanningData
    incumbent: Incumbent
    bound: float
    rounds: int = 0
    build_time: float = 0.0
    solve_time: float = 0.0
    interrupted: bool = field(default=False)

    def run(self, options: SolverOptions) -> Termination:
        """Rounds until a proof, a limit, or no new tangent."""
        deadline = math.inf if options.time_limit is None else time.perf_counter() + options.time_limit
        while not self._is_proven(options.gap):
            solution = self._round(options, deadline)
            if solution.termination is Termination.INFEASIBLE and self.incumbent.plan is None:
                return Termination.INFEASIBLE
            refined = solution.values is not None and self._refine(solution.values)
            if not self._is_proven(options.gap) and not (refined and solution.termination is Termination.OPTIMAL):
                return Termination.LIMIT if self.incumbent.plan is None else Termination.FEASIBLE
        return Termination.OPTIMAL

    def _round(self, options: SolverOptions, deadline: float) -> LinearSolution:
        begin = time.perf_counter()
        program = linear_program(self.build(self.data))
        built = time.perf_counter()
        left = None if math.isinf(deadline) else deadline - built
        solution = solve_linear_program(program, replace(options, time_limit=left))
        self.rounds += 1
        self.build_time += built - begin
        self.solve_time += time.perf_counter() - built
        self.bound = max(self.bound, solution.bound)
        self.interrupted = solution.interrupted
        return solution

    def _refine(self, values: Mapping[str, float]) -> bool:
        """Offer the solution as a plan; where its latencies fail, add tangents; returns whether there is a new one."""
        schedules = [_schedule(self.data, m, values) for m in range(len(self.data.modules))]
        if self.incumbent.offer(self.incumbent.assemble(schedules)) is None:
            return False
        before = self.data.tangents
        full: list[tuple[int, int, float]] = []
        residual: list[tuple[int, int, float]] = []
        for m, schedule in enumerate(schedules):
            numbers = {c: i for i, c in enumerate(self.data.bounds[m].configurations)}
            for position, part in enumerate(schedule):
                points = residual if part.is_residual else full
                rate = _collected(self.data, schedule, position)
                points.append((m, numbers[part.configuration], rate))
        if self.data.dispatch is Dispatch.ROUND_ROBIN:
            full = []
        self.data = replace(self.data, tangents=before.with_points(full, residual))
        return self.data.tangents != before

    def _is_proven(self, gap: float) -> bool:
        return self.incumbent.cost - self.bound <= max(gap, PROOF_TOLERANCE) * self.incumbent.cost < math.inf


def solve_by_tangents(
    method: str, build: Build, instance: Instance, billing: Billing, dispatch: Dispatch, options: SolverOptions
) -> Result:
    """Solve an instance with the linear model that ``build`` makes.

    Raises
    ------
    UnsupportedError
        Where the method does not support the case.
    """
    require_support(method, instance, billing, dispatch)
    begin = time.perf_counter()
    problems = pipeline_problems(instance)
    incumbent = first_incumbent(instance, problems, billing, dispatch, options)
    prepared = time.perf_counter() - begin
    if incumbent is None:
        return Result(method, Termination.INFEASIBLE, None, math.inf, prepared, 0.0, highs_info(options))
    data = PlanningData.compile(instance, problems, billing, dispatch, incumbent.cost)
    floor = sum(cost_floor(module) for module in data.modules)
    rounds = OuterApproximation(build, data, incumbent, floor)
    termination = rounds.run(options)
    bound = math.inf if termination is Termination.INFEASIBLE else min(rounds.bound, incumbent.cost)
    info = highs_info(options, rounds=rounds.rounds, start=incumbent.start)
    return Result(method, termination, incumbent.plan, bound, prepared + rounds.build_time, rounds.solve_time, info)


def _schedule(data: PlanningData, m: int, values: Mapping[str, float]) -> Schedule:
    """Schedule of module ``m`` in a solution: whole machine counts, the residual takes what is left of the rate."""
    full = tuple(
        DispatchTuple.full(data.configuration(m, c), round(values[f"machines[{m},{c}]"]))
        for c in data.of_module(m)
        if round(values[f"machines[{m},{c}]"]) > 0
    )
    missing = data.modules[m].rate - sum(part.rate for part in full)
    if data.billing is Billing.WHOLE or missing <= data.modules[m].rate * RATE_TOLERANCE:
        return full
    chosen = max(data.of_module(m), key=lambda c: values[f"residual_rate[{m},{c}]"])
    return (*full, DispatchTuple.residual(data.configuration(m, chosen), missing))


def _collected(data: PlanningData, schedule: Schedule, position: int) -> float:
    """Rate from which the tuple at ``position`` collects its batches."""
    part = schedule[position]
    if part.is_residual or data.dispatch is Dispatch.PER_CONFIG:
        return part.rate
    return sum(other.rate for other in schedule[position:])
