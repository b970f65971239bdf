"""Cheapest schedules that keep a budget by earliest deadlines: fractional billing over open batches, and under ``edf``.

Groups are added in ascending order of batch duration, the residual at its turn. Its rate f, from 0 to t_r, is chosen
at the end: the least that covers the requests and every demand. With D = x - d, W the capacity of the full groups so
far and A(W + f) what late requests add, the demand of group k is met when

    F_k + D_k W_k + f min(D_r, D_k) - b_k >= A(W + f),    F_k the sum of rho D - b over the groups added after k:

a line in f per group. All groups up to the residual share the slope D_r, so of theirs the lowest is enough. A is the
highest of some falling lines, so the least f is the largest of a few quotients.

The same search lists what matters between two budgets, schedules of full groups alone included. Every figure is kept at
the tighter one: a demand left grows with the budget by the capacity so far, so what is no less at the tighter budget,
with no less capacity, is no less at any looser one.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from heapq import heappop, heappush
from math import inf, isinf
from typing import TYPE_CHECKING, TypeAlias

from harpagon.formulations.physics import RATE_TOLERANCE, collection_rate, in_dispatch_order
from harpagon.instances.plan import DispatchTuple
from harpagon.solvers.exact.effort import Effort
from harpagon.solvers.exact.pricing import LIST_PRICES, no_more

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harpagon.formulations.problem import ModuleProblem
    from harpagon.instances.instance import Configuration
    from harpagon.solvers.exact.pricing import Pricing, Usage

_UP = 1e-12
"""Share of the request rate by which a residual's is rounded up, so that capacity never falls short."""
_NONE_LATE = ((0.0, 0.0),)
_LEAST_SUPPLY = 1e-300
"""Where all configurations take the whole budget, nothing is added to a demand left."""
_Line: TypeAlias = tuple[float, float]
"""Demand left at no residual, and what one request per second of it adds."""


@dataclass(frozen=True, slots=True)
class _Label:
    """Groups so far: the last full one has ``machines`` of the configuration at ``place``, 0 after the residual.

    At the tighter budget ``head`` is the lowest demand left of the groups up to the residual, ``lines`` are those of
    the groups after it; ``need`` is a capacity that no complete schedule can do without.
    """

    parent: _Label | None
    place: int
    machines: int
    residual: int
    capacity: float
    head: float
    lines: tuple[_Line, ...]
    need: float
    spent: float
    usage: Usage


def descend_over_open_batches(
    problem: ModuleProblem,
    budget: float,
    allowance: Sequence[tuple[float, float]],
    cap: float,
    pricing: Pricing,
    effort: Effort | None = None,
    tightest: float | None = None,
) -> Iterator[tuple[DispatchTuple, ...]]:
    """Schedules of full groups, and one residual or none, within ``budget`` seconds, the cheapest first.

    Parameters
    ----------
    problem
        Rate and batched configurations.
    budget
        Seconds.
    allowance
        Pairs (seconds, requests): late requests add the largest of requests - capacity x seconds.
    cap
        Dollars per hour that a schedule has to undercut.
    pricing
        Charges, and the hardware types whose use is tracked.
    effort
        What the search may take.
    tightest
        Seconds; every schedule is wanted that may be the cheapest at a budget from here to ``budget``.

    Raises
    ------
    OutOfEffortError
        Where ``effort`` is used up.
    """
    # Full machines work at their durations at worst.
    rates = {c: c.batch / c.duration for c in problem.configurations if c.duration < budget}
    if rates:
        between = (budget if tightest is None else tightest, budget)
        yield from _Descent(problem.rate, rates, between, allowance, cap, pricing, effort or Effort()).run()


def descend_by_deadline(
    problem: ModuleProblem,
    budget: float,
    cap: float = inf,
    pricing: Pricing = LIST_PRICES,
    effort: Effort | None = None,
    tightest: float | None = None,
) -> Iterator[tuple[DispatchTuple, ...]]:
    """As `descend_over_open_batches`, under ``edf``: no request comes late, and machines work as in the mean."""
    rates = {c: c.throughput for c in problem.configurations if collection_rate(c, budget) < inf}
    if rates:
        between = (budget if tightest is None else tightest, budget)
        yield from _Descent(problem.rate, rates, between, _NONE_LATE, cap, pricing, effort or Effort()).run()


