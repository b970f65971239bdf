"""The structures of one module that a plan may use: those whose curve passes below a line in latency and cost."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from harpagon.formulations.physics import COST_TOLERANCE
from harpagon.solvers.exact.effort import Effort, OutOfEffortError
from harpagon.solvers.exact.schedule import structures_between

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harpagon.formulations.planning.structures import Choice
    from harpagon.formulations.problem import ModuleProblem
    from harpagon.formulations.residual import Structure
    from harpagon.instances.policies import Dispatch
    from harpagon.solvers.exact.pricing import Pricing

_PIECES = 16
"""Intervals of latencies to begin with: a narrow one has a low cap, and in it more structures drop one another."""
_LABELS = 100.0
_MORE_LABELS = 1.6
"""Labels of one interval above which it is halved, and how many times more a half may take."""
_BISECTIONS = 30


class Line(NamedTuple):
    """Charges of interest at a latency L: below ``worth`` - ``second`` x L dollars per hour."""

    worth: float
    second: float


def structures_below(
    problem: ModuleProblem,
    line: Line,
    earliest: float,
    latest: float,
    dispatch: Dispatch,
    pricing: Pricing,
    effort: Effort | None = None,
) -> Iterator[Structure]:
    """Every structure that is the cheapest at some latency of which its charge there is below ``line``.

    A structure whose charge is below the line at L, in an interval of latencies (a, b], is charged no more at b, less
    than ``worth`` - ``second`` x a. Where many structures are, the interval is halved, which lowers that cap on its
    right and lets more structures drop one another.

    Parameters
    ----------
    problem
        Rate and configurations.
    line
        Cap.
    earliest, latest
        Seconds between which the module's latency lies.
    dispatch
        Policy.
    pricing
        Charges; where it tracks hardware types, "cheapest" is among those that use no more of them.
    effort
        What all searches together may spend.

    Yields
    ------
    Structure
        Some more than once, and some others.

    Raises
    ------
    OutOfEffortError
        Where ``effort`` is used up.
    """
    effort = effort or Effort()
    ends = [earliest + (latest - earliest) * i / _PIECES for i in range(_PIECES + 1)]
    waiting = [(*piece, _LABELS) for piece in pairwise(ends)]
    while waiting:
        tightest, budget, most = waiting.pop()
        cap = (line.worth - line.second * tightest) * (1 + COST_TOLERANCE)
        found = _few_between(problem, tightest, budget, dispatch, cap, pricing, effort, most)
        if found is None:
            middle = (tightest + budget) / 2
            waiting += [(tightest, middle, most * _MORE_LABELS), (middle, budget, most * _MORE_LABELS)]
        else:
            yield from found


def _few_between(
    problem: ModuleProblem,
    tightest: float,
    budget: float,
    dispatch: Dispatch,
    cap: float,
    pricing: Pricing,
    effort: Effort,
    most: float,
) -> list[Structure] | None:
    """As `structures_between`, None where that takes more than ``most`` labels."""
    share = Effort(effort.deadline, min(most, effort.most - effort.spent))
    try:
        return list(structures_between(problem, tightest, budget, dispatch, cap, pricing, share))
    except OutOfEffortError:
        if share.spent <= most:
            raise
        return None
    finally:
        effort.spent += share.spent


def least_reduced_charge(choice: Choice, line: Line, pricing: Pricing) -> tuple[float, float]:
    """Least charge of a structure above ``line``, dollars per hour, with the latency in seconds at which it is.

    The charge is convex in the latency, so its slope is bisected.
    """
    surcharges = pricing.surcharges
    structure, residual = choice.structure, choice.structure.residual
    fixed = sum(part.machines * pricing.charge(part.configuration) for part in structure.full) - line.worth
    if residual is None:
        # a stand-in has no machines: its cost is its own
        fixed += 0.0 if structure.full else choice.cost
        return fixed + line.second * structure.floor, structure.floor
    charge = residual.price + surcharges.get(residual.hardware, 0.0)
    low, high = structure.quickest, choice.loosest
    for _ in range(_BISECTIONS if line.second > 0 else 0):
        middle = (low + high) / 2
        rising = structure.slope(middle) / residual.throughput * charge + line.second > 0
        low, high = (low, middle) if rising else (middle, high)
    return fixed + charge * choice.share_at(high) + line.second * high, high
