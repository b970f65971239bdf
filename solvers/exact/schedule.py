"""Cheapest schedule of one module under a latency budget, for every billing and dispatch policy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

from harpagon.formulations.physics import (
    COST_TOLERANCE,
    collects,
    execution,
    has_free_order,
    in_dispatch_order,
    keeps_streams,
    serves_due_first,
)
from harpagon.formulations.problem import ModuleProblem
from harpagon.formulations.residual import structure_of
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.exact.climb import climb
from harpagon.solvers.exact.covers import Covers
from harpagon.solvers.exact.descent import descend
from harpagon.solvers.exact.effort import OutOfEffortError
from harpagon.solvers.exact.layered_climb import RULES, layered_climb
from harpagon.solvers.exact.open_batch_descent import descend_by_deadline
from harpagon.solvers.exact.paced import PacedSearch
from harpagon.solvers.exact.paced_structures import paced_structures_between
from harpagon.solvers.exact.pricing import LIST_PRICES, Pricing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harpagon.formulations.residual import Structure
    from harpagon.solvers.exact.climb import Counts
    from harpagon.solvers.exact.covers import ModelCovers
    from harpagon.solvers.exact.effort import Effort


@dataclass(frozen=True, slots=True)
class Point:
    """A schedule with its worst-case latency in seconds and its cost in dollars per hour, surcharges included."""

    latency: float
    cost: float
    schedule: tuple[DispatchTuple, ...]


def cheapest_schedule(
    problem: ModuleProblem,
    budget: float,
    billing: Billing,
    dispatch: Dispatch,
    cap: float = math.inf,
    pricing: Pricing = LIST_PRICES,
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
    pricing
        Charges, nothing tracked.

    Returns
    -------
    Point or None
        None where no schedule within ``cap`` meets the budget.
    """
    return ScheduleSearch(problem, billing, dispatch, pricing).cheapest(budget, cap)


class ScheduleSearch:
    """Cheapest schedules of one module at one budget after another.

    The cheapest whole machines at one budget are the cheapest at every tighter budget that they still meet; under
    ``paced`` the cheapest schedule of all is.
    """

    def __init__(
        self,
        problem: ModuleProblem,
        billing: Billing,
        dispatch: Dispatch,
        pricing: Pricing = LIST_PRICES,
        effort: Effort | None = None,
        covers: Covers | None = None,
    ) -> None:
        self.problem = problem
        self.billing = billing
        self.dispatch = dispatch
        self.pricing = pricing
        self.effort = effort
        self._covers = covers or Covers(pricing)
        self._known: Point | None = None
        self._known_at = 0.0
        self._paced_search = PacedSearch(problem, billing, self._covers, effort) if keeps_streams(dispatch) else None

    def cheapest(self, budget: float, cap: float = math.inf) -> Point | None:
        """As `cheapest_schedule`.

        Raises
        ------
        OutOfEffortError
            Where the effort is used up, before the search too: under ``paced`` not every search spends of it.
        """
        if self.effort is not None and self.effort.late():
            raise OutOfEffortError
        if self._paced_search is not None:
            return self._remembered(self._paced_point, budget, cap)
        if self.billing is Billing.WHOLE:
            return self._remembered(self._whole, budget, cap)
        return next(_fractional(self.problem, budget, self.dispatch, cap, self.pricing, self.effort), None)

    def _paced_point(self, budget: float, cap: float) -> Point | None:
        assert self._paced_search is not None, "asked under paced"
        found = self._paced_search.cheapest(budget, cap)
        return None if found is None else _priced(*found, self.pricing)

    def _whole(self, budget: float, cap: float) -> Point | None:
        return _cheapest_whole(self.problem, budget, self.dispatch, cap, self._own_covers, self.effort)

    @cached_property
    def _own_covers(self) -> ModelCovers:
        return self._covers.of(self.problem.configurations)

    def _remembered(self, search: Callable[[float, float], Point | None], budget: float, cap: float) -> Point | None:
        known = self._known
        if known is not None and known.latency <= budget <= self._known_at:
            return known if known.cost <= cap else None
        found = search(budget, cap)
        if found is not None:
            self._known, self._known_at = found, budget
        return found


def distinct_schedules(
    problem: ModuleProblem,
    budget: float,
    billing: Billing,
    dispatch: Dispatch,
    cap: float,
    pricing: Pricing,
    effort: Effort | None,
) -> list[Point]:
    """All schedules within ``budget`` and ``cap`` that are Pareto-optimal in cost and tracked use, and some others.

    Of whole billing: where costs are curves there is no such list (`structures_between`).
    """
    if keeps_streams(dispatch):
        found = PacedSearch(problem, billing, Covers(pricing), effort).distinct(budget, cap)
        return [_priced(*pair, pricing) for pair in found]
    return list(_whole(problem, budget, dispatch, cap, pricing, effort))