class _Descent:
    def __init__(
        self,
        rate: float,
        rates: Mapping[Configuration, float],
        between: tuple[float, float],
        allowance: Sequence[tuple[float, float]],
        cap: float,
        pricing: Pricing,
        effort: Effort,
    ) -> None:
        self.effort = effort
        self.rate = rate
        self.usable = usable = sorted(rates, key=lambda c: (c.duration, -c.ratio))
        self.rates = [rates[c] for c in usable]
        self.allowance = allowance
        self.cap = cap
        self.pricing = pricing
        tightest, budget = between
        self.stretch = budget - tightest
        self.dues = [_due(c, tightest) for c in usable]
        self.charges = [pricing.charge(c) for c in usable]
        # A residual is paid for by its mean throughput.
        self.ratios = [c.throughput / charge for c, charge in zip(usable, self.charges, strict=True)]
        self.least = min(most for seconds, most in allowance if seconds == 0)
        self.needs = [_quotient(c.batch + self.least, budget - c.duration) for c in usable]
        self.own_supplies = [ratio * _due(c, budget) for ratio, c in zip(self.ratios, usable, strict=True)]
        self.supplies = [max(_LEAST_SUPPLY, *self.own_supplies[place:]) for place in range(len(usable))]
        self.stairs = [_staircase(self.needs[place:], self.ratios[place:]) for place in range(len(usable))]
        self.heap: list[tuple[float, float, int, float | None, _Label]] = []
        self.pushed = 0
        self.kept: defaultdict[tuple[int, int, bool], list[tuple[float, float, float, _Label]]] = defaultdict(list)

    def run(self) -> Iterator[tuple[DispatchTuple, ...]]:
        self._branch(_Label(None, -1, 0, -1, 0.0, inf, (), self.rate, 0.0, self.pricing.nothing()))
        while self.heap:
            bound, _, _, rate, label = heappop(self.heap)
            self.effort.spend(len(self.heap))
            if bound > self.cap:
                return
            if rate is not None:
                yield self._schedule(label, rate)
            elif not self._dominated(label):
                self._offer(label)
                if label.machines:
                    assert label.parent is not None, "a group is added to a label"
                    self._push(self._with_group(label.parent, label.place, label.machines + 1))
                self._branch(label)

    def _branch(self, label: _Label) -> None:
        for place in range(label.place + 1, len(self.usable)):
            self._push(self._with_group(label, place, 1))
        if label.residual < 0:
            for place in range(max(0, label.place), len(self.usable)):
                self._push(self._with_residual(label, place))

    def _with_group(self, label: _Label, place: int, machines: int) -> _Label:
        """``label`` with a full group."""
        configuration, due = self.usable[place], self.dues[place]
        rate = machines * self.rates[place]
        capacity = label.capacity + rate
        own = due * capacity - configuration.batch
        added = rate * due - configuration.batch
        head, lines = label.head + added, tuple((left + added, slope) for left, slope in label.lines)
        if label.residual < 0:
            head = min(head, own)
        else:
            lines = (*lines, (own, due))
        usage = label.usage
        if self.pricing.tracked:
            usage = self.pricing.add(usage, configuration, machines)
        spent = label.spent + machines * self.charges[place]
        need = max(label.need, self.needs[place])
        return _Label(label, place, machines, label.residual, capacity, head, lines, need, spent, usage)

    def _with_residual(self, label: _Label, place: int) -> _Label:
        """``label`` with its residual chosen, at a rate yet to be found."""
        batch = self.usable[place].batch
        head = min(label.head - batch, self.dues[place] * label.capacity - batch)
        need = max(label.need, self.needs[place])
        return _Label(label, place, 0, place, label.capacity, head, (), need, label.spent, label.usage)

    def _push(self, label: _Label) -> None:
        bound = label.spent + self._still_to_pay(label)
        if label.spent < self.cap and bound <= self.cap:
            heappush(self.heap, (bound, -label.capacity, self.pushed, None, label))
            self.pushed += 1

    def _still_to_pay(self, label: _Label) -> float:
        """Least charge for what is missing of capacity, where further configurations ask for more, and of demands."""
        missing = self.least - label.head - self.stretch * label.capacity
        supply = missing / self._best_supply(label) if missing > 0 else 0.0
        if label.capacity >= label.need:
            return supply
        started = self._started(label)
        least = (label.need - label.capacity) / started if started else inf
        for need, ratio in self.stairs[max(0, label.place)]:
            least = min(least, (max(label.need, need) - label.capacity) / ratio)
        return max(least, supply)

    def _started(self, label: _Label) -> float:
        """Best throughput-cost ratio of what may grow and asks for nothing more, 0 for nothing."""
        last = self.ratios[label.place] if label.machines else 0.0
        return max(last, self.ratios[label.residual]) if label.residual >= 0 else last

    def _best_supply(self, label: _Label) -> float:
        """Most that a dollar per hour adds to the lowest demand left at the looser budget, above 0."""
        best = self.supplies[max(0, label.place)]
        return max(best, self.own_supplies[label.residual]) if label.residual >= 0 else best

    def _offer(self, label: _Label) -> None:
        """Queue the schedule that ``label`` already is, at the least rate of its residual, and lower the cap by it."""
        if label.residual >= 0:
            rate = self._least_rate(label, self.stretch)
            self._queue(label, self._charge(label, rate), rate)
            self._undercut(self._charge(label, self._least_rate(label, 0.0)))
        elif self._is_served(label) and self._is_whole(label, self.stretch, -_UP):
            self._queue(label, label.spent, 0.0)
            # What rounding may refuse must not cut off what costs hardly more.
            if self._is_whole(label, 0.0, _UP):
                self._undercut(label.spent)

    def _is_served(self, label: _Label) -> bool:
        """Whether these full groups get open batches: a tuple alone does not, its latency is that of closed forms."""
        assert label.parent is not None, "a group is added to a label"
        return self.allowance is _NONE_LATE or label.parent.machines > 0

    def _queue(self, label: _Label, charge: float, rate: float) -> None:
        if charge <= self.cap and charge < inf:
            heappush(self.heap, (charge, 0.0, self.pushed, rate, label))
            self.pushed += 1

    def _undercut(self, charge: float) -> None:
        """A schedule of this charge keeps the tighter budget: nothing dearer is wanted."""
        if not self.pricing.tracked:
            self.cap = min(self.cap, charge)

    def _charge(self, label: _Label, rate: float) -> float:
        """Dollars per hour with the residual at ``rate``, infinity where that is a whole machine or more."""
        if rate > self.rates[label.residual] * (1 - RATE_TOLERANCE):
            return inf
        return label.spent + rate * self.charges[label.residual] / self.usable[label.residual].throughput

    def _least_rate(self, label: _Label, later: float) -> float:
        """Least f that covers the requests and meets every demand: left + f slope >= most - (W + f) s / R.

        At the budget that is ``later`` seconds above the tighter one.
        """
        lines = ((label.head, self.dues[label.residual]), *label.lines)
        rate = max(self.rate - label.capacity, 0.0)
        grown = later * label.capacity
        for left, slope in lines:
            for seconds, most in self.allowance:
                needed, gain = most - label.capacity * seconds - left - grown, slope + later + seconds
                if needed > rate * gain:
                    if gain <= 0:
                        return inf
                    rate = needed / gain
        return rate + _UP * self.rate

    def _is_whole(self, label: _Label, later: float, margin: float) -> bool:
        """Whether the full groups alone keep the budget that is ``later`` seconds above the tighter one.

        ``margin`` is the share by which capacity and slack must be above what is asked.
        """
        late = max(most - label.capacity * seconds for seconds, most in self.allowance) * (1 + margin)
        return label.capacity >= self.rate * (1 + margin) and label.head + later * label.capacity >= late

    def _dominated(self, label: _Label) -> bool:
        """Whether a label kept earlier at the same place leaves no less of every demand; else keep this one."""
        kept = self.kept[label.place, label.residual, label.machines > 0]
        capacity, head, cost = label.capacity, label.head, self.pricing.cost(label.spent, label.usage)
        # Most of the search is this loop, and figures tell most labels apart.
        for more, higher, cheaper, other in kept:
            if more >= capacity and higher >= head and cheaper <= cost and self._covers(other, label):
                return True
        kept.append((capacity, head, cost, label))
        return False

    def _covers(self, other: _Label, label: _Label) -> bool:
        """Whether a label of no less capacity and head and no more cost uses no more and has no lower line."""
        return no_more(other.usage, label.usage) and all(self._has_lower(label, line) for line in other.lines)

    def _has_lower(self, label: _Label, line: _Line) -> bool:
        """Whether ``label`` has a line that is nowhere above this one at the rates that a residual can have."""
        most = self.usable[label.residual].throughput
        left, full = line[0], line[0] + line[1] * most
        lines = ((label.head, self.dues[label.residual]), *label.lines)
        return any(low <= left and low + slope * most <= full for low, slope in lines)

    def _schedule(self, last: _Label, rate: float) -> tuple[DispatchTuple, ...]:
        parts = [DispatchTuple.residual(self.usable[last.residual], rate)] if last.residual >= 0 else []
        label: _Label | None = last
        while label is not None:
            if label.machines:
                parts.append(DispatchTuple.full(self.usable[label.place], label.machines))
            label = label.parent
        return in_dispatch_order(parts)


def _due(configuration: Configuration, budget: float) -> float:
    """Seconds that the budget leaves beside a batch; 0 where a stated latency passes it by rounding alone."""
    slack = budget - configuration.duration
    return slack if isinf(collection_rate(configuration, budget)) else max(slack, 0.0)


def _quotient(requests: float, seconds: float) -> float:
    return requests / seconds if requests > 0 else 0.0


def _staircase(needs: Sequence[float], ratios: Sequence[float]) -> list[tuple[float, float]]:
    """Pairs by rising need, each of a better ratio than all before."""
    best, stairs = 0.0, []
    for need, ratio in sorted(zip(needs, ratios, strict=True)):
        if ratio > best:
            best = ratio
            stairs.append((need, ratio))
    return stairs
