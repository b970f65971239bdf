"""Formulations opened: a model to look at, to add rows to, and to solve to a plan with its bound."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from harpagon.formulations.planning.compact import build_compact
from harpagon.formulations.planning.cuts import add_tangents
from harpagon.formulations.planning.data import PlanningData, Tangents
from harpagon.formulations.planning.disjunctive import build_disjunctive
from harpagon.formulations.planning.linear_program import linear_program
from harpagon.formulations.planning.pattern import build_pattern
from harpagon.instances.errors import InputError
from harpagon.solvers.capabilities import UnsupportedError
from harpagon.solvers.models.choices import picked
from harpagon.solvers.models.highs import highs_info, relaxation_bound, solve_linear_program
from harpagon.solvers.models.incumbent import Incumbent
from harpagon.solvers.models.levels import LevelBuild
from harpagon.solvers.models.model_method import Task, first_start
from harpagon.solvers.models.pattern import pattern_data
from harpagon.solvers.models.tangents import solve_rounds
from harpagon.solvers.options import DEFAULT_OPTIONS, SolverOptions
from harpagon.solvers.result import Result, SolveInterrupted, SolverInfo, Termination

if TYPE_CHECKING:
    from pyomo.environ import ConcreteModel

    from harpagon.formulations.planning.pattern import Column
    from harpagon.instances.instance import Configuration, Instance
    from harpagon.instances.policies import Billing, Dispatch
    from harpagon.solvers.method import Method
    from harpagon.solvers.models.tangents import Build

BUDGET_FACTOR = 4.0
"""Times the cost of the first plan that plans of an opened model may cost: rows added to it make plans dearer."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Size of a model: rows, columns, how many of the columns take whole values, entries that are not zero."""

    rows: int
    columns: int
    integers: int
    nonzeros: int


class OpenModel(ABC):
    """A formulation built for one instance.

    Attributes
    ----------
    model
        The Pyomo model, of ``cp-sat`` the CP-SAT model: look at it, add variables and rows to it. Its objective stays.
    method, instance, billing, dispatch
        What was built.
    budget
        Dollars per hour: no plan that costs more is in the model.
    modules
        (pipeline, module) by number, as the model's components are indexed.
    """

    model: Any

    def __init__(
        self, method: str, instance: Instance, billing: Billing, dispatch: Dispatch, budget: float | None = None
    ) -> None:
        begin = time.perf_counter()
        start = first_start(instance, billing, dispatch, DEFAULT_OPTIONS)
        task = start.task
        if start.known is False:
            raise UnsupportedError(method, "an instance without any plan", ())
        self.method = method
        self.instance = instance
        self.billing = billing
        self.dispatch = dispatch
        self.budget = task.budget * BUDGET_FACTOR if budget is None else budget
        self.modules = tuple((problem.name, module.name) for problem in task.problems for module in problem.modules)
        self._problems = task.problems
        self._data = PlanningData.compile(instance, self._problems, billing, dispatch, self.budget)
        self._build()
        self._build_time = time.perf_counter() - begin

    @property
    def keys(self) -> tuple[tuple[int, int], ...]:
        """(module, configuration) by number, as ``machines`` is indexed."""
        return self._data.keys

    def configuration(self, module: int, number: int) -> Configuration:
        """Configuration ``number`` of module ``module``."""
        return self._data.configuration(module, number)

    @abstractmethod
    def sizes(self) -> Sizes:
        """Size of the model as it stands, added rows included."""

    @abstractmethod
    def relaxation(self) -> float:
        """Optimum of the linear relaxation in dollars per hour, infinity where it has none.

        Raises
        ------
        UnsupportedError
            Of ``cp-sat``, which has none.
        """

    def solve(
        self,
        *,
        time_limit: float | None = None,
        gap: float = 0.0,
        threads: int = 1,
        seed: int = 0,
        log: bool = False,
    ) -> Result:
        """Solve the model as it stands; the plan passes the independent checker.

        Parameters
        ----------
        time_limit, gap, threads, seed, log
            As for `harpagon.solve`.

        Returns
        -------
        Result
            The cheapest plan that keeps the added rows, and a bound on what any costs. Of ``limit`` without a plan
            where none costs at most `budget`: build with a larger one.

        Raises
        ------
        InputError
            Where an added row is not linear, or the objective was changed.
        SolveInterrupted
            On Ctrl-C.
        """
        options = SolverOptions(time_limit, gap, threads, seed, log)
        deadline = math.inf if time_limit is None else time.perf_counter() + time_limit
        incumbent = Incumbent(self.instance, self._problems, self.billing, self.dispatch)
        task = Task(
            self.instance, self._problems, self.billing, self.dispatch, options, incumbent, self.budget, deadline
        )
        return self._result(task, self._search(task))

    @abstractmethod
    def _build(self) -> None:
        """Set `model`."""

    @abstractmethod
    def _search(self, task: Task) -> Result:
        """Solve `model`, offering plans to the incumbent of ``task``."""

    def _info(self, options: SolverOptions, **details: object) -> SolverInfo:
        return highs_info(options, **details)

    def _result(self, task: Task, found: Result) -> Result:
        none = found.termination is Termination.INFEASIBLE
        result = replace(
            found,
            method=self.method,
            termination=Termination.LIMIT if none else found.termination,
            plan=task.incumbent.plan,
            dual_bound=self.budget if none else min(found.dual_bound, task.incumbent.cost),
            build_time=self._build_time + found.build_time,
            solver=self._info(task.options, budget=self.budget, **found.solver.options),
        )
        if result.interrupted:
            raise SolveInterrupted(result)
        return result