def structures_between(
    problem: ModuleProblem,
    tightest: float,
    budget: float,
    dispatch: Dispatch,
    cap: float,
    pricing: Pricing,
    effort: Effort | None = None,
) -> Iterator[Structure]:
    """Structures of fractional schedules that may be the cheapest at a budget from ``tightest`` to ``budget``.

    At ``budget`` each is charged less than ``cap``; where use is tracked, "cheapest" is among those that use no more.
    """
    if keeps_streams(dispatch):
        yield from paced_structures_between(problem, tightest, budget, cap, pricing, effort)
        return
    for tuples in _descent(dispatch)(problem, budget, cap=cap, pricing=pricing, effort=effort, tightest=tightest):
        yield structure_of(_in_order(tuples, dispatch), problem.rate, dispatch)


def _fractional(
    problem: ModuleProblem, budget: float, dispatch: Dispatch, cap: float, pricing: Pricing, effort: Effort | None
) -> Iterator[Point]:
    found = _descent(dispatch)(problem, budget, cap=cap, pricing=pricing, effort=effort)
    return (_point(problem, tuples, dispatch, pricing) for tuples in found)


def _descent(dispatch: Dispatch) -> Callable[..., Iterator[Sequence[DispatchTuple]]]:
    return descend_by_deadline if serves_due_first(dispatch) else partial(descend, dispatch=dispatch)


def _whole(
    problem: ModuleProblem, budget: float, dispatch: Dispatch, cap: float, pricing: Pricing, effort: Effort | None
) -> Iterator[Point]:
    if not collects(dispatch):
        quick = tuple(c for c in problem.configurations if execution(c, dispatch) <= budget)
        found = climb(ModuleProblem(problem.name, problem.rate, quick), math.inf, cap, pricing, effort)
    elif has_free_order(dispatch):
        found = climb(problem, budget, cap, pricing, effort)
    else:
        found = layered_climb(problem, budget, RULES[dispatch], cap, pricing, effort)
    return (_whole_point(problem, counts, dispatch, pricing) for counts in found)


def _cheapest_whole(
    problem: ModuleProblem, budget: float, dispatch: Dispatch, cap: float, covers: ModelCovers, effort: Effort | None
) -> Point | None:
    """As `_whole`, trying first whether a problem that is quicker to solve gives the answer."""
    pricing = covers.pricing
    if dispatch in RULES:
        free = _cheapest_in_free_order(problem, budget, dispatch, cap, pricing, effort)
        if not RULES[dispatch].relaxed_by_free:
            return _cheapest_above_bound(problem, budget, dispatch, cap, covers, effort, free)
        if free is None or free.latency <= budget:
            return free
    return next(_whole(problem, budget, dispatch, cap, pricing, effort), None)


def _cheapest_above_bound(
    problem: ModuleProblem,
    budget: float,
    dispatch: Dispatch,
    cap: float,
    covers: ModelCovers,
    effort: Effort | None,
    free: Point | None,
) -> Point | None:
    """The ``free`` optimum, where it meets the budget and nothing cheaper can; else the cheapest below it."""
    known = free if free is not None and free.latency <= budget else None
    cap = cap if known is None else known.cost * (1 - COST_TOLERANCE)
    if covers.bound(problem.rate, budget, cap, effort) > cap:
        return known
    return next(_whole(problem, budget, dispatch, cap, covers.pricing, effort), known)


def _cheapest_in_free_order(
    problem: ModuleProblem, budget: float, dispatch: Dispatch, cap: float, pricing: Pricing, effort: Effort | None
) -> Point | None:
    """Machines of the ``free`` optimum, with their latency under ``dispatch``."""
    counts = next(climb(problem, budget, cap, pricing, effort), None)
    return None if counts is None else _whole_point(problem, counts, dispatch, pricing)


def _whole_point(problem: ModuleProblem, counts: Counts, dispatch: Dispatch, pricing: Pricing) -> Point:
    return _point(problem, [DispatchTuple.full(c, n) for c, n in counts], dispatch, pricing)


def _point(problem: ModuleProblem, tuples: Sequence[DispatchTuple], dispatch: Dispatch, pricing: Pricing) -> Point:
    schedule = _in_order(tuples, dispatch)
    return _priced(schedule, problem.latency(schedule, dispatch), pricing)


def _priced(schedule: tuple[DispatchTuple, ...], latency: float, pricing: Pricing) -> Point:
    return Point(latency, pricing.charge_of(schedule), schedule)


def _in_order(tuples: Sequence[DispatchTuple], dispatch: Dispatch) -> tuple[DispatchTuple, ...]:
    return tuple(tuples) if has_free_order(dispatch) else in_dispatch_order(tuples)
