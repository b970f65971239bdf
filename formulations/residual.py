"""Padded residuals: how fast the last machine of a fractional schedule has to work, and what that costs.

A structure is a list of full tuples and one residual (c, f); dummy requests may raise f up to the throughput of c.
Every policy asks of f, within a latency budget L, a list of demands

    f >= work / (L - delay) - behind ,

and of the structure that L be no smaller than what its full tuples take at any f. With B the batches of tuples before,
W the rate of the full tuples from one on, d and b those of the tuple or of the residual:

============== ==============================================================================================
tc, free       work b, delay d, behind W for every full tuple; work b, delay d, behind 0 for the residual
tc-safe        the same with work b + B
per-config     the residual's alone; L >= d + b / (n t) of every full tuple
round-robin    the residual's alone; L >= 2 d of every full tuple
edf            for every group k, with D = max(d_k, d of the residual) and W of all full tuples: delay D, behind W, and
               work (sum of b over groups with d >= d_k) + (sum over full tuples of rho (max(d, d_k) - D))
============== ==============================================================================================

Both readings follow: the cheapest rate within L, and L at a rate f, which is the largest delay + work / (f + behind).
Cost is linear in f, and every demand is convex in L: two schedules of one structure mix into a third that is no dearer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from harpagon.formulations.physics import (
    RATE_TOLERANCE,
    TIME_TOLERANCE,
    collects_alone,
    module_latency,
    serves_due_first,
    waits_for_front,
)
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Billing, Dispatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.instances.instance import Configuration


def has_curves(billing: Billing, dispatch: Dispatch) -> bool:
    """Whether a module's cost falls continuously with its latency, which a padded residual makes it do."""
    return billing is Billing.FRACTIONAL


_ROUNDING = 1e-12
"""Relative rate by which a residual works beyond its demands, so that rounding leaves it within its budget."""


class Demand(NamedTuple):
    """f >= work / (budget - delay) - behind: requests, seconds, requests per second."""

    work: float
    delay: float
    behind: float


@dataclass(frozen=True, slots=True)
class Structure:
    """Full tuples with the configuration of a residual, whose rate is open; or full tuples alone.

    Attributes
    ----------
    full
        In dispatch order.
    residual
        Configuration of the last, partly used machine, or None.
    least
        Requests per second that the residual serves at least: what the full tuples leave.
    floor
        Seconds that the full tuples take whatever the residual does.
    demands
        Of the dispatch policy on the residual's rate.
    top
        Requests per second that the policy counts on from the residual's machine, at most its throughput.
    """

    full: tuple[DispatchTuple, ...]
    residual: Configuration | None
    least: float
    floor: float
    demands: tuple[Demand, ...]
    top: float = math.inf

    @classmethod
    def of(
        cls, full: Sequence[DispatchTuple], residual: Configuration | None, rate: float, dispatch: Dispatch
    ) -> Structure:
        """Structure that serves ``rate`` requests per second under ``dispatch``, which is not ``paced``."""
        least = max(0.0, rate - sum(part.rate for part in full))
        if residual is None:
            return cls(tuple(full), None, 0.0, module_latency(full, dispatch), ())
        demands = tuple(demand for demand in _demands(full, residual, dispatch) if demand.work > 0)
        return cls(tuple(full), residual, least, _floor(full, residual, dispatch), demands)

    @property
    def most(self) -> float:
        """Largest rate of the residual: below its machine's throughput, where it would be a full machine."""
        return 0.0 if self.residual is None else min(self.residual.throughput * (1 - RATE_TOLERANCE), self.top)

    @property
    def quickest(self) -> float:
        """Smallest latency in seconds, infinity where the residual cannot serve what is left."""
        return self.latency(self.most) if self.least <= self.most else math.inf

    @property
    def slowest(self) -> float:
        """Latency in seconds without more padding than capacity asks for; infinity where that leaves no rate."""
        return self.latency(self.least)

    def latency(self, rate: float) -> float:
        """Worst-case latency in seconds with the residual at ``rate`` requests per second."""
        return max([self.floor, *(delay + _quotient(work, rate + behind) for work, delay, behind in self.demands)])

    def rate(self, budget: float) -> float:
        """Smallest rate of the residual within ``budget`` seconds, infinity where none is small enough."""
        if self.quickest > budget + TIME_TOLERANCE:
            return math.inf
        needed = [_quotient(work, budget - delay) - behind for work, delay, behind in self.demands]
        return min(max([self.least, *(rate * (1 + _ROUNDING) for rate in needed)]), self.most)

    def slope(self, budget: float) -> float:
        """Derivative of `rate` at ``budget``: requests per second per second, not above 0."""
        rate, slope = self.least, 0.0
        for work, delay, behind in self.demands:
            needed = _quotient(work, budget - delay) - behind
            if needed > rate:
                rate, slope = needed, -work / (budget - delay) ** 2
        return slope

    def schedule(self, rate: float) -> tuple[DispatchTuple, ...]:
        """Tuples in dispatch order with the residual at ``rate``; without it where it has nothing to do."""
        if self.residual is None or (self.full and rate <= self.most * RATE_TOLERANCE):
            return self.full
        return (*self.full, DispatchTuple.residual(self.residual, rate))


