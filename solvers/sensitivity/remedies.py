"""The smallest single change that gives an infeasible instance a plan, found and re-checked by solving."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from harpagon.instances.policies import Billing
from harpagon.solvers.exact.solve import solve_exact
from harpagon.solvers.models.model_method import any_plan
from harpagon.solvers.options import SolverOptions
from harpagon.solvers.result import Termination
from harpagon.solvers.sensitivity.changes import LooserSlo
from harpagon.solvers.shared.solve import solve_shared

if TYPE_CHECKING:
    from collections.abc import Callable

    from harpagon.instances.instance import Instance
    from harpagon.instances.policies import Dispatch
    from harpagon.solvers.result import Result
    from harpagon.solvers.sensitivity.changes import Change

_SHARE = 1 / 4
"""Share of the time left that one solve may take."""
_ANY_PLAN = 0.99
"""Gap at which a solve may stop when only the existence of a plan is asked for."""
_ROUGHLY = 0.05
"""Gap at which a cost is near enough to call an SLO practical."""
_MILLISECOND = 10
"""Steps of one pipeline's SLO; 1 % of the SLOs of several."""
PRACTICAL = 2.0
"""An SLO is practical where its optimum costs at most this many times the optimum without an SLO."""


@dataclass(slots=True)
class Prober:
    """Solves variants of one instance until a deadline; ``undecided`` tells whether any question was left open."""

    billing: Billing
    dispatch: Dispatch
    deadline: float
    undecided: bool = field(default=False)

    def solve(self, instance: Instance, gap: float = 0.0, share: float = _SHARE) -> Result:
        """The exact method within a share of the time that is left."""
        left = share * (self.deadline - time.perf_counter())
        limit = None if math.isinf(left) else max(1e-3, left)
        options = SolverOptions(time_limit=limit, gap=gap)
        if self.billing is Billing.SHARED:
            return solve_shared(instance, self.billing, self.dispatch, options)
        result = solve_exact(instance, self.billing, self.dispatch, options)
        if result.termination is Termination.LIMIT:
            plan, _ = any_plan(instance, self.billing, self.dispatch, self.deadline)
            result = result if plan is None else replace(result, plan=plan, termination=Termination.FEASIBLE)
        return result

    def part(self, share: float) -> Prober:
        """A prober with a share of the time that is left."""
        now = time.perf_counter()
        return Prober(self.billing, self.dispatch, now + share * max(0.0, self.deadline - now))

    def late(self) -> bool:
        """Whether the deadline has passed."""
        return time.perf_counter() > self.deadline

    def feasible(self, instance: Instance) -> bool:
        """Whether a plan was found; where there may be one all the same, `undecided` is set."""
        if self.late():
            self.undecided = True
            return False
        apart = Billing.WHOLE if self.billing is Billing.SHARED else self.billing
        plan, known = any_plan(instance, apart, self.dispatch, self.deadline)
        if plan is not None or (known is False and apart is self.billing):
            return plan is not None
        result = self.solve(instance, _ANY_PLAN)
        self.undecided |= result.plan is None and result.termination is not Termination.INFEASIBLE
        return result.plan is not None


@dataclass(frozen=True, slots=True)
class PracticalSlo:
    """An SLO close to the smallest whose optimum costs at most `PRACTICAL` times ``loose_cost``.

    It stands whole milliseconds above the smallest feasible SLO, and is found by solving to a gap of 5 %.

    Attributes
    ----------
    steps
        Of the remedy's change.
    result
        The exact method there.
    loose_cost
        Dollars per hour of the optimum without an SLO.
    """

    steps: int
    result: Result
    loose_cost: float


@dataclass(frozen=True, slots=True)
class Remedy:
    """A change that gives the instance a plan, by the smallest number of steps found.

    Attributes
    ----------
    change, steps
        With one step less there is no plan, as far as `smaller` proves it.
    result
        The exact method on the changed instance.
    smaller
        The exact method one step earlier: infeasible, or no plan was found in time.
    practical
        For a looser SLO whose smallest value is absurdly dear: one that is not.
    """

    change: Change
    steps: int
    result: Result
    smaller: Result
    practical: PracticalSlo | None = None


def find_remedy(instance: Instance, change: Change, prober: Prober) -> Remedy | None:
    """The remedy by one change; None where it does not help, or where the time did not suffice (see `Prober`)."""
    if not prober.feasible(change.utmost(instance)):
        return None
    steps = smallest_steps(lambda k: prober.feasible(change.apply(instance, k)), change.most(instance))
    if steps is None:
        return None
    result = prober.solve(change.apply(instance, steps))
    if result.plan is None:  # the time was over before a plan was found again
        prober.undecided = True
        return None
    smaller = prober.solve(change.apply(instance, steps - 1))
    return Remedy(change, steps, result, smaller)


def with_practical(instance: Instance, remedy: Remedy, prober: Prober) -> Remedy:
    """The remedy with a practical SLO where its own is absurdly dear."""
    return replace(remedy, practical=_practical(instance, remedy.change, remedy.steps, remedy.result, prober))


def smallest_steps(helps: Callable[[int], bool], most: int) -> int | None:
    """Smallest number of steps that helps, by doubling and bisection; 0 steps do not help.

    Parameters
    ----------
    helps
        Whether so many steps help. Where more steps never hurt, the answer is the smallest of all; otherwise it is
        one that helps while a step less does not.
    most
        Largest number of steps.
    """
    low, high = 0, 1
    while not helps(high):
        if high >= most:
            return None
        low, high = high, min(2 * high, most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if helps(middle) else (middle, high)
    return high


def _practical(instance: Instance, change: Change, steps: int, result: Result, prober: Prober) -> PracticalSlo | None:
    if not isinstance(change, LooserSlo) or result.plan is None or prober.late():
        return None
    loose = prober.solve(change.utmost(instance)).objective
    if loose is None or result.plan.cost <= PRACTICAL * loose:
        return None

    def affordable(milliseconds: int) -> bool:
        if prober.late():
            return False
        changed = change.apply(instance, steps + milliseconds * _MILLISECOND)
        cost = prober.solve(changed, _ROUGHLY).objective
        return cost is not None and cost <= PRACTICAL * loose

    further = smallest_steps(affordable, max(1, change.most(instance) // _MILLISECOND))
    if further is None:
        return None
    steps += further * _MILLISECOND
    return PracticalSlo(steps, prober.solve(change.apply(instance, steps)), loose)