class _LinearModel(OpenModel):
    """A Pyomo model that HiGHS solves."""

    model: ConcreteModel

    def sizes(self) -> Sizes:
        program = linear_program(self.model)
        return Sizes(program.rows, program.columns, int(program.integer.sum()), len(program.values))

    def relaxation(self) -> float:
        return relaxation_bound(linear_program(self.model), DEFAULT_OPTIONS)

    def _check_objective(self) -> None:
        from pyomo.environ import Objective

        active = list(self.model.component_data_objects(Objective, active=True))
        if len(active) != 1 or active[0] is not self.model.cost:
            step = "Keep model.cost the one active objective: a plan is judged by what it costs"
            raise InputError("objective", "", "the objective was changed", step)


class TangentModel(_LinearModel):
    """``compact`` and the ``disjunctive`` forms; a solve adds the tangents that its solutions ask for."""

    def __init__(self, build: Build, *case: Any) -> None:
        self._builder = build
        self._rounds = 0
        super().__init__(*case)

    def _build(self) -> None:
        self.model = self._builder(self._data)

    def _search(self, task: Task) -> Result:
        self._check_objective()
        return solve_rounds(self._grown, task)

    def _grown(self, data: PlanningData) -> ConcreteModel:
        """The model with the tangents of ``data`` that it has not yet."""
        known, wanted = self._data.tangents, data.tangents
        full = tuple(point for point in wanted.full if point not in known.full)
        residual = tuple(point for point in wanted.residual if point not in known.residual)
        if full or residual:
            self._rounds += 1
            add_tangents(self.model, data, Tangents(full, residual), self._rounds)
            self._data = data
        return self.model


class PatternModel(_LinearModel):
    """``pattern``: one binary ``pick[m, k]`` per schedule of a module.

    Only schedules that no other beats in cost, latency and use of limited types are columns. Added rows may want
    another one, so beside them the bound is the trivial one.
    """

    def _build(self) -> None:
        start = first_start(self.instance, self.billing, self.dispatch, DEFAULT_OPTIONS)
        data = pattern_data(replace(start.task, budget=self.budget))
        if data is None:
            raise UnsupportedError(self.method, f"an instance without a plan within {self.budget:.6g} $/h", ())
        self._columns = data
        self.model = build_pattern(data)
        self._rows = self.sizes().rows

    def column(self, module: int, number: int) -> Column:
        """Schedule ``number`` of module ``module``."""
        return self._columns.columns[module][number]

    def _search(self, task: Task) -> Result:
        self._check_objective()
        begin = time.perf_counter()
        extended = self.sizes().rows != self._rows
        while True:
            solution = solve_linear_program(linear_program(self.model), task.remaining())
            bound = task.floor if extended else max(task.floor, solution.dual_bound)
            if solution.termination is Termination.INFEASIBLE or solution.plan is None:
                break
            choice = picked(self._columns.columns, solution.plan)
            schedules = [self.column(m, k).schedule for m, k in enumerate(choice)]
            if task.incumbent.offer(task.incumbent.assemble(schedules)) is None:
                break
            self._exclude(choice)
        none = solution.termination is Termination.INFEASIBLE
        stopped = Termination.INFEASIBLE if none else task.stopped(bound)
        return task.held(stopped, bound, 0.0, time.perf_counter() - begin, solution.interrupted)

    def _exclude(self, choice: tuple[int, ...]) -> None:
        """Cut off a choice that meets a row only within the solver's tolerance."""
        from pyomo.environ import Constraint
        from pyomo.util.modeling import unique_component_name

        used = sum(self.model.pick[m, k] for m, k in enumerate(choice))
        name = unique_component_name(self.model, "excluded_choice")
        self.model.add_component(name, Constraint(expr=used <= len(choice) - 1))
        self._rows += 1


def open_tangents(method: Method, *case: Any) -> TangentModel:
    """Open ``compact``, ``levels`` or a disjunctive form."""
    return TangentModel(tangent_build(method), method.name, *case)


def open_pattern(method: Method, *case: Any) -> PatternModel:
    """Open ``pattern``."""
    return PatternModel(method.name, *case)


def tangent_build(method: Method) -> Build:
    """What builds the model of a method with tangents."""
    if method.name == "levels":
        return LevelBuild()
    relaxation = method.options.get("relaxation")
    return build_compact if relaxation is None else partial(build_disjunctive, relaxation=str(relaxation))
