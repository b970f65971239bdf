"""The frame of every method that solves a model: a plan to start from, a budget, time, statuses, interrupts.

A model needs bounds on its machine counts, and these follow from a bound on the cost: the cost of a plan at hand.
Under hardware limits heuristics may find none; then a plan, or the proof that there is none, comes from
`harpagon.solvers.feasibility`. Where limits are too wide for that, the budget starts from them and grows until a plan
is found.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from harpagon.formulations.bounds import cost_floor, hardware_limits
from harpagon.formulations.physics import PROOF_TOLERANCE
from harpagon.formulations.problem import pipeline_problems
from harpagon.solvers.capabilities import UnsupportedError
from harpagon.solvers.enumeration.schedules import OutOfTimeError, Rules
from harpagon.solvers.feasibility import is_short_of_capacity, listed_plan
from harpagon.solvers.models.incumbent import first_incumbent
from harpagon.solvers.options import DEFAULT_OPTIONS
from harpagon.solvers.result import Result, SolveInterrupted, SolverInfo, Termination

if TYPE_CHECKING:
    from harpagon.formulations.problem import ModuleProblem, PipelineProblem
    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan
    from harpagon.instances.policies import Billing, Dispatch
    from harpagon.solvers.models.incumbent import Incumbent
    from harpagon.solvers.options import SolverOptions


_BUDGET_GROWTH = 4.0


@dataclass(frozen=True, slots=True)
class Task:
    """What a search is given.

    Attributes
    ----------
    instance, problems, billing, dispatch, options
        The case; the time limit of the options is counted from the call.
    incumbent
        Best plan so far; a search offers it the plans it finds.
    budget
        Dollars per hour: the search is for plans that cost at most this.
    deadline
        Reading of ``time.perf_counter`` at which the search stops.
    """

    instance: Instance
    problems: tuple[PipelineProblem, ...]
    billing: Billing
    dispatch: Dispatch
    options: SolverOptions
    incumbent: Incumbent
    budget: float
    deadline: float

    @property
    def floor(self) -> float:
        """Dollars per hour that no plan undercuts."""
        return sum(cost_floor(module) for problem in self.problems for module in problem.modules)

    def remaining(self) -> SolverOptions:
        """The options with the time that is left."""
        if math.isinf(self.deadline):
            return self.options
        return replace(self.options, time_limit=max(0.0, self.deadline - time.perf_counter()))

    @property
    def ceiling(self) -> float:
        """Dollars per hour above which no plan is of interest."""
        return self.budget if self.incumbent.plan is None else self.incumbent.cost

    def report(self, bound: float) -> None:
        """Tell whoever watches of the best plan and a valid bound."""
        if self.options.progress is not None:
            self.options.progress(self.incumbent.cost, bound)

    def late(self) -> bool:
        """Whether the deadline has passed."""
        return time.perf_counter() > self.deadline

    def is_proven(self, bound: float) -> bool:
        """Whether ``bound`` proves the incumbent optimal to the gap asked for."""
        cost = self.incumbent.cost
        return cost < math.inf and cost - bound <= max(self.options.gap, PROOF_TOLERANCE) * cost

    def stopped(self, bound: float) -> Termination:
        """Termination of a search that ends with this bound and without a proof that there is no plan."""
        if self.is_proven(bound):
            return Termination.OPTIMAL
        return Termination.LIMIT if self.incumbent.plan is None else Termination.FEASIBLE

    def held(
        self,
        termination: Termination,
        bound: float,
        build_time: float = 0.0,
        solve_time: float = 0.0,
        interrupted: bool = False,
        **details: object,
    ) -> Result:
        """The best plan so far with what a search has proved; ``details`` are told as options of its solver."""
        told = SolverInfo("", options=details)
        return Result("", termination, self.incumbent.plan, bound, build_time, solve_time, told, interrupted)


@dataclass(frozen=True, slots=True)
class Start:
    """First task of a case, and whether it has a plan at all: None where that took too long to say."""

    task: Task
    known: bool | None


Search: TypeAlias = Callable[[Task], Result]
"""What it proves: no plan within the budget costs less than the result's bound."""


def run_model_method(
    method: str,
    search: Search,
    describe: Callable[..., SolverInfo],
    instance: Instance,
    billing: Billing,
    dispatch: Dispatch,
    options: SolverOptions,
    start: Start | None = None,
) -> Result:
    """Run ``search`` within growing budgets; ``describe`` makes the `SolverInfo` from options and details.

    ``start`` is what `settled_start` said of this case, where it was asked before.

    Raises
    ------
    SolveInterrupted
        On Ctrl-C, with the best plan so far.
    """
    begin = time.perf_counter()
    start = start or first_start(instance, billing, dispatch, options)
    prepared = time.perf_counter() - begin
    result = _searched(start, search)
    incumbent = start.task.incumbent
    result = replace(
        result,
        method=method,
        plan=incumbent.plan,
        dual_bound=min(result.dual_bound, incumbent.cost),
        build_time=prepared + result.build_time,
        solver=describe(options, start=incumbent.start, **result.solver.options),
    )
    if result.interrupted:
        raise SolveInterrupted(result)
    return result


