"""The curve of one structure, cost against latency, and where it lies least above a price of latency."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from harpagon.solvers.exact.pricing import LIST_PRICES

if TYPE_CHECKING:
    from harpagon.formulations.residual import Demand, Structure
    from harpagon.solvers.exact.pricing import Pricing

_STEPS = 60
_NEAR = 1e-12
"""Relative difference of latencies, or of rates, that rounding leaves."""


class Priced(NamedTuple):
    """Least cost + price x latency of a curve, dollars per hour, with the latency in seconds and the cost there."""

    value: float
    latency: float
    cost: float


class Curve:
    """Convex cost of a structure, from its quickest to the loosest latency of use.

    Parameters
    ----------
    structure
        What runs.
    latest
        Seconds that the module may take at most.
    pricing
        Charges.
    """

    __slots__ = ("fixed", "high", "low", "structure", "unit")

    def __init__(self, structure: Structure, latest: float, pricing: Pricing = LIST_PRICES) -> None:
        residual = structure.residual
        self.structure = structure
        self.fixed = sum(part.machines * pricing.charge(part.configuration) for part in structure.full)
        self.unit = 0.0 if residual is None else pricing.charge(residual) / residual.throughput
        self.low = structure.quickest
        self.high = self.low if residual is None else max(self.low, min(latest, structure.slowest))

    def cost(self, latency: float) -> float:
        """Dollars per hour within ``latency`` seconds."""
        return self.fixed + self.unit * self._binding(latency)[0] if self.unit else self.fixed

    def share(self, latency: float) -> float:
        """Share of the residual's machine within ``latency`` seconds."""
        residual = self.structure.residual
        return 0.0 if residual is None else self._binding(latency)[0] / residual.throughput

    def least(self, second: float) -> Priced:
        """Least cost + ``second`` x latency, ``second`` in dollars per hour per second."""
        latency = self._least_at(second) if self.unit and self.low < self.high else self.high
        cost = self.cost(latency)
        return Priced(cost + second * latency, latency, cost)

    def _least_at(self, second: float) -> float:
        """Latency of the least: slopes rise, so pieces that fall and pieces that rise close in on it."""
        low, high = self.low, self.high
        rising = self._binding(high)[1]
        if second <= 0 or self._slope(rising, high) + second <= 0:
            return high
        falling = self._binding(low)[1]
        if falling is None or self._slope(falling, low) + second >= 0:
            return low
        for _ in range(_STEPS):
            if falling is rising or high - low <= _NEAR * high:
                break
            middle = self._crossing(falling, rising)
            if not low < middle < high:
                middle = (low + high) / 2
            rate, binding = self._binding(middle)
            meet = rate - min(_rate(falling, middle), self._rate_of(rising, middle)) <= _NEAR * (rate + falling.behind)
            if meet and self._slope(falling, middle) + second <= 0 <= self._slope(rising, middle) + second:
                return middle
            if binding is None or self._slope(binding, middle) + second > 0:
                high, rising = middle, binding
            else:
                low, falling = middle, binding
        return min(max(falling.delay + math.sqrt(self.unit * falling.work / second), low), high)

    def _binding(self, latency: float) -> tuple[float, Demand | None]:
        """Rate of the residual, and the demand that asks for it: None for what the full tuples leave."""
        most, binding = self.structure.least, None
        for demand in self.structure.demands:
            rate = _rate(demand, latency)
            if rate > most:
                most, binding = rate, demand
        return most, binding

    def _rate_of(self, demand: Demand | None, latency: float) -> float:
        return self.structure.least if demand is None else _rate(demand, latency)

    def _slope(self, demand: Demand | None, latency: float) -> float:
        """Dollars per hour per second."""
        return 0.0 if demand is None else -self.unit * demand.work / (latency - demand.delay) ** 2

    def _crossing(self, one: Demand, other: Demand | None) -> float:
        """Largest latency at which two pieces ask for the same rate, NaN for none."""
        if other is None:
            rate = self.structure.least + one.behind
            return one.delay + one.work / rate if rate > 0 else math.nan
        behind, work = one.behind - other.behind, one.work - other.work
        rest = one.work * other.delay - other.work * one.delay
        if not behind:
            return rest / work if work else math.nan
        half = (behind * (one.delay + other.delay) + work) / 2
        root = half * half - behind * (behind * one.delay * other.delay + rest)
        return (half + math.sqrt(root)) / behind if root >= 0 else math.nan


def _rate(demand: Demand, latency: float) -> float:
    return demand.work / (latency - demand.delay) - demand.behind if latency > demand.delay else math.inf
