"""Cheapest schedule of whole machines under a latency budget and free dispatch order.

Read a dispatch order from its end. With capacity W already behind it, n more machines of configuration c meet
the budget L exactly when W + n t_c >= q_c = b_c / (L - d_c), and more capacity behind never hurts. So the cheapest
schedule is a shortest path on the capacity axis from 0 to the rate T: from W, for each c, jump to W + n t_c with
the smallest n >= 1 that meets q_c, at cost n p_c. Machines of one hardware type cost the same, so of two jumps with
equally many of them only the one with the larger throughput is needed.

The path is found by best-first search with the bound cost + (T - W) / max r, which is consistent because no jump
buys capacity below the best throughput-cost ratio.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from heapq import heappop, heappush
from typing import TYPE_CHECKING, TypeAlias

from harpagon.formulations.pareto import pareto_front
from harpagon.formulations.physics import RATE_TOLERANCE, collection_rate
from harpagon.solvers.exact.effort import Effort
from harpagon.solvers.exact.pricing import LIST_PRICES, Pricing, no_more

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harpagon.formulations.problem import ModuleProblem
    from harpagon.instances.instance import Configuration
    from harpagon.solvers.exact.pricing import Usage

Counts: TypeAlias = list[tuple["Configuration", int]]
"""Configurations with their numbers of machines, in dispatch order."""


def climb(
    problem: ModuleProblem,
    budget: float,
    cap: float = math.inf,
    pricing: Pricing = LIST_PRICES,
    effort: Effort | None = None,
) -> Iterator[Counts]:
    """Cheapest whole machines whose ``free`` worst-case latency is at most ``budget``.

    Parameters
    ----------
    problem
        Rate and configurations.
    budget
        Seconds.
    cap
        Dollars per hour above which a schedule is of no interest.
    pricing
        Charges, and the hardware types whose use is tracked.
    effort
        What the search may spend.

    Yields
    ------
    list
        The schedule of least charge, then, where use is tracked, those that are better in cost or use.

    Raises
    ------
    OutOfEffortError
        Where ``effort`` is used up.
    """
    effort = effort or Effort()
    ladders = _ladders(problem, budget, pricing)
    if not ladders:
        return
    target = problem.rate * (1 - RATE_TOLERANCE)
    best_ratio = max(steps[0][0] / charge for charge, steps in ladders)
    labels: list[tuple[int, Configuration, int]] = []
    heap: list[tuple[float, float, float, int, Usage]] = [(target / best_ratio, 0.0, 0.0, -1, pricing.nothing())]
    reached = _Reached(pricing)
    while heap:
        effort.spend(len(heap))
        _, behind, spent, label, usage = heappop(heap)
        behind = -behind
        if not reached.add(usage, min(behind, target), spent):
            continue
        if behind >= target:
            yield _dispatch_order(labels, label)
            continue
        for charge, steps in ladders:
            for capacity, machines, configuration in _jumps(steps, behind):
                spending = spent + machines * charge
                bound = spending + max(0.0, target - capacity) / best_ratio
                if bound <= cap:
                    if capacity >= target and not pricing.tracked:
                        cap = bound
                    using = pricing.add(usage, configuration, machines) if pricing.tracked else usage
                    heappush(heap, (bound, -capacity, spending, len(labels), using))
                    labels.append((label, configuration, machines))


_Step: TypeAlias = tuple[float, float, "Configuration"]


def _ladders(problem: ModuleProblem, budget: float, pricing: Pricing) -> list[tuple[float, list[_Step]]]:
    """Per hardware type its charge and its useful (throughput, q, configuration), throughput descending.

    A configuration with less throughput and no smaller q than another of the same type is of no use.
    """
    steps: defaultdict[str, list[_Step]] = defaultdict(list)
    for c in problem.configurations:
        rate = collection_rate(c, budget)
        if rate < math.inf:
            steps[c.hardware].append((c.throughput, rate, c))
    useful = [pareto_front(steps[hardware], lambda step: (-step[0], step[1])) for hardware in sorted(steps)]
    return [(pricing.charge(own[0][2]), own) for own in useful]


def _jumps(steps: list[_Step], behind: float) -> Iterator[tuple[float, int, Configuration]]:
    """Capacity reached, machines and configuration of each jump from ``behind`` on one hardware type."""
    fewest = math.inf
    for throughput, rate, configuration in steps:
        machines = max(1, math.ceil((rate - behind) / throughput))
        if machines < fewest:
            yield behind + machines * throughput, machines, configuration
            fewest = machines
            if machines == 1:
                return


class Staircase:
    """Pareto-best (capacity, cost) pairs: more capacity, less cost."""

    def __init__(self) -> None:
        self._capacities: list[float] = []
        self._costs: list[float] = []

    def covers(self, capacity: float, cost: float) -> bool:
        """Whether a pair has at least this capacity at no more cost."""
        position = bisect_left(self._capacities, capacity)
        return position < len(self._costs) and self._costs[position] <= cost

    def add(self, capacity: float, cost: float) -> bool:
        """Insert a pair; False where another has at least its capacity at no more cost."""
        if self.covers(capacity, cost):
            return False
        capacities, costs = self._capacities, self._costs
        position = start = bisect_left(capacities, capacity)
        while start and costs[start - 1] >= cost:
            start -= 1
        capacities[start:position] = [capacity]
        costs[start:position] = [cost]
        return True


class _Reached:
    """Labels met so far: a staircase for each use of tracked types."""

    def __init__(self, pricing: Pricing) -> None:
        self._pricing = pricing
        self._stairs = {pricing.nothing(): Staircase()}

    def add(self, usage: Usage, capacity: float, spent: float) -> bool:
        """Insert a label; False where another with no more use has at least its capacity at no more cost."""
        if not usage:
            return self._stairs[usage].add(capacity, spent)
        cost = self._pricing.cost(spent, usage)
        for used, stairs in self._stairs.items():
            if used != usage and no_more(used, usage) and stairs.covers(capacity, cost):
                return False
        return self._stairs.setdefault(usage, Staircase()).add(capacity, cost)


def _dispatch_order(labels: list[tuple[int, Configuration, int]], label: int) -> Counts:
    """Walk from the front of the order to its end; a configuration met twice joins its place nearer the end.

    Moving machines towards the end only adds capacity behind the others.
    """
    machines: dict[Configuration, int] = {}
    while label >= 0:
        label, configuration, count = labels[label]
        machines[configuration] = machines.pop(configuration, 0) + count
    return list(machines.items())
