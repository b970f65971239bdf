"""Cheapest schedule of one module under a latency budget, for every billing and dispatch policy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harpagon.formulations.physics import COST_TOLERANCE, collection_rate, in_dispatch_order, module_latency
from harpagon.formulations.problem import ModuleProblem
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.decomposition.climb import climb
from harpagon.solvers.decomposition.deadline_descent import descend_by_deadline
from harpagon.solvers.decomposition.descent import descend
from harpagon.solvers.decomposition.layered_climb import RULES, layered_climb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.solvers.decomposition.climb import Counts

_RELAXED_BY_FREE = (Dispatch.TC, Dispatch.TC_SAFE, Dispatch.PER_CONFIG)
"""Policies whose every schedule also meets its budget under ``free``."""


@dataclass(frozen=True, slots=True)
class Point:
    """A schedule with its worst-case latency in seconds and its cost in dollars per hour."""

    latency: float
    cost: float
    schedule: tuple[DispatchTuple, ...]


def shortest_latency(problem: ModuleProblem, dispatch: Dispatch) -> float:
    """Latency no schedule goes below, in seconds.

    The smallest batch duration d, approached as machines are added but never reached; under round-robin 2 d, which is
    reached.
    """
    fastest = min(c.duration for c in problem.configurations)
    return 2 * fastest if dispatch is Dispatch.ROUND_ROBIN else fastest


def cheapest_schedule(
    problem: ModuleProblem, budget: float, billing: Billing, dispatch: Dispatch, cap: float = math.inf
) -> Point | None:
    """Cheapest schedule whose latency is at most ``budget``.

    Parameters
    ----------
    problem
        Rate and configurations.
    budget
        Seconds.
    billing, dispatch
        Rules of the plan.
    cap
        Dollars per hour above which a schedule is of no interest.

    Returns
    -------
    Point or None
        None where no schedule within ``cap`` meets the budget.
    """
    whole = _cheapest_whole(problem, budget, dispatch, cap)
    if billing is Billing.WHOLE:
        return whole
    partial = _cheapest_with_residual(problem, budget, dispatch, cap if whole is None else whole.cost)
    return whole if partial is None else partial


def _cheapest_with_residual(problem: ModuleProblem, budget: float, dispatch: Dispatch, cap: float) -> Point | None:
    if dispatch is Dispatch.EDF:
        tuples = descend_by_deadline(problem, budget, cap)
    else:
        tuples = descend(problem, budget, dispatch, cap)
    return None if tuples is None else _point(tuples, dispatch)


def _cheapest_whole(problem: ModuleProblem, budget: float, dispatch: Dispatch, cap: float) -> Point | None:
    if dispatch is Dispatch.ROUND_ROBIN:
        quick = tuple(c for c in problem.configurations if 2 * c.duration <= budget)
        return _whole_point(climb(ModuleProblem(problem.name, problem.rate, quick), math.inf, cap), dispatch)
    if dispatch is Dispatch.FREE:
        return _whole_point(climb(problem, budget, cap), dispatch)
    if dispatch in _RELAXED_BY_FREE:
        relaxed = _whole_point(climb(problem, budget, cap), dispatch)
        if relaxed is None or relaxed.latency <= budget:
            return relaxed
    if dispatch is Dispatch.EDF:
        bound = _collection_bound(problem, budget, cap)
        if bound > cap:
            return None
        guess = _whole_point(climb(problem, budget, cap), dispatch)
        if guess is not None and guess.latency <= budget and guess.cost <= bound * (1 + COST_TOLERANCE):
            return guess
    return _whole_point(layered_climb(problem, budget, RULES[dispatch], cap), dispatch)


def _collection_bound(problem: ModuleProblem, budget: float, cap: float) -> float:
    """No schedule of a batch-aware policy costs less: all that is asked is q_c <= total capacity for every c in use.

    Either all configurations in use have q_c <= T, or the total capacity is at least the smallest q_c above T.
    """
    needs = [(collection_rate(c, budget), c) for c in problem.configurations if c.duration < budget]
    within = tuple(c for need, c in needs if need <= problem.rate)
    cover = climb(ModuleProblem(problem.name, problem.rate, within), math.inf, cap)
    beyond = min((need for need, _ in needs if need > problem.rate), default=math.inf)
    best_ratio = max((c.ratio for _, c in needs), default=1.0)
    return min(math.inf if cover is None else sum(n * c.price for c, n in cover), beyond / best_ratio)


def _whole_point(counts: Counts | None, dispatch: Dispatch) -> Point | None:
    return None if counts is None else _point([DispatchTuple.full(c, n) for c, n in counts], dispatch)


def _point(tuples: Sequence[DispatchTuple], dispatch: Dispatch) -> Point:
    schedule = tuple(tuples) if dispatch is Dispatch.FREE else in_dispatch_order(tuples)
    return Point(module_latency(schedule, dispatch), sum(part.cost for part in schedule), schedule)
