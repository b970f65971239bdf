"""The Pareto frontier of one module: cost against worst-case latency."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harpagon.formulations.physics import COST_TOLERANCE
from harpagon.formulations.residual import has_curves
from harpagon.solvers.exact.effort import CLEARLY_QUICKER
from harpagon.solvers.exact.pricing import LIST_PRICES, Pricing
from harpagon.solvers.exact.schedule import Point, ScheduleSearch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harpagon.formulations.problem import ModuleProblem
    from harpagon.instances.policies import Billing, Dispatch
    from harpagon.solvers.exact.effort import Effort

STEP = 1e-10
"""Seconds by which the next budget lies below the latency found: finer than TIME_TOLERANCE, coarser than rounding."""
_BISECTIONS = 40
RELATIVE_STEP = 1e-11
"""The same as a share of latencies beyond ten seconds, whose rounding grows with them."""


def step_below(latency: float) -> float:
    """The next budget below a latency, both in seconds."""
    return latency - max(STEP, RELATIVE_STEP * latency)


def frontier(
    problem: ModuleProblem,
    budget: float,
    billing: Billing,
    dispatch: Dispatch,
    cap: float = math.inf,
    pricing: Pricing = LIST_PRICES,
    effort: Effort | None = None,
) -> Iterator[Point]:
    """Pareto-optimal schedules from the loosest budget down, cost ascending.

    Parameters
    ----------
    problem
        Rate and configurations.
    budget
        Seconds, the loosest of interest.
    billing, dispatch
        Rules of the plan; in fractional billing cost is a curve, which has no last point before the next: see
        `harpagon.solvers.exact.structure_listing`.
    cap
        Dollars per hour above which points are of no interest. Under batch-aware dispatch the frontier has no end
        without it, since a module's latency falls as long as machines are added.
    pricing
        Charges, nothing tracked.
    effort
        What all searches together may spend.

    Yields
    ------
    Point
        Each strictly dearer and strictly quicker than the one before.

    Raises
    ------
    OutOfEffortError
        Where ``effort`` is used up.
    ValueError
        In fractional billing.
    """
    if has_curves(billing, dispatch):
        raise ValueError("in fractional billing a frontier is a curve, not a list of points")
    search = ScheduleSearch(problem, billing, dispatch, pricing, effort)
    first = search.cheapest(budget, cap)
    if first is not None:
        yield from frontier_from(first, search, cap)


def frontier_from(point: Point, search: ScheduleSearch, cap: float) -> Iterator[Point]:
    """The `frontier` below a ``point`` that is the cheapest at some budget, its quickest equal in cost included."""
    while True:
        quicker = _quicker(point, search, cap)
        if quicker is None or quicker.cost > point.cost * (1 + COST_TOLERANCE):
            yield point
        if quicker is None:
            return
        point = quicker


def _quicker(point: Point, search: ScheduleSearch, cap: float) -> Point | None:
    """The cheapest schedule that is quicker than ``point``, whatever rounding a search allows itself."""
    budget = step_below(point.latency)
    while True:
        found = search.cheapest(budget, cap)
        if found is None or found.latency < point.latency:
            return found
        budget = step_below(budget)


def quickest_of_equal_cost(point: Point, search: ScheduleSearch, earliest: float) -> Point:
    """The quickest schedule that costs as little as ``point``, the cheapest at some budget, where costs are curves.

    The least cost never rises with the budget, so the shortest budget of this cost is bisected, ``earliest`` seconds or
    more.
    """
    most = point.cost * (1 + COST_TOLERANCE)
    budget, low = point.latency * (1 - CLEARLY_QUICKER), earliest
    for _ in range(_BISECTIONS):
        # A search undercuts its cap by the tolerance.
        found = search.cheapest(budget, most * (1 + COST_TOLERANCE))
        if found is not None and found.cost <= most:
            point = found
        else:
            low = budget
        if point.latency - low <= 2 * CLEARLY_QUICKER * point.latency:
            break
        budget = (low + point.latency) / 2
    return point