def structure_of(schedule: Sequence[DispatchTuple], rate: float, dispatch: Dispatch) -> Structure:
    """Structure of a schedule that serves ``rate`` requests per second under any policy but ``paced``."""
    *full, last = schedule
    if last.is_residual:
        return Structure.of(full, last.configuration, rate, dispatch)
    return Structure.of(schedule, None, rate, dispatch)


def _quotient(work: float, rest: float) -> float:
    return work / rest if rest > 0 else math.inf


def _floor(full: Sequence[DispatchTuple], residual: Configuration, dispatch: Dispatch) -> float:
    """What machines take at any rate of the residual: their durations, and what hangs on no rate but their own."""
    own = module_latency(full, dispatch) if full and collects_alone(dispatch) else 0.0
    return max([own, residual.duration, *(part.configuration.duration for part in full)])


def _demands(full: Sequence[DispatchTuple], residual: Configuration, dispatch: Dispatch) -> list[Demand]:
    if serves_due_first(dispatch):
        return demands_by_deadline(full, [part.rate for part in full], residual)
    if collects_alone(dispatch):
        return [Demand(residual.batch, residual.duration, 0.0)]
    return _demands_in_order(full, residual, waiting=waits_for_front(dispatch))


def _demands_in_order(full: Sequence[DispatchTuple], residual: Configuration, *, waiting: bool) -> list[Demand]:
    """Of batch-aware policies; ``waiting``: a tuple waits for the batches of those before it."""
    demands = []
    behind, before = sum(part.rate for part in full), 0
    for part in full:
        demands.append(Demand(part.configuration.batch + before, part.configuration.duration, behind))
        behind -= part.rate
        before += part.configuration.batch if waiting else 0
    return [*demands, Demand(residual.batch + before, residual.duration, 0.0)]


def demands_by_deadline(
    full: Sequence[DispatchTuple],
    rates: Sequence[float],
    residual: Configuration,
    late: Sequence[tuple[float, float]] = ((0.0, 0.0),),
) -> list[Demand]:
    """Of ``edf``: the demand bound of every group k, solved for the rate of the residual.

    ``rates`` are those of the full tuples, in requests per second; ``late`` are pairs (seconds, requests): what comes
    late adds the most of requests - capacity x seconds to every bound.
    """
    groups = [*(part.configuration for part in full), residual]
    behind = math.fsum(rates)
    demands = []
    for pivot in groups:
        delay = max(pivot.duration, residual.duration)
        work = math.fsum(group.batch for group in groups if group.duration >= pivot.duration)
        work += sum(
            rate * (max(part.configuration.duration, pivot.duration) - delay)
            for part, rate in zip(full, rates, strict=True)
        )
        demands += [Demand(work + requests, delay - seconds, behind) for seconds, requests in late]
    return demands
