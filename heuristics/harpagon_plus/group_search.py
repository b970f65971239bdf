"""Module scheduling by a beam search over groups of machines, in dispatch order.

Read from the front of the dispatch order, a module is in a state (R, N): R requests per second are still to be served,
and the groups taken so far still need a capacity of N behind them. A group of n machines of configuration c leads to
(R - n t, max(N, q) - n t), with q = b / (L - d) the rate that its batches need within the budget L. A schedule ends

* with whole machines of one configuration, as many as max(R, N, q) needs, the last of them padded, or
* in fractional billing with a residual at the rate max(R, N, q), beyond R by dummies.

Nothing in a state costs less than max(R, N) at the best throughput-cost ratio: states whose bound is not below the best
schedule found are dropped, and of the others only the best few of each number of groups are kept. Of a configuration as
many machines are tried as fit the capacity max(R, N, q) that is needed anyway, a few fewer, and a few at all; of a
hardware type only the configurations of largest throughput that the state allows. All of that makes it a heuristic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from heapq import nsmallest
from typing import TYPE_CHECKING, NamedTuple

from harpagon.formulations.physics import COST_TOLERANCE, RATE_TOLERANCE, collection_rate, has_free_order
from harpagon.heuristics.scheduling_rules import RATE_ROUNDING, ROUNDING, ModuleSchedule
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Billing, Dispatch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harpagon.formulations.problem import ModuleProblem
    from harpagon.instances.instance import Configuration


_ROUNDING = 1e-12
"""Relative rate by which a residual works beyond what its batches need, so that rounding leaves it in time."""


class _Option(NamedTuple):
    """A configuration with the rate ``demand`` that its batches need, and its place in ``tc`` order."""

    demand: float
    throughput: float
    price: float
    place: int
    configuration: Configuration


@dataclass(frozen=True, slots=True)
class SearchEffort:
    """How far the search goes.

    Attributes
    ----------
    groups
        Groups of full machines before the last one; one more in fractional billing, where a residual may be last.
    width
        States kept of each number of groups.
    spare
        Machines fewer than the needed capacity fits that are tried of each configuration.
    few
        Small numbers of machines that are tried too: 1 to ``few``.
    choices
        Configurations tried of one hardware type in one state.
    """

    groups: int = 2
    width: int = 16
    spare: int = 1
    few: int = 2
    choices: int = 2


class _State(NamedTuple):
    """Groups taken, in order, and what is left: ``rate`` to serve, ``need`` for the groups' batches, at ``spent``."""

    bound: float
    rate: float
    need: float
    spent: float
    place: int
    taken: tuple[tuple[Configuration, int], ...]


def search_groups(
    module: ModuleProblem, budget: float, billing: Billing, dispatch: Dispatch, effort: SearchEffort, cap: float
) -> ModuleSchedule | None:
    """Cheapest schedule found within a latency budget.

    Parameters
    ----------
    module
        Rate and configurations in ``tc`` order.
    budget
        Seconds.
    billing
        Whether the last machine may be paid for by the fraction.
    dispatch
        ``tc`` keeps groups in the order of the configurations; ``free`` allows any.
    effort
        How far to search.
    cap
        Dollars per hour above which a schedule is of no interest.

    Returns
    -------
    ModuleSchedule or None
        None where nothing within ``cap`` was found.
    """
    search = _Search(module, budget + ROUNDING, billing, dispatch, effort, cap)
    found = search.run()
    return ModuleSchedule.of(found, dispatch) if found else None


