"""Cheapest schedules of fractional billing under a latency budget and ``edf`` dispatch.

Groups are added in descending order of batch duration, the order in which they enter the demand bound. With D = L - d
and F the sum of rho D - b over the groups so far, a further group k may start when the capacity X from it on is at
least (b_k - F) / D_k: the largest of these demands, less what was added since, is the capacity M still asked for, as in
`harpagon.solvers.exact.descent`. The rate f of a residual is known in the end only. From its turn on it counts in F
with -b alone, M asks f + X >= M, and each group k after it adds a demand of its own, f D_r + D_k X >= b_k - F.
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
from harpagon.solvers.exact.pricing import LIST_PRICES, Pricing, no_more

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harpagon.formulations.problem import ModuleProblem
    from harpagon.instances.instance import Configuration
    from harpagon.solvers.exact.pricing import Usage


@dataclass(frozen=True, slots=True)
class _Ask:
    """What the groups so far ask within one budget.

    ``asked`` is M, ``surplus`` is F, ``later`` holds the demands (b_k - F, D_k) of groups after the residual, less what
    was added since.
    """

    asked: float
    surplus: float
    later: tuple[tuple[float, float], ...] = ()

    def started(self, batch: int, due: float, *, after_residual: bool) -> _Ask:
        """With a further group, or the residual, before any machine of it."""
        need = batch - self.surplus
        if after_residual:
            return _Ask(self.asked, -need, (*self.later, (need, due)))
        return _Ask(max(self.asked, _rate(need, due)), -need)

    def grown(self, rate: float, due: float) -> _Ask:
        """With machines of this rate added to the last group."""
        later = tuple((need - weight * rate, weight) for need, weight in self.later)
        return _Ask(self.asked - rate, self.surplus + rate * due, later)

    def residual_rate(self, due: float) -> float:
        """Smallest rate of the residual if nothing is added."""
        return max([self.asked, *(_rate(need, due) for need, _ in self.later)])


def _rate(need: float, due: float) -> float:
    """Requests per second that bring ``need`` requests in ``due`` seconds."""
    return need / due if due > 0 else math.inf if need > 0 else 0.0


@dataclass(frozen=True, slots=True)
class _Label:
    """Groups so far: the last full one has ``machines`` of the configuration at ``place``.

    ``residual`` is the place of the residual or -1; ``at`` the budget's demands, ``tight`` those of the tighter one.
    """

    parent: _Label | None
    place: int
    machines: int
    residual: int
    at: _Ask
    tight: _Ask
    spent: float
    usage: Usage


def descend_by_deadline(
    problem: ModuleProblem,
    budget: float,
    cap: float = math.inf,
    pricing: Pricing = LIST_PRICES,
    effort: Effort | None = None,
    tightest: float | None = None,
) -> Iterator[list[DispatchTuple]]:
    """As `harpagon.solvers.exact.descent.descend`, under ``edf``."""
    usable = sorted(
        (c for c in problem.configurations if collection_rate(c, budget) < math.inf),
        key=lambda c: (-c.duration, -c.ratio, c.hardware),
    )
    if usable:
        yield from _Descent(problem.rate, usable, budget, cap, pricing, effort or Effort(), tightest or budget).run()


class _Descent:
    def __init__(
        self,
        rate: float,
        usable: list[Configuration],
        budget: float,
        cap: float,
        pricing: Pricing,
        effort: Effort,
        tightest: float,
    ) -> None:
        self.rate = rate
        self.usable = usable
        self.dues = [budget - c.duration for c in usable]
        self.tight_dues = [tightest - c.duration for c in usable]
        self.listing = tightest < budget
        self.pricing = pricing
        self.effort = effort
        self.charges = [pricing.charge(c) for c in usable]
        self.best_ratio = max(c.throughput / charge for c, charge in zip(usable, self.charges, strict=True))
        self.cap = cap
        self.heap: list[tuple[float, float, int, bool, _Label]] = []
        self.pushed = 0
        self.kept: defaultdict[tuple[int, bool, int], list[_Label]] = defaultdict(list)

    def run(self) -> Iterator[list[DispatchTuple]]:
        nothing = _Ask(self.rate, 0.0)
        self._push(_Label(None, -1, 0, -1, nothing, nothing, 0.0, self.pricing.nothing()))
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
            self._push(self._grown(self._started(label, place, label.residual)))
        if label.residual < 0:
            for place in range(max(0, label.place), len(self.usable)):
                self._push(self._started(label, place, place))

    def _started(self, label: _Label, place: int, residual: int) -> _Label:
        """``label`` with a further group, or its residual, and no machine of it yet."""
        batch, after = self.usable[place].batch, label.residual >= 0
        at = label.at.started(batch, self.dues[place], after_residual=after)
        tight = label.tight.started(batch, self.tight_dues[place], after_residual=after) if self.listing else at
        return _Label(label, place, 0, residual, at, tight, label.spent, label.usage)

    def _grown(self, label: _Label) -> _Label:
        """``label`` with one machine more of its last group."""
        configuration, place = self.usable[label.place], label.place
        at = label.at.grown(configuration.throughput, self.dues[place])
        return _Label(
            parent=label.parent,
            place=place,
            machines=label.machines + 1,
            residual=label.residual,
            at=at,
            tight=label.tight.grown(configuration.throughput, self.tight_dues[place]) if self.listing else at,
            spent=label.spent + self.charges[place],
            usage=self.pricing.add(label.usage, configuration, 1) if self.pricing.tracked else label.usage,
        )

    def _push(self, label: _Label) -> None:
        if label.residual >= 0:
            rate = max(0.0, label.at.residual_rate(self.dues[label.residual]))
            if rate or self.listing:
                self._push_bounded(label, self._charge(label, rate), complete=True)
            self._undercut(self._charge(label, max(0.0, label.tight.residual_rate(self.tight_dues[label.residual]))))
        elif label.at.asked <= self.rate * RATE_TOLERANCE:
            self._push_bounded(label, label.spent, complete=True)
            if label.tight.asked <= self.rate * RATE_TOLERANCE:
                self._undercut(label.spent)
                return
        self._push_bounded(label, label.spent + max(0.0, label.at.asked) / self.best_ratio, complete=False)

    def _push_bounded(self, label: _Label, bound: float, *, complete: bool) -> None:
        if bound < self.cap - COST_TOLERANCE * bound:
            heappush(self.heap, (bound, label.at.asked, self.pushed, complete, label))
            self.pushed += 1

    def _charge(self, label: _Label, rate: float) -> float:
        """Dollars per hour with the residual at ``rate``, infinity where that is a whole machine or more."""
        throughput = self.usable[label.residual].throughput
        if rate > throughput * (1 - RATE_TOLERANCE):
            return math.inf
        return label.spent + rate / throughput * self.charges[label.residual]

    def _undercut(self, charge: float) -> None:
        """A schedule of this charge meets the tighter budget: no other is wanted that is charged more at the looser."""
        if not self.pricing.tracked:
            self.cap = min(self.cap, charge)

    def _dominated(self, label: _Label) -> bool:
        """Whether a label kept earlier may do the same from less at no more cost; else keep this one."""
        kept = self.kept[label.place, label.machines > 0, label.residual]
        if any(self._dominates(other, label) for other in kept):
            return True
        kept.append(label)
        return False

    def _dominates(self, one: _Label, other: _Label) -> bool:
        if one.tight.asked > other.at.asked or not no_more(one.usage, other.usage):
            return False
        if self.pricing.cost(one.spent, one.usage) > self.pricing.cost(other.spent, other.usage):
            return False
        if one.at.surplus < other.at.surplus or one.tight.surplus < other.tight.surplus:
            return False
        if one.residual < 0 or not one.at.later:
            return True
        due = self.tight_dues[one.residual]
        if due <= 0:
            return False
        return all(
            need / due <= max(0.0, other.at.asked)
            or any(need <= asked and weight >= least for asked, least in other.at.later)
            for (need, _), (_, weight) in zip(one.tight.later, one.at.later, strict=True)
        )

    def _schedule(self, last: _Label) -> list[DispatchTuple]:
        parts = []
        if last.residual >= 0:
            configuration = self.usable[last.residual]
            # at the budget a listed residual may have nothing to do: only its configuration counts
            rate = max(last.at.residual_rate(self.dues[last.residual]), RATE_TOLERANCE * configuration.throughput)
            parts.append(DispatchTuple.residual(configuration, rate))
        label: _Label | None = last
        while label is not None:
            if label.machines:
                parts.append(DispatchTuple.full(self.usable[label.place], label.machines))
            label = label.parent
        return list(in_dispatch_order(parts))
