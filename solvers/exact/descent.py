"""Cheapest schedule with a residual under a latency budget: fractional billing.

Full tuples and one residual share the rate T exactly, so the rate R that is left runs down from T as tuples are
added from the front of the dispatch order. What a tuple sees before it starts is known: R itself is its w under
``tc`` and ``free``. The schedule ends with a residual that takes all of R. Best-first search with the bound
cost + R / (best ratio still usable); a label is dropped when another one with the same R and the same freedom was
reached at no more cost.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import accumulate
from typing import TYPE_CHECKING

from harpagon.formulations.physics import COST_TOLERANCE, RATE_TOLERANCE, collection_rate, execution
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Dispatch
from harpagon.solvers.exact.effort import Effort
from harpagon.solvers.exact.pricing import LIST_PRICES, Pricing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harpagon.formulations.problem import ModuleProblem
    from harpagon.instances.instance import Configuration
    from harpagon.solvers.exact.pricing import Usage


@dataclass(frozen=True, slots=True)
class _Label:
    """Full tuples so far: the last one has ``machines`` of the configuration at ``place``.

    ``left`` is the rate still to serve, ``batches`` the sum of the batch sizes in use.
    """

    parent: _Label | None
    place: int
    machines: int
    left: float
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
) -> Iterator[list[DispatchTuple]]:
    """Cheapest schedule with exactly one residual that meets ``budget``.

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

    Yields
    ------
    list of DispatchTuple
        In dispatch order, the residual last; the schedule of least charge, then, where use is tracked, others.

    Raises
    ------
    OutOfEffortError
        Where ``effort`` is used up.
    """
    usable = [c for c in problem.configurations if collection_rate(c, budget) <= problem.rate]
    if usable:
        yield from _Descent(problem.rate, usable, budget, dispatch, cap, pricing, effort or Effort()).run()


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
    ) -> None:
        self.effort = effort
        self.rate = rate
        self.usable = usable
        self.budget = budget
        self.dispatch = dispatch
        self.cap = cap
        self.pricing = pricing
        self.charges = [pricing.charge(c) for c in usable]
        self.ratios = [c.throughput / charge for c, charge in zip(usable, self.charges, strict=True)]
        self.needs = [collection_rate(c, budget) for c in usable]
        ascending = sorted(zip(self.needs, self.ratios, strict=True))
        self.thresholds = [need for need, _ in ascending]
        self.best_ratios = [0.0, *accumulate((ratio for _, ratio in ascending), max)]
        self.residuals = [i for i, c in enumerate(usable) if self.needs[i] < c.throughput * (1 - RATE_TOLERANCE)]
        self.widest = max((usable[i].throughput for i in self.residuals), default=0.0)
        self.least = min((self.needs[i] for i in self.residuals), default=math.inf)
        self.heap: list[tuple[float, float, int, _Label, int]] = []
        self.pushed = 0
        self.seen: set[tuple[int, int, float, Usage]] = set()

    def run(self) -> Iterator[list[DispatchTuple]]:
        root = _Label(None, -1, 0, self.rate, 0, 0.0, self.pricing.nothing())
        heappush(self.heap, (0.0, self.rate, 0, root, -1))
        while self.heap:
            self.effort.spend(len(self.heap))
            _, _, _, label, residual = heappop(self.heap)
            if residual >= 0:
                yield self._schedule(label, residual)
                continue
            if self._repeated(label):
                continue
            if label is not root:
                self._push(label.parent or root, label.place, label.machines + 1)
            self._branch(label)

    def _branch(self, label: _Label) -> None:
        for place in self._starts(label):
            self._push(label, place, self._fewest(place))
        if label.left < self.widest:
            for place in self.residuals:
                if self._may_end(label, place):
                    self._push_residual(label, place)

    def _starts(self, label: _Label) -> list[int]:
        """Places of the configurations of which a full tuple may follow ``label``."""
        left, needs = label.left, self.needs
        if self.dispatch is Dispatch.FREE:
            return [place for place, need in enumerate(needs) if need <= left and place != label.place]
        later = range(label.place + 1, len(needs))
        if self.dispatch is Dispatch.ROUND_ROBIN:
            return [place for place in later if execution(self.usable[place], self.dispatch) <= self.budget]
        if self.dispatch is Dispatch.TC_SAFE:
            return [place for place in later if self._demand(label, place) <= left]
        return [place for place in later if needs[place] <= left]

    def _fewest(self, place: int) -> int:
        if self.dispatch is Dispatch.PER_CONFIG:
            return max(1, math.ceil(self.needs[place] / self.usable[place].throughput))
        return 1

    def _may_end(self, label: _Label, place: int) -> bool:
        """Whether a residual of the configuration at ``place`` may take all that ``label`` leaves."""
        below_capacity = label.left < self.usable[place].throughput * (1 - RATE_TOLERANCE)
        return below_capacity and label.left >= self._demand(label, place)

    def _demand(self, label: _Label, place: int) -> float:
        """Smallest rate from a tuple on, itself included, at which it meets the budget."""
        if self.dispatch is not Dispatch.TC_SAFE:
            return self.needs[place]
        configuration = self.usable[place]
        batches, slack = configuration.batch + label.batches, self.budget - configuration.duration
        return batches / slack if slack > 0 else math.inf if batches else 0.0

    def _push(self, parent: _Label, place: int, machines: int) -> None:
        configuration = self.usable[place]
        left = parent.left - machines * configuration.throughput
        if left < self.least or left <= RATE_TOLERANCE * self.rate:
            return
        spent = parent.spent + machines * self.charges[place]
        bound = spent + left / max(self.ratios[place], self._best_ratio(left))
        if bound < self.cap - COST_TOLERANCE * bound:
            batches = parent.batches + configuration.batch
            usage = parent.usage
            if self.pricing.tracked:
                usage = self.pricing.add(usage, configuration, machines)
            label = _Label(parent, place, machines, left, batches, spent, usage)
            heappush(self.heap, (bound, left, self.pushed, label, -1))
            self.pushed += 1

    def _push_residual(self, label: _Label, place: int) -> None:
        spent = label.spent + label.left / self.ratios[place]
        if spent < self.cap - COST_TOLERANCE * spent:
            if not self.pricing.tracked:
                self.cap = spent
            heappush(self.heap, (spent, 0.0, self.pushed, label, place))
            self.pushed += 1

    def _best_ratio(self, left: float) -> float:
        """Best throughput-cost ratio among the configurations that may still start, 0 where none may."""
        return self.best_ratios[bisect_right(self.thresholds, left)]

    def _repeated(self, label: _Label) -> bool:
        """Whether a label with the same rate left and the same freedom was expanded before, at no more cost."""
        place = label.place
        if self.dispatch is Dispatch.FREE and place >= 0 and label.left >= self.needs[place]:
            place = -1
        key = (
            place,
            label.batches if self.dispatch is Dispatch.TC_SAFE else 0,
            round(label.left / self.rate, 12),
            label.usage,
        )
        if key in self.seen:
            return True
        self.seen.add(key)
        return False

    def _schedule(self, last: _Label, residual: int) -> list[DispatchTuple]:
        machines: dict[Configuration, int] = {}
        label: _Label | None = last
        while label is not None and label.place >= 0:
            configuration = self.usable[label.place]
            machines[configuration] = machines.get(configuration, 0) + label.machines
            label = label.parent
        parts = [DispatchTuple.residual(self.usable[residual], last.left)]
        parts += [DispatchTuple.full(configuration, count) for configuration, count in machines.items()]
        return parts[::-1]
