"""Exact methods under ``shared`` billing, from the first plan to the proof.

The optimum of ``whole`` billing is the first plan: whatever serves every module by machines of its own is a plan here
too. Without hardware limits there is a plan exactly where there is one under ``whole``. Under limits there may be one
although ``whole`` has none, within `harpagon.formulations.bounds.most_under_shared`.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from harpagon.formulations.bounds import cost_floor, hardware_limits, is_reachable, most_under_shared
from harpagon.formulations.physics import PROOF_TOLERANCE
from harpagon.formulations.problem import pipeline_problems
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.exact.effort import Effort, OutOfEffortError
from harpagon.solvers.exact.info import decomposition_info
from harpagon.solvers.exact.solve import solve_exact
from harpagon.solvers.models.incumbent import Incumbent, offer_start
from harpagon.solvers.options import DEFAULT_OPTIONS
from harpagon.solvers.result import Result, SolveInterrupted, Termination
from harpagon.solvers.shared.columns import ColumnSearch
from harpagon.solvers.shared.problem import SharedProblem
from harpagon.solvers.shared.proof import Proof

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harpagon.instances.instance import Instance
    from harpagon.solvers.options import SolverOptions
    from harpagon.solvers.result import SolverInfo

_SHARE_OF_WHOLE = 1 / 4
"""Share of the time limit that the optimum under ``whole`` may take."""


class Search(Protocol):
    """Finds the cheapest plan within the budget of a problem."""

    def __init__(
        self, problem: SharedProblem, incumbent: Incumbent, options: SolverOptions, effort: Effort
    ) -> None: ...

    @property
    def details(self) -> Mapping[str, object]:
        """What a result says of it."""

    def run(self, proof: Proof) -> None:
        """Raise ``proof``; without a plan at its end there is none within the budget."""


def solve_shared(
    instance: Instance, billing: Billing, dispatch: Dispatch, options: SolverOptions = DEFAULT_OPTIONS
) -> Result:
    """Cheapest plan whose machines may host several modules, by columns, with its proof: under shared and paced."""
    return run_shared("exact", ColumnSearch, decomposition_info, instance, options)


def run_shared(
    name: str,
    search: type[Search],
    info: Callable[..., SolverInfo],
    instance: Instance,
    options: SolverOptions,
) -> Result:
    """Result of the method ``name``: the optimum under ``whole``, then what ``search`` finds and proves.

    Raises
    ------
    SolveInterrupted
        On Ctrl-C, with the best plan so far.
    """
    solve = _Solve(instance, options, search)
    try:
        solve.run()
    except OutOfEffortError:
        pass
    except KeyboardInterrupt:
        raise SolveInterrupted(solve.result(name, info)) from None
    return solve.result(name, info)


class _Solve:
    """One solve, from the first plan to the proof."""

    def __init__(self, instance: Instance, options: SolverOptions, search: type[Search]) -> None:
        self._begin = self._built = time.perf_counter()
        self._instance, self._options, self._search = instance, options, search
        limit = options.time_limit
        self._effort = Effort(math.inf if limit is None else self._begin + limit)
        self._problems = pipeline_problems(instance)
        self._incumbent = Incumbent(instance, self._problems, Billing.SHARED, Dispatch.PACED)
        self._proof = Proof(sum(cost_floor(module) for problem in self._problems for module in problem.modules))
        self._details: Mapping[str, object] = {}

    def run(self) -> None:
        """Raise the proof as far as the time goes."""
        if not all(is_reachable(problem, Dispatch.PACED) for problem in self._problems):
            self._proof.done = True
            return
        if self._options.start is not None:
            self._incumbent.start = offer_start(self._incumbent, self._options.start)
        no_plan = self._start_whole()
        if no_plan and not hardware_limits(self._instance):
            self._proof.done = True
            return
        plan = self._incumbent.plan
        budget = most_under_shared(self._instance, self._problems) if plan is None else plan.cost
        problem = SharedProblem.compile(self._instance, self._problems, budget)
        search = self._search(problem, self._incumbent, self._options, self._effort)
        self._built = time.perf_counter()
        try:
            search.run(self._proof)
        finally:
            self._details = search.details

    def _start_whole(self) -> bool:
        """Offer the optimum under ``whole``; returns whether that has none."""
        left = self._effort.time_left()
        limit = None if left is None else _SHARE_OF_WHOLE * left
        options = replace(self._options, start=None, progress=None, time_limit=limit)
        try:
            whole = solve_exact(self._instance, Billing.WHOLE, Dispatch.PACED, options)
        except SolveInterrupted as interruption:
            self._offer_whole(interruption.result)
            raise
        self._offer_whole(whole)
        return whole.termination is Termination.INFEASIBLE

    def _offer_whole(self, whole: Result) -> None:
        if whole.plan is not None:
            self._incumbent.offer(replace(whole.plan, billing=Billing.SHARED))

    def result(self, name: str, info: Callable[..., SolverInfo]) -> Result:
        """What is held by now."""
        cost, bound = self._incumbent.cost, self._proof.bound
        if self._proof.done and math.isinf(cost):
            termination, bound = Termination.INFEASIBLE, math.inf
        elif cost < math.inf and cost - bound <= max(self._options.gap, PROOF_TOLERANCE) * cost:
            termination = Termination.OPTIMAL
        else:
            termination = Termination.LIMIT if math.isinf(cost) else Termination.FEASIBLE
        now = time.perf_counter()
        told = info(self._options, start=self._incumbent.start, **self._details)
        built, solved = self._built - self._begin, now - self._built
        return Result(name, termination, self._incumbent.plan, min(bound, cost), built, solved, told)
