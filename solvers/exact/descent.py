"""Cheapest schedules of fractional billing under a latency budget: a descent on the capacity still asked for.

Read from the front of the dispatch order, all that the tuples so far leave open is one number: the rate M that the
tuples still to come must offer, to serve what arrives and to collect the batches of the tuples before them. M begins
at the request rate, and n machines of configuration c, which collect a batch in time from the rate q_c on, lead to

    M' = max(M, q_c) - n t_c .

A schedule ends with whole machines where M <= 0, or with a residual at the rate max(M, q_c) <= t_c. Best-first search,
bounded by what a capacity of M costs at least; a label is dropped when another one may do the same from a smaller M at
no more cost.

The same search lists the structures that matter between two budgets: labels carry M at both, and one label drops
another when its M at the tighter budget is no larger than that of the other at the looser one.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from heapq import heappop, heappush
from itertools import accumulate
from typing import TYPE_CHECKING

from harpagon.formulations.physics import (
    COST_TOLERANCE,
    RATE_TOLERANCE,
    collection_rate,
    collects,
    collects_alone,
    execution,
    has_free_order,
)
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Dispatch
from harpagon.solvers.exact.climb import Staircase
from harpagon.solvers.exact.effort import Effort
from harpagon.solvers.exact.pricing import LIST_PRICES, Pricing, no_more

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harpagon.formulations.problem import ModuleProblem
    from harpagon.instances.instance import Configuration
    from harpagon.solvers.exact.pricing import Usage


@dataclass(frozen=True, slots=True)
class _Label:
    """Full tuples so far: the last one has ``machines`` of the configuration at ``place``.

    ``open`` is the capacity still asked for at the budget and ``tight`` that at the tighter one, ``batches`` the sum of
    the batch sizes in use.
    """

    parent: _Label | None
    place: int
    machines: int
    open: float
    tight: float
    batches: int
    spent: float
    usage: Usage


def descend(
    problem: ModuleProblem,
    budget: float,
    dispatch: Dispatch,
    cap: float = math.inf,
    pricing: Pricing = LIST_PRICES,
    effort: Effort | None = None,
    tightest: float | None = None,
) -> Iterator[list[DispatchTuple]]:
    """Schedules that meet ``budget``, by charge.

    Parameters
    ----------
    problem
        Rate and configurations, in ``tc`` order.
    budget
        Seconds.
    dispatch
        Any policy but ``edf``.
    cap
        Dollars per hour that the schedule has to undercut.
    pricing
        Charges, and the hardware types whose use is tracked.
    effort
        What the search may spend.
    tightest
        Seconds; every schedule is wanted that may be the cheapest at a budget from here to ``budget``.

    Yields
    ------
    list of DispatchTuple
        In dispatch order, a residual last and no faster than ``budget`` asks; the cheapest first. Only with
        ``tightest``, or where use is tracked, is any but the first of interest.

    Raises
    ------
    OutOfEffortError
        Where ``effort`` is used up.
    """
    usable = [c for c in problem.configurations if collection_rate(c, budget) < math.inf]
    if usable:
        yield from _Descent(
            problem.rate, usable, budget, dispatch, cap, pricing, effort or Effort(), tightest or budget
        ).run()


class CapacityBound:
    """Least charge for a capacity, where configurations in use ask for a capacity of their own."""

    def __init__(self, needs: Sequence[float], ratios: Sequence[float]) -> None:
        ascending = sorted(zip(needs, ratios, strict=True))
        self.needs = [need for need, _ in ascending]
        self.ratios = [0.0, *accumulate((ratio for _, ratio in ascending), max)]
        whole = [need / ratio for need, ratio in zip(self.needs, self.ratios[1:], strict=True)]
        self.above = [*list(accumulate(reversed(whole), min))[::-1], math.inf]

    def __call__(self, capacity: float, started: float) -> float:
        """Dollars per hour: at the best ratio of those that ask for no more, or as much as a further one asks for.

        ``started`` is the ratio of a configuration that has begun and asks for nothing more.
        """
        if capacity <= 0:
            return 0.0
        place = bisect_right(self.needs, capacity)
        best = max(self.ratios[place], started)
        return min(capacity / best, self.above[place]) if best else self.above[place]


class _Descent:
    def __init__(
        self,
        rate: float,
        usable: list[Configuration],
        budget: float,
        dispatch: Dispatch,
        cap: float,
        pricing: Pricing,
        effort: Effort,
        tightest: float,
    ) -> None:
        self.rate = rate
        self.usable = usable
        self.budget = budget
        self.tightest = tightest
        self.dispatch = dispatch
        self.cap = cap
        self.pricing = pricing
        self.effort = effort
        self.charges = [pricing.charge(c) for c in usable]
        self.ratios = [c.throughput / charge for c, charge in zip(usable, self.charges, strict=True)]
        self.quick = [i for i, c in enumerate(usable) if collects(dispatch) or execution(c, dispatch) <= budget]
        self.needs = [collection_rate(c, budget) for c in usable]
        self.tight_needs = [collection_rate(c, tightest) for c in usable]
        self.bound = CapacityBound(self.needs, self.ratios)
        self.throughputs = [c.throughput for c in usable]
        self.is_free = has_free_order(dispatch)
        self.is_alone = collects_alone(dispatch)
        self.is_waiting = dispatch is Dispatch.TC_SAFE
        self.heap: list[tuple[float, float, int, _Label, int]] = []
        self.pushed = 0
        self.kept: defaultdict[int, _Kept] = defaultdict(partial(_Kept, pricing))

    def run(self) -> Iterator[list[DispatchTuple]]:
        root = _Label(None, -1, 0, self.rate, self.rate, 0, 0.0, self.pricing.nothing())
        if self.bound(self.rate, 0.0) < self.cap:
            heappush(self.heap, (0.0, self.rate, 0, root, -1))
        while self.heap:
            self.effort.spend(len(self.heap))
            _, _, _, label, residual = heappop(self.heap)
            enough = self.rate * RATE_TOLERANCE
            if residual >= 0 or label.open <= enough:
                yield self._schedule(label, residual)
            if residual >= 0 or label.tight <= enough:
                continue
            if self._dominated(label):
                continue
            if label is not root:
                self._push(label.parent or root, label.place, label.machines + 1)
            self._branch(label)

    def _branch(self, label: _Label) -> None:
        for place in self._starts(label):
            self._push(label, place, self._fewest(place))
        for place in range(len(self.usable)):
            self._push_residual(label, place)

    def _starts(self, label: _Label) -> Sequence[int]:
        """Places of the configurations of which a full tuple may follow ``label``."""
        if self.is_free:
            return [place for place in self.quick if place != label.place]
        return self.quick[bisect_right(self.quick, label.place) :]

    def _fewest(self, place: int) -> int:
        if self.dispatch is Dispatch.PER_CONFIG:
            return max(1, math.ceil(self.needs[place] / self.usable[place].throughput))
        return 1

    def _push(self, parent: _Label, place: int, machines: int) -> None:
        served = machines * self.throughputs[place]
        asked = max(parent.open, self._demand(parent, place, self.budget)) - served
        spent = parent.spent + machines * self.charges[place]
        bound = spent + self.bound(asked, self.ratios[place])
        if bound < self.cap - COST_TOLERANCE * bound:
            tight = max(parent.tight, self._demand(parent, place, self.tightest)) - served
            if self.is_alone and not self._fits_alone(place, machines):
                tight = math.inf
            batches = parent.batches + self.usable[place].batch if self.is_waiting else 0
            usage = parent.usage
            if self.pricing.tracked:
                usage = self.pricing.add(usage, self.usable[place], machines)
            label = _Label(parent, place, machines, asked, tight, batches, spent, usage)
            heappush(self.heap, (bound, asked, self.pushed, label, -1))
            self.pushed += 1
            if tight <= self.rate * RATE_TOLERANCE:
                self._undercut(spent)

    def _undercut(self, charge: float) -> None:
        """A schedule of this charge meets the tighter budget: no other is wanted that is charged more at the looser."""
        if not self.pricing.tracked:
            self.cap = min(self.cap, charge)

    def _demand(self, label: _Label, place: int, budget: float) -> float:
        """Smallest rate from a tuple on, itself included, at which it meets ``budget``; 0 where it has its own."""
        if self.is_alone:
            return 0.0
        if not self.is_waiting:
            return self.needs[place] if budget is self.budget else self.tight_needs[place]
        return self._residual_demand(label, place, budget)

    def _fits_alone(self, place: int, machines: int) -> bool:
        """Whether full machines that wait for no others meet the tighter budget."""
        configuration = self.usable[place]
        if self.dispatch is Dispatch.PER_CONFIG:
            return machines * configuration.throughput >= self.tight_needs[place]
        return collects(self.dispatch) or execution(configuration, self.dispatch) <= self.tightest

    def _residual_demand(self, label: _Label, place: int, budget: float) -> float:
        if not label.batches:
            return self.needs[place] if budget is self.budget else self.tight_needs[place]
        configuration = self.usable[place]
        slack = budget - configuration.duration
        return (configuration.batch + label.batches) / slack if slack > 0 else math.inf

    def _push_residual(self, label: _Label, place: int) -> None:
        throughput = self.throughputs[place]
        rate = max(label.open, self._residual_demand(label, place, self.budget))
        if rate > throughput * (1 - RATE_TOLERANCE):
            return
        spent = label.spent + rate / throughput * self.charges[place]
        if spent < self.cap - COST_TOLERANCE * spent:
            heappush(self.heap, (spent, 0.0, self.pushed, label, place))
            self.pushed += 1
            rate = max(label.tight, self._residual_demand(label, place, self.tightest))
            if rate <= throughput * (1 - RATE_TOLERANCE):
                self._undercut(label.spent + rate / throughput * self.charges[place])

    def _dominated(self, label: _Label) -> bool:
        """Whether a label kept earlier may do the same from less at no more cost; else keep this one."""
        place = label.place
        anywhere = self.is_free and (place < 0 or label.open >= self.tight_needs[place])
        if self.kept[-1 if anywhere else place].covers(label):
            return True
        for kept in {place, -1} if self.is_free else {place}:
            self.kept[kept].add(label)
        return False

    def _schedule(self, last: _Label, residual: int) -> list[DispatchTuple]:
        machines: dict[Configuration, int] = {}
        label: _Label | None = last
        while label is not None and label.place >= 0:
            configuration = self.usable[label.place]
            machines[configuration] = machines.get(configuration, 0) + label.machines
            label = label.parent
        parts = [DispatchTuple.full(configuration, count) for configuration, count in machines.items()][::-1]
        if residual >= 0:
            rate = max(last.open, self._residual_demand(last, residual, self.budget))
            parts.append(DispatchTuple.residual(self.usable[residual], rate))
        return parts


class _Kept:
    """Labels met so far at one place: a staircase of (-M, cost) for each use of tracked types and sum of batches."""

    def __init__(self, pricing: Pricing) -> None:
        self._pricing = pricing
        self._stairs: dict[tuple[Usage, int], Staircase] = {}

    def covers(self, label: _Label) -> bool:
        """Whether one of no more use, batches and cost leaves less open at the tighter budget than ``label`` does."""
        cost = self._pricing.cost(label.spent, label.usage)
        return any(
            batches <= label.batches and no_more(usage, label.usage) and stairs.covers(-label.open, cost)
            for (usage, batches), stairs in self._stairs.items()
        )

    def add(self, label: _Label) -> None:
        """Keep a label."""
        cost = self._pricing.cost(label.spent, label.usage)
        self._stairs.setdefault((label.usage, label.batches), Staircase()).add(-label.tight, cost)
