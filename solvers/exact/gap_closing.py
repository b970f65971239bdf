"""From a lower bound to a proof: list what the gap above it allows, choose, and widen until the gap is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.solvers.exact.effort import OutOfEffortError

if TYPE_CHECKING:
    from collections.abc import Callable

    from harpagon.solvers.models.highs import Values
    from harpagon.solvers.models.model_method import Task
    from harpagon.solvers.result import Solution

_FIRST_SHARE = 1 / 4
"""Share of a large gap within which is listed first; each further time the share is as much larger."""


def close_gap(
    task: Task,
    floor: float,
    small_gap: float,
    known: Solution[Values],
    list_within: Callable[[float], None],
    choose: Callable[[float, bool], Solution[Values]],
) -> tuple[float, bool]:
    """Close the gap above ``floor``, a lower bound on the cost of any plan.

    What a plan within a share of a large gap may have is listed, then what one within more of it may have: a better
    plan found on the way leaves less to list, and a plan that is missing costs more than what was listed.

    Parameters
    ----------
    task
        The case; plans are offered to its incumbent by ``choose``.
    floor
        Dollars per hour.
    small_gap
        Relative gap that is closed in one step.
    known
        Choice among what is known already.
    list_within
        Adds all that a plan within so many dollars per hour of the floor may have.
    choose
        Chooses among what is listed, given those dollars and whether they are the whole gap.

    Returns
    -------
    tuple
        The bound reached, and whether the user stopped the search.
    """
    solution, bound = known, floor
    width = task.ceiling - floor
    if width > small_gap * task.ceiling:
        width *= _FIRST_SHARE
    while not (solution.interrupted or task.late() or task.is_proven(bound)):
        task.report(bound)
        gap = task.ceiling - floor
        if bound >= task.ceiling:
            break
        within = min(width, gap)
        try:
            list_within(within)
            solution = choose(within, width >= gap)
        except OutOfEffortError:
            break
        except KeyboardInterrupt:
            return bound, True
        bound = max(bound, min(solution.dual_bound, floor + within))
        if width >= gap:
            break
        width /= _FIRST_SHARE
    return bound, solution.interrupted
