"""Cheapest schedule with a residual under a latency budget and ``edf`` dispatch: fractional billing.

Groups are added in descending order of batch duration, the order in which they enter the demand bound. With
D = L - d, rate left R (a residual's share included until the end), and F the sum of rho D - b over the groups so far,
a further group k may start when F + D_k R >= b_k, whatever its number of machines. A residual of rate f is chosen
when its turn comes, its rate is what remains in the end. Until then it counts in F with -b only, and each group k
after it asks f (D_k - D_r) <= F + D_k R - b_k: an upper bound on f that the label carries.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from harpagon.formulations.physics import COST_TOLERANCE, RATE_TOLERANCE, collection_rate, in_dispatch_order
from harpagon.instances.plan import DispatchTuple
from harpagon.solvers.exact.effort import Effort
from harpagon.solvers.exact.pricing import LIST_PRICES, Pricing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harpagon.formulations.problem import ModuleProblem
    from harpagon.instances.instance import Configuration
    from harpagon.solvers.exact.pricing import Usage

_ROUNDING = 1e-13
"""Share of the largest batch by which a demand may pass its supply and still count as met: rounding, no more."""


@dataclass(frozen=True, slots=True)
class _Label:
    """Groups so far: the last full one has ``machines`` of the configuration at ``place``.

    ``left`` is the rate still to serve, ``surplus`` is F, ``residual`` the place of the residual or -1, ``most`` the
    largest rate it may have.
    """

    parent: _Label | None
    place: int
    machines: int
    left: float
    surplus: float
    residual: int
    most: float
    spent: float
    usage: Usage


def descend_by_deadline(
    problem: ModuleProblem,
    budget: float,
    cap: float = math.inf,
    pricing: Pricing = LIST_PRICES,
    effort: Effort | None = None,
) -> Iterator[list[DispatchTuple]]:
    """Cheapest schedule with exactly one residual that meets ``budget`` under ``edf``.

    Parameters
    ----------
    problem
        Rate and configurations.
    budget
        Seconds.
    cap
        Dollars per hour that the schedule has to undercut.
    pricing
        Charges, and the hardware types whose use is tracked.
    effort
        What the search may spend.

    Yields
    ------
    list of DispatchTuple
        The residual last; the schedule of least charge, then, where use is tracked, others.

    Raises
    ------
    OutOfEffortError
        Where ``effort`` is used up.
    """
    usable = [c for c in problem.configurations if collection_rate(c, budget) <= problem.rate]
    if usable:
        usable.sort(key=lambda c: (-c.duration, -c.ratio, c.hardware))
        yield from _Descent(problem.rate, usable, budget, cap, pricing, effort or Effort()).run()


class _Descent:
    def __init__(
        self,
        rate: float,
        usable: list[Configuration],
        budget: float,
        cap: float,
        pricing: Pricing,
        effort: Effort,
    ) -> None:
        self.effort = effort
        self.rounding = _ROUNDING * max(c.batch for c in usable)
        self.rate = rate
        self.usable = usable
        self.dues = [budget - c.duration for c in usable]
        self.pricing = pricing
        self.charges = [pricing.charge(c) for c in usable]
        self.ratios = [c.throughput / charge for c, charge in zip(usable, self.charges, strict=True)]
        self.best_ratios = [max(self.ratios[place:]) for place in range(len(usable))]
        self.cap = cap
        self.heap: list[tuple[float, float, int, bool, _Label]] = []
        self.pushed = 0
        self.kept: defaultdict[tuple[int, int, float, Usage], list[tuple[float, float, float]]] = defaultdict(list)

    def run(self) -> Iterator[list[DispatchTuple]]:
        self._push(_Label(None, -1, 0, self.rate, 0.0, -1, math.inf, 0.0, self.pricing.nothing()))
        while self.heap:
            self.effort.spend(len(self.heap))
            _, _, _, complete, label = heappop(self.heap)
            if complete:
                yield self._schedule(label)
                continue
            if self._dominated(label):
                continue
            if label.machines:
                self._push(self._grown(label))
            self._branch(label)

    def _branch(self, label: _Label) -> None:
        for place in range(label.place + 1, len(self.usable)):
            self._push(self._started(label, place))
        if label.residual < 0:
            for place in range(max(0, label.place), len(self.usable)):
                self._push(self._with_residual(label, place))

    def _started(self, label: _Label, place: int) -> _Label | None:
        """``label`` with one machine of a new full group, None where its demand is not met."""
        configuration, due = self.usable[place], self.dues[place]
        spare = label.surplus + due * label.left - configuration.batch
        if spare < -self.rounding:
            return None
        most = label.most
        if label.residual >= 0 and due > self.dues[label.residual]:
            most = min(most, spare / (due - self.dues[label.residual]))
        surplus = label.surplus - configuration.batch
        return self._grown(_Label(label, place, 0, label.left, surplus, label.residual, most, label.spent, label.usage))

    def _grown(self, label: _Label) -> _Label:
        """``label`` with one machine more of its last group."""
        configuration = self.usable[label.place]
        return _Label(
            parent=label.parent,
            place=label.place,
            machines=label.machines + 1,
            left=label.left - configuration.throughput,
            surplus=label.surplus + configuration.throughput * self.dues[label.place],
            residual=label.residual,
            most=label.most,
            spent=label.spent + self.charges[label.place],
            usage=self.pricing.add(label.usage, configuration, 1) if self.pricing.tracked else label.usage,
        )

    def _with_residual(self, label: _Label, place: int) -> _Label | None:
        """``label`` with its residual chosen, None where its demand is not met."""
        configuration = self.usable[place]
        surplus = label.surplus - configuration.batch
        if surplus + self.dues[place] * label.left < -self.rounding:
            return None
        most = configuration.throughput * (1 - RATE_TOLERANCE)
        return _Label(label, place, 0, label.left, surplus, place, most, label.spent, label.usage)

    def _push(self, label: _Label | None) -> None:
        if label is None or label.left <= RATE_TOLERANCE * self.rate:
            return
        self._push_bounded(label, self._best_ratio(label), complete=False)
        if label.residual >= 0 and label.left <= label.most:
            self._push_bounded(label, self.ratios[label.residual], complete=True)

    def _push_bounded(self, label: _Label, ratio: float, *, complete: bool) -> None:
        bound = label.spent + label.left / ratio if ratio else math.inf
        if bound < self.cap - COST_TOLERANCE * bound:
            heappush(self.heap, (bound, label.left, self.pushed, complete, label))
            self.pushed += 1
            if complete and not self.pricing.tracked:
                self.cap = bound

    def _best_ratio(self, label: _Label) -> float:
        """Best throughput-cost ratio among what may still serve the rate left."""
        best = self.best_ratios[max(0, label.place)]
        return max(best, self.ratios[label.residual]) if label.residual >= 0 else best

    def _dominated(self, label: _Label) -> bool:
        """Whether a label kept earlier serves the same rate no worse; else keep this one."""
        place = label.place if label.machines else ~label.place
        kept = self.kept[place, label.residual, round(label.left / self.rate, 12), label.usage]
        if any(s >= label.surplus and m >= label.most and c <= label.spent for s, m, c in kept):
            return True
        kept.append((label.surplus, label.most, label.spent))
        return False

    def _schedule(self, last: _Label) -> list[DispatchTuple]:
        parts = [DispatchTuple.residual(self.usable[last.residual], last.left)]
        label: _Label | None = last
        while label is not None:
            if label.machines:
                parts.append(DispatchTuple.full(self.usable[label.place], label.machines))
            label = label.parent
        return list(in_dispatch_order(parts))
