"""Covers: machines of least charge with enough capacity, however late. What they cost bounds what schedules cost.

A cover with capacity to spare is the cheapest for all rates up to what it has, so each is found once, for all modules
of one model and all their budgets.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import TYPE_CHECKING

from harpagon.formulations.physics import collection_rate
from harpagon.formulations.problem import ModuleProblem
from harpagon.solvers.exact.climb import climb

if TYPE_CHECKING:
    from harpagon.instances.instance import Configuration
    from harpagon.solvers.exact.effort import Effort
    from harpagon.solvers.exact.pricing import Pricing


class Covers:
    """Covers at some prices, model by model."""

    def __init__(self, pricing: Pricing) -> None:
        self.pricing = pricing
        self._models: dict[tuple[Configuration, ...], ModelCovers] = {}

    def of(self, configurations: tuple[Configuration, ...]) -> ModelCovers:
        """Covers by these configurations."""
        if configurations not in self._models:
            self._models[configurations] = ModelCovers(configurations, self.pricing)
        return self._models[configurations]


class ModelCovers:
    """Covers by the configurations of one model, and by some of them."""

    def __init__(self, configurations: tuple[Configuration, ...], pricing: Pricing) -> None:
        self.configurations = configurations
        self.pricing = pricing
        self.ratios = [c.throughput / pricing.charge(c) for c in configurations]
        self._known: dict[int, list[tuple[float, float, float]]] = {}

    def bound(self, rate: float, budget: float, cap: float, effort: Effort | None) -> float:
        """Dollars per hour that no schedule of a batch-aware policy undercuts.

        All that is asked is q_c <= total capacity for every configuration c in use. The largest q in use, or the rate
        where that is more, is what the capacity must be.

        Parameters
        ----------
        rate
            Requests per second.
        budget
            Seconds within which every configuration in use collects its batch and runs it.
        cap
            Dollars per hour from which on a bound is of no interest: it may be larger then.
        effort
            What the search may spend.

        Raises
        ------
        OutOfEffortError
            Where ``effort`` is used up.
        """
        rates = ((collection_rate(c, budget), place) for place, c in enumerate(self.configurations))
        needs = sorted((max(rate, least), place) for least, place in rates if least < math.inf)
        best_ratio = max((self.ratios[place] for _, place in needs), default=1.0)
        bound, usable = math.inf, 0
        for number, (capacity, place) in enumerate(needs):
            usable |= 1 << place
            if needs[number + 1 : number + 2] and needs[number + 1][0] == capacity:
                continue
            if capacity / best_ratio >= min(bound, cap):
                break
            bound = min(bound, self.least(capacity, usable, effort))
        return bound

    def least(self, rate: float, usable: int, effort: Effort | None) -> float:
        """Least charge for this capacity from the configurations whose bits are set in ``usable``, however late.

        Raises
        ------
        OutOfEffortError
            Where ``effort`` is used up.
        """
        known = self._known.setdefault(usable, [])
        behind = bisect_right(known, (rate, math.inf))
        if behind and rate <= known[behind - 1][1]:
            return known[behind - 1][2]
        able = tuple(c for place, c in enumerate(self.configurations) if usable >> place & 1)
        counts = next(climb(ModuleProblem("cover", rate, able), math.inf, math.inf, self.pricing, effort))
        charge = sum(n * self.pricing.charge(c) for c, n in counts)
        capacity = sum(n * c.throughput for c, n in counts)
        known.insert(behind, (rate, max(rate, capacity), charge))  # it may be less by the tolerance
        return charge
