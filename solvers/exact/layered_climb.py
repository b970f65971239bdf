"""Cheapest schedule of whole machines where the dispatch policy fixes the order of configurations.

As in `climb`, a schedule is built from the end of the dispatch order, but configurations are visited in the one
order that the policy prescribes, each at most once with n >= 1 machines. What has been built is a label (capacity
W, slack s, cost); the slack carries what the tuples behind still need from those before them. `Rule` says, per
policy, in which order configurations are visited and how a tuple changes the slack. Best-first search with the bound
cost + (N - W) / max r, N being the rate T or, if more, the capacity that a configuration in use needs in all; a label
is dropped when another one, at the same or an earlier configuration, has no less capacity and slack at no more cost.

All configurations yet to be visited can take only so much of the slack away, its reserve. More slack than the reserve
is of no use, so it is cut off; labels that have it all are compared in capacity and cost alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Protocol

from harpagon.formulations.physics import RATE_TOLERANCE, collection_rate, tc_order
from harpagon.instances.policies import Dispatch
from harpagon.solvers.exact.climb import Staircase
from harpagon.solvers.exact.effort import Effort
from harpagon.solvers.exact.pricing import LIST_PRICES, Pricing, no_more

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harpagon.formulations.problem import ModuleProblem
    from harpagon.instances.instance import Configuration
    from harpagon.solvers.exact.climb import Counts
    from harpagon.solvers.exact.pricing import Usage


_ROUNDING = 1e-13
"""Share of the largest batch by which a slack may fall below zero and still count as zero: rounding, no more."""


class Rule(Protocol):
    """How a dispatch policy constrains tuples that are added from the end of the dispatch order to its front.

    Attributes
    ----------
    relaxed_by_free
        Whether every schedule also meets its budget under ``free``.
    """

    relaxed_by_free: bool

    def visits(self, configurations: Sequence[Configuration]) -> list[Configuration]:
        """Configurations in the order in which they may be added."""
        ...

    def fewest(self, configuration: Configuration, budget: float, behind: float) -> float:
        """Fewest machines of a new tuple with capacity ``behind`` it, infinity for none."""
        ...

    def slack(self, configuration: Configuration, budget: float, rate: float, behind: float, slack: float) -> float:
        """Slack after a tuple at ``rate`` is added before capacity ``behind`` with ``slack``."""
        ...

    def may_recover(self) -> bool:
        """Whether tuples added later can raise a negative slack."""
        ...

    def reserve(self, configuration: Configuration, budget: float) -> float:
        """Most slack that a new tuple of this configuration takes away."""
        ...

    def allowance(self, capacity: float) -> float:
        """Slack that must be left at this capacity: no more at a larger one."""
        ...

    def need(self, configuration: Configuration, budget: float) -> float:
        """Capacity that no complete schedule with this configuration can do without."""
        ...

    def grows_alike(self, same_place: bool, saturated: bool) -> bool:
        """Whether one more machine leaves a label dominated by what dominates it, or by that and one more machine.

        ``same_place`` tells whether both end with the same configuration, ``saturated`` whether the dominating label
        has all the slack that can be of use.
        """
        ...


class ThroughputCostRule:
    """``tc``: d + b / w <= L, ascending throughput-cost ratio. There is no slack to carry."""

    relaxed_by_free = True

    def visits(self, configurations: Sequence[Configuration]) -> list[Configuration]:
        return sorted(configurations, key=tc_order, reverse=True)

    def fewest(self, configuration: Configuration, budget: float, behind: float) -> float:
        missing = collection_rate(configuration, budget) - behind
        return max(1, math.ceil(missing / configuration.throughput))

    def slack(self, configuration: Configuration, budget: float, rate: float, behind: float, slack: float) -> float:
        return slack

    def may_recover(self) -> bool:
        return False

    def reserve(self, configuration: Configuration, budget: float) -> float:
        return 0.0

    def allowance(self, capacity: float) -> float:
        return 0.0

    def need(self, configuration: Configuration, budget: float) -> float:
        return 0.0

    def grows_alike(self, same_place: bool, saturated: bool) -> bool:
        return True


class PriorityRule(ThroughputCostRule):
    """``tc-safe``: d + (b + B) / w <= L, B the batches of the tuples before.

    The slack is the largest B that all tuples so far allow: (L - d) w - b of each, less the batches since added.
    """

    def slack(self, configuration: Configuration, budget: float, rate: float, behind: float, slack: float) -> float:
        own = (budget - configuration.duration) * (behind + rate)
        return min(slack, own) - configuration.batch

    def reserve(self, configuration: Configuration, budget: float) -> float:
        return configuration.batch

    def grows_alike(self, same_place: bool, saturated: bool) -> bool:
        return saturated


class PerConfigurationRule(ThroughputCostRule):
    """``per-config``: d + b / (n t) <= L, whatever stands behind."""

    def fewest(self, configuration: Configuration, budget: float, behind: float) -> float:
        return super().fewest(configuration, budget, 0.0)

    def grows_alike(self, same_place: bool, saturated: bool) -> bool:
        return same_place


class DeadlineRule:
    """``edf``: demand bound of earliest-deadline-first service, ascending batch duration.

    With D = L - d, the condition at group k is F + D_k w_k >= b_k, where F sums rho D - b over the groups of longer
    duration, which are added later, and w_k is the rate of k and of all groups of shorter duration. The slack is the
    smallest F + D_k w_k - b_k so far; groups added later change F.
    """

    relaxed_by_free = False

    def visits(self, configurations: Sequence[Configuration]) -> list[Configuration]:
        return sorted(configurations, key=lambda c: (c.duration, tc_order(c)))

    def fewest(self, configuration: Configuration, budget: float, behind: float) -> float:
        return 1

    def slack(self, configuration: Configuration, budget: float, rate: float, behind: float, slack: float) -> float:
        due = budget - configuration.duration
        return min(slack + rate * due, (behind + rate) * due) - configuration.batch

    def may_recover(self) -> bool:
        return True

    def reserve(self, configuration: Configuration, budget: float) -> float:
        return max(0.0, configuration.batch - configuration.throughput * (budget - configuration.duration))

    def allowance(self, capacity: float) -> float:
        return 0.0

    def need(self, configuration: Configuration, budget: float) -> float:
        return collection_rate(configuration, budget)

    def grows_alike(self, same_place: bool, saturated: bool) -> bool:
        return same_place or saturated


RULES: dict[Dispatch, Rule] = {
    Dispatch.TC: ThroughputCostRule(),
    Dispatch.TC_SAFE: PriorityRule(),
    Dispatch.PER_CONFIG: PerConfigurationRule(),
    Dispatch.EDF: DeadlineRule(),
}


@dataclass(frozen=True, slots=True)
class _Label:
    """The schedule so far: ``machines`` of the configuration visited at ``place``, added to ``parent``.

    ``need`` is a capacity that no complete schedule from here can do without.
    """

    parent: _Label | None
    place: int
    machines: int
    capacity: float
    need: float
    slack: float
    spent: float
    usage: Usage


def layered_climb(
    problem: ModuleProblem,
    budget: float,
    rule: Rule,
    cap: float = math.inf,
    pricing: Pricing = LIST_PRICES,
    effort: Effort | None = None,
) -> Iterator[Counts]:
    """Cheapest whole machines that meet ``budget`` under ``rule``.

    Parameters
    ----------
    problem
        Rate, configurations, machines in spare that every tuple has beside.
    budget
        Seconds.
    rule
        Dispatch policy.
    cap
        Dollars per hour above which a schedule is of no interest.
    pricing
        Charges, and the hardware types whose use is tracked.
    effort
        What the search may spend.

    Yields
    ------
    list
        Configurations with their machines, those in spare left out; the schedule of least charge, then, where use is
        tracked, those that are better in cost or use.

    Raises
    ------
    OutOfEffortError
        Where ``effort`` is used up.
    """
    usable = [c for c in problem.configurations if collection_rate(c, budget) < math.inf]
    if usable:
        visits = rule.visits(usable)
        yield from _Search(problem, visits, budget, rule, cap, pricing, effort or Effort()).run()


class _Search:
    def __init__(
        self,
        problem: ModuleProblem,
        visits: list[Configuration],
        budget: float,
        rule: Rule,
        cap: float,
        pricing: Pricing,
        effort: Effort,
    ) -> None:
        self.effort = effort
        self.rounding = _ROUNDING * max(c.batch for c in visits)
        self.target = problem.rate * (1 - RATE_TOLERANCE)
        self.spare = problem.spare
        self.visits = visits
        self.budget = budget
        self.rule = rule
        self.cap = cap
        self.pricing = pricing
        self.charges = [pricing.charge(c) for c in visits]
        self.throughputs = [c.throughput for c in visits]
        ratios = [rate / charge for rate, charge in zip(self.throughputs, self.charges, strict=True)]
        self.best_ratios = [max(ratios[place:]) for place in range(len(visits))]
        self.needs = [rule.need(c, budget) * (1 - RATE_TOLERANCE) for c in visits]
        reserves = [rule.reserve(c, budget) for c in visits]
        most = rule.allowance(self.target)
        self.reserves = [most + math.fsum(reserves[place + 1 :]) for place in range(len(visits))]
        self.heap: list[tuple[float, float, int, _Label]] = []
        self.pushed = 0
        self.kept: list[list[tuple[float, float, float, Usage]]] = [[] for _ in visits]
        self.saturated = [Staircase() for _ in visits]

    def run(self) -> Iterator[Counts]:
        root = _Label(None, -1, 0, 0.0, self.target, math.inf, 0.0, self.pricing.nothing())
        self._branch(root)
        while self.heap:
            self.effort.spend(len(self.heap))
            _, _, _, label = heappop(self.heap)
            dominator = self._dominator(label)
            if dominator is None and self._complete(label.capacity, label.slack):
                yield self._counts(label)
                continue
            if dominator is None:
                self._branch(label)
            if dominator is None or not self._follows(*dominator):
                self._push(label.parent or root, label.place, label.machines + 1)

    def _follows(self, same_place: bool, saturated: bool) -> bool:
        """Whether one more machine need not be tried; a new tuple of one machine would cost the spare ones beside."""
        return (same_place or not self.spare) and self.rule.grows_alike(same_place, saturated)

    def _complete(self, capacity: float, slack: float) -> bool:
        return capacity >= self.target and slack >= self.rule.allowance(capacity) - self.rounding

    def _branch(self, label: _Label) -> None:
        for place in range(label.place + 1, len(self.visits)):
            fewest = self.rule.fewest(self.visits[place], self.budget, label.capacity)
            self._push(label, place, int(fewest))

    def _push(self, parent: _Label, place: int, machines: int) -> None:
        configuration = self.visits[place]
        rate = machines * self.throughputs[place]
        capacity = parent.capacity + rate
        spent = parent.spent + (machines + self.spare) * self.charges[place]
        need = max(parent.need, self.needs[place])
        bound = spent + max(0.0, need - capacity) / self.best_ratios[place]
        if bound > self.cap:
            return
        slack = self.rule.slack(configuration, self.budget, rate, parent.capacity, parent.slack)
        slack = min(slack, self.reserves[place])
        if slack < -self.rounding and not self.rule.may_recover():
            return
        usage = parent.usage
        if self.pricing.tracked:
            usage = self.pricing.add(usage, configuration, machines + self.spare)
        elif self._complete(capacity, slack):
            self.cap = spent
        label = _Label(parent, place, machines, capacity, need, slack, spent, usage)
        heappush(self.heap, (bound, -capacity, self.pushed, label))
        self.pushed += 1

    def _dominator(self, label: _Label) -> tuple[bool, bool] | None:
        """What `Rule.grows_alike` asks of a label kept earlier that is as good; else None, and keep this one."""
        cost = self.pricing.cost(label.spent, label.usage) if label.usage else label.spent
        for place in range(label.place, -1, -1):
            if self.saturated[place].covers(label.capacity, cost):
                return place == label.place, True
            for capacity, slack, least, usage in self.kept[place]:
                if (
                    capacity >= label.capacity
                    and slack >= label.slack
                    and least <= cost
                    and no_more(usage, label.usage)
                ):
                    return place == label.place, slack >= self.reserves[place]
        if label.slack >= self.reserves[label.place] and not self.pricing.tracked:
            self.saturated[label.place].add(label.capacity, cost)
        else:
            self.kept[label.place].append((label.capacity, label.slack, cost, label.usage))
        return None

    def _counts(self, label: _Label | None) -> Counts:
        counts = []
        while label is not None and label.place >= 0:
            counts.append((self.visits[label.place], label.machines))
            label = label.parent
        return counts
