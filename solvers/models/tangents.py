"""Outer approximation: solve a linear model, add tangents where its solution passes under the latency curve, repeat.

Each model is a relaxation, so its bound holds for the true problem; a solution whose true latencies meet the SLO is
therefore optimal. The rounds end: a tangent at a machine count is exact there, and the counts are finitely many; the
rate of a residual is any number, but tangents near the optimum get as exact as the proof asks.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from harpagon.formulations.physics import collects, collects_alone
from harpagon.formulations.planning.data import PlanningData
from harpagon.formulations.planning.linear_program import linear_program
from harpagon.formulations.planning.scaling import scaled
from harpagon.formulations.residual import Structure
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Billing
from harpagon.solvers.models.highs import highs_info, solve_linear_program
from harpagon.solvers.models.model_method import Task, run_model_method
from harpagon.solvers.result import Result, Termination

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyomo.environ import ConcreteModel

    from harpagon.formulations.planning.linear_program import LinearProgram
    from harpagon.instances.instance import Instance
    from harpagon.instances.policies import Dispatch
    from harpagon.solvers.models.highs import Values
    from harpagon.solvers.options import SolverOptions
    from harpagon.solvers.result import Solution

Build: TypeAlias = Callable[[PlanningData], "ConcreteModel"]
Schedule: TypeAlias = tuple[DispatchTuple, ...]
_SHORT = 0.02
"""Seconds of an SLO of which what HiGHS leaves of a row, 1e-9 s, is a share that shows in the proof."""


def solve_by_tangents(
    method: str, build: Build, instance: Instance, billing: Billing, dispatch: Dispatch, options: SolverOptions
) -> Result:
    """Solve an instance with the linear model that ``build`` makes from data with tangents."""
    search = partial(solve_rounds, build)
    return run_model_method(method, search, highs_info, instance, billing, dispatch, options)


def tight_model(build: Build, task: Task) -> ConcreteModel:
    """Model whose tangents hold its optimum up: solved as it is, it has the optimum of the true problem."""
    rounds = _Rounds(build, task)
    rounds.run()
    return build(rounds.data)


def solve_rounds(build: Build, task: Task) -> Result:
    """Solve within the budget of ``task``: ``build`` is called in every round, with the tangents so far."""
    return _Rounds(build, task).run()


@dataclass(slots=True)
class _Rounds:
    """Rounds of one linear model within one budget; ``data`` has the tangents of the last one."""

    build: Build
    task: Task
    data: PlanningData = field(init=False)
    rounds: int = 0
    nodes: int = 0
    build_time: float = 0.0
    solve_time: float = 0.0

    def __post_init__(self) -> None:
        task = self.task
        self.data = PlanningData.compile(task.instance, task.problems, task.billing, task.dispatch, task.budget)

    def run(self) -> Result:
        """Rounds until a proof, a limit, or no new tangent."""
        task = self.task
        bound, solution = task.floor, None
        while not task.is_proven(bound):
            solution = self._round()
            bound = max(bound, solution.dual_bound)
            task.report(bound)
            if solution.termination is Termination.INFEASIBLE and task.incumbent.plan is None:
                return self._result(Termination.INFEASIBLE, bound, solution)
            refined = None if solution.plan is None else self._refine(solution.plan, bound)
            if refined is None or solution.termination is not Termination.OPTIMAL:
                break
            self.data = refined
        return self._result(task.stopped(bound), bound, solution)

    def _result(self, termination: Termination, bound: float, solution: Solution[Values] | None) -> Result:
        interrupted = solution is not None and solution.interrupted
        times = self.build_time, self.solve_time
        return self.task.held(termination, bound, *times, interrupted, rounds=self.rounds, nodes=self.nodes)

    def _round(self) -> Solution[Values]:
        begin = time.perf_counter()
        program = linear_program(self.build(self.data))
        built = time.perf_counter()
        solution = self._solved(program)
        self.rounds += 1
        self.nodes += solution.solver.options["nodes"]
        self.build_time += built - begin
        self.solve_time += time.perf_counter() - built
        return solution

    def _solved(self, program: LinearProgram) -> Solution[Values]:
        """Solution of the program, in units of its own where times are short."""
        options, report = self.task.remaining(), self.task.report
        if min(self.data.slo) > _SHORT:
            return solve_linear_program(program, options, on_bound=report)
        in_units, units = scaled(program)
        solution = solve_linear_program(in_units, options, on_bound=report)
        if solution.plan is None:
            return solution
        values = zip(solution.plan.items(), units.tolist(), strict=True)
        return replace(solution, plan={name: value * unit for (name, value), unit in values})

    def _refine(self, values: Mapping[str, float], bound: float) -> PlanningData | None:
        """Offer the solution as a plan; without a proof add tangents to it; None where there is none to add."""
        data = self.data
        schedules = [_schedule(data, m, values) for m in range(len(data.modules))]
        incumbent = self.task.incumbent
        accepted = incumbent.offer(incumbent.assemble(schedules)) is None
        if accepted and (data.billing is Billing.WHOLE or self.task.is_proven(bound)):
            return None
        full: list[tuple[int, int, float]] = []
        residual: list[tuple[int, int, float]] = []
        for m, schedule in enumerate(schedules):
            numbers = {c: i for i, c in enumerate(data.bounds[m].configurations)}
            for position, part in enumerate(schedule):
                points = residual if part.is_residual else full
                points.append((m, numbers[part.configuration], _collected(data, schedule, position)))
        if not collects(data.dispatch):
            full = []
        tangents = data.tangents.with_points(full, residual)
        return None if tangents == data.tangents else replace(data, tangents=tangents)


def _schedule(data: PlanningData, m: int, values: Mapping[str, float]) -> Schedule:
    """Schedule of module ``m`` in a solution: whole machine counts; a residual as fast as the latency found asks."""
    full = tuple(
        DispatchTuple.full(data.configuration(m, c), round(values[f"machines[{m},{c}]"]))
        for c in data.of_module(m)
        if round(values[f"machines[{m},{c}]"]) > 0
    )
    if data.billing is Billing.WHOLE or all(round(values[f"has_residual[{m},{c}]"]) == 0 for c in data.of_module(m)):
        return full
    chosen = max(data.of_module(m), key=lambda c: values[f"has_residual[{m},{c}]"])
    structure = Structure.of(full, data.configuration(m, chosen), data.modules[m].rate, data.dispatch)
    rate = structure.rate(values[f"latency[{m}]"])
    if math.isinf(rate):
        rate = min(max(structure.least, values[f"residual_rate[{m},{chosen}]"]), structure.most)
    return structure.schedule(rate)


def _collected(data: PlanningData, schedule: Schedule, position: int) -> float:
    """Rate from which the tuple at ``position`` collects its batches."""
    part = schedule[position]
    if part.is_residual or collects_alone(data.dispatch):
        return part.rate
    return sum(other.rate for other in schedule[position:])