class _Search:
    def __init__(
        self,
        module: ModuleProblem,
        budget: float,
        billing: Billing,
        dispatch: Dispatch,
        effort: SearchEffort,
        cap: float,
    ) -> None:
        self.rate = module.rate
        self.rounding = module.rate * RATE_ROUNDING
        self.fractional = billing is Billing.FRACTIONAL
        self.ordered = not has_free_order(dispatch)
        self.effort = effort
        self.ladders = _ladders(module, budget)
        self.best_ratio = max((ladder[0].throughput / ladder[0].price for ladder in self.ladders), default=1.0)
        self.best_cost = cap * (1 + COST_TOLERANCE)
        self.best: list[DispatchTuple] | None = None

    def run(self) -> list[DispatchTuple] | None:
        """Cheapest schedule found, in dispatch order."""
        states = [_State(0.0, self.rate, 0.0, 0.0, -1, ())]
        most = self.effort.groups + self.fractional
        for groups in range(most + 1):
            for state in states:
                self._finish(state)
            if groups < most:
                following = [one for state in states for one in self._branches(state)]
                states = nsmallest(self.effort.width, following, key=_bound)
        return self.best

    def _finish(self, state: _State) -> None:
        """Try the last groups: whole machines, or a residual."""
        least = max(state.rate - self.rounding, state.need)
        for ladder in self.ladders:
            for option in ladder:
                if self.ordered and option.place < state.place:
                    continue
                machines = math.ceil(max(least, option.demand) / option.throughput)
                if state.spent + machines * option.price < self.best_cost:
                    self._keep(state, DispatchTuple.full(option.configuration, machines))
                if self.fractional:
                    self._finish_with_residual(state, option)
                if option.demand <= max(state.rate, state.need):
                    break

    def _finish_with_residual(self, state: _State, option: _Option) -> None:
        rate = max(state.rate, state.need, option.demand) * (1 + _ROUNDING)
        share = rate / option.throughput
        if share < 1 - RATE_TOLERANCE and state.spent + share * option.price < self.best_cost:
            self._keep(state, DispatchTuple.residual(option.configuration, rate))

    def _keep(self, state: _State, last: DispatchTuple) -> None:
        if last.is_residual or all(configuration is not last.configuration for configuration, _ in state.taken):
            self.best_cost = (state.spent + last.cost) * (1 - COST_TOLERANCE)
            self.best = [*(DispatchTuple.full(*group) for group in state.taken), last]

    def _branches(self, state: _State) -> Iterator[_State]:
        """States with one group more whose bound is below the best cost."""
        used = [configuration for configuration, _ in state.taken]
        for ladder in self.ladders:
            tried = 0
            for option in ladder:
                if any(option.configuration is one for one in used) or (self.ordered and option.place < state.place):
                    continue
                capacity = max(state.rate, state.need, option.demand)
                most, total = int((capacity - self.rounding) / option.throughput), capacity / self.best_ratio
                waste = option.price - option.throughput / self.best_ratio
                for machines in self._counts(most):
                    bound = state.spent + total + machines * waste
                    if bound < self.best_cost:
                        yield _after(state, option, machines, bound)
                tried += most > 0 and option.demand <= state.rate
                if tried == self.effort.choices:
                    break

    def _counts(self, most: int) -> Sequence[int]:
        """Numbers of machines to try of a configuration of which the capacity fits ``most``."""
        few, least = self.effort.few, max(1, most - self.effort.spare)
        if few + 1 >= least:
            return range(most, 0, -1)
        return (*range(most, least - 1, -1), *range(few, 0, -1))


def _after(state: _State, option: _Option, machines: int, bound: float) -> _State:
    served = machines * option.throughput
    need = max(state.need, option.demand) - served
    spent = state.spent + machines * option.price
    taken = (*state.taken, (option.configuration, machines))
    return _State(bound, state.rate - served, need, spent, option.place, taken)


def _bound(state: _State) -> float:
    return state.bound


def _ladders(module: ModuleProblem, budget: float) -> list[list[_Option]]:
    """Options by hardware type, throughput descending; without those that another outdoes in throughput and need."""
    ladders = []
    for profile in _by_throughput(module.configurations):
        ladder: list[_Option] = []
        for place, c in profile:
            demand = collection_rate(c, budget)
            if demand < (ladder[-1].demand if ladder else math.inf):
                ladder.append(_Option(demand, c.throughput, c.price, place, c))
        if ladder:
            ladders.append(ladder)
    return ladders


@lru_cache(maxsize=64)
def _by_throughput(configurations: tuple[Configuration, ...]) -> list[list[tuple[int, Configuration]]]:
    """Configurations of each hardware type with their places, throughput descending."""
    profiles: dict[str, list[tuple[int, Configuration]]] = {}
    for place, configuration in enumerate(configurations):
        profiles.setdefault(configuration.hardware, []).append((place, configuration))
    for profile in profiles.values():
        profile.sort(key=lambda one: (-one[1].throughput, one[1].batch))
    return list(profiles.values())