def _searched(start: Start, search: Search) -> Result:
    """Result of the search; on Ctrl-C outside of a solver's call, what is held by then."""
    begin, task = time.perf_counter(), start.task
    try:
        return _search_within_budgets(settled_start(start), search)
    except KeyboardInterrupt:
        seconds = time.perf_counter() - begin
        return task.held(task.stopped(task.floor), task.floor, 0.0, seconds, interrupted=True)


def first_start(
    instance: Instance,
    billing: Billing,
    dispatch: Dispatch,
    options: SolverOptions,
    problems: tuple[PipelineProblem, ...] | None = None,
) -> Start:
    """What is known at once: a plan that is quickly made, or that even without hardware limits there is none.

    ``problems`` are the pipelines of the instance where they have been compiled before.
    """
    begin = time.perf_counter()
    deadline = math.inf if options.time_limit is None else begin + options.time_limit
    problems = problems or pipeline_problems(instance)
    incumbent, reachable = first_incumbent(instance, problems, billing, dispatch, options, deadline)
    budget = incumbent.cost if incumbent.plan is not None else _first_budget(instance, problems)
    task = Task(instance, problems, billing, dispatch, options, incumbent, budget, deadline)
    return Start(task, (True if incumbent.plan is not None else None) if reachable else False)


def any_plan(
    instance: Instance, billing: Billing, dispatch: Dispatch, deadline: float = math.inf
) -> tuple[Plan | None, bool | None]:
    """A plan where one is quickly found, and whether there is one at all; None where that took too long."""
    problems = pipeline_problems(instance)
    incumbent, reachable = first_incumbent(instance, problems, billing, dispatch, DEFAULT_OPTIONS, time.perf_counter())
    if not reachable:
        return None, False
    task = Task(instance, problems, billing, dispatch, DEFAULT_OPTIONS, incumbent, math.inf, deadline)
    start = settled_start(Start(task, True if incumbent.plan is not None else None))
    return start.task.incumbent.plan, start.known


def settled_start(start: Start) -> Start:
    """``start`` with a plan, or the proof that there is none, where half of the time that is left is enough for it."""
    if start.known is not None:
        return start
    task, limits = start.task, hardware_limits(start.task.instance)
    deadline = task.deadline if math.isinf(task.deadline) else (task.deadline + time.perf_counter()) / 2
    try:
        if is_short_of_capacity(task.problems, limits, task.dispatch):
            return Start(task, False)
        schedules = listed_plan(Rules(task.problems, limits, task.billing, task.dispatch, deadline))
    except (UnsupportedError, OutOfTimeError):
        return start
    if schedules is None:
        return Start(task, False)
    task.incumbent.offer(task.incumbent.assemble(schedules))
    return Start(task if task.incumbent.plan is None else replace(task, budget=task.incumbent.cost), True)


def _search_within_budgets(start: Start, search: Search) -> Result:
    task, known = start.task, start.known
    build_time = solve_time = 0.0
    if known is False:
        return task.held(Termination.INFEASIBLE, math.inf)
    if known is None and all(_is_limited(task, module) for problem in task.problems for module in problem.modules):
        known = False  # the first budget pays for every machine that there is
    while True:
        within = task.floor <= task.budget
        result = search(task) if within else task.held(Termination.INFEASIBLE, math.inf)
        build_time += result.build_time
        solve_time += result.solve_time
        if result.termination is not Termination.INFEASIBLE:
            break
        if known is False:
            result = replace(result, dual_bound=math.inf)
            break
        if known is None or task.late() or result.interrupted:
            result = replace(result, termination=Termination.LIMIT, dual_bound=task.budget)
            break
        task = replace(task, budget=task.budget * _BUDGET_GROWTH)
    return replace(result, build_time=build_time, solve_time=solve_time)


def _is_limited(task: Task, module: ModuleProblem) -> bool:
    """Whether a module has only types with a limit."""
    return all(task.instance.hardware[c.hardware].limit is not None for c in module.configurations)


def _first_budget(instance: Instance, problems: tuple[PipelineProblem, ...]) -> float:
    """Every limited machine, and twice the rate on the dearest configuration without limit of each module."""
    limits = hardware_limits(instance)
    limited = sum(limit * instance.hardware[name].price for name, limit in limits.items())
    modules = [module for problem in problems for module in problem.modules]
    ratios = [[c.ratio for c in module.configurations if c.hardware not in limits] for module in modules]
    return limited + sum(2 * m.rate / min(r) for m, r in zip(modules, ratios, strict=True) if r)
