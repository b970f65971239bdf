"""Latency moved along a pipeline until no padded residual gains from more of it.

With its structure fixed, a module's cost is a convex curve in its latency (`harpagon.heuristics.harpagon_plus.curves`).
Moving a moment hands latency from the modules on one side of it to those on the other
(`harpagon.heuristics.harpagon_plus.moments`), and costs change by a convex function of the step, whose least value
bisection finds. Every moment is moved alone, and up to three that hang together jointly, so that latency also passes by
modules that have none to give; one after another until nothing gains.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harpagon.heuristics.harpagon_plus.curves import Curve
    from harpagon.heuristics.harpagon_plus.moments import Moments, Order

_JOINTLY = 3
_SWEEPS = 30
_HALVINGS = 24
_GAIN = 1e-7
"""Relative gain of a sweep below which there is no further one."""


class _Shift(NamedTuple):
    """Moments that move together: modules that end there, modules that start there, orders that bound the move."""

    moved: tuple[int, ...]
    ending: tuple[int, ...]
    starting: tuple[int, ...]
    after: tuple[Order, ...]
    before: tuple[Order, ...]


class Balance:
    """What moves together in a pipeline.

    Parameters
    ----------
    moments
        Of the pipeline.
    slo
        Seconds allowed on every path.
    """

    def __init__(self, moments: Moments, slo: float) -> None:
        self.moments = moments
        self.slo = slo
        self.shifts = [_shift(moments, moved) for moved in _linked(moments)]

    def latencies(self, curves: Sequence[Curve], wished: Sequence[float]) -> list[float] | None:
        """Seconds per module that together cost least, as far as single shifts reach.

        ``wished`` latencies are the start; where they miss the SLO, all shrink towards the quickest of the curves. None
        where even those miss it.
        """
        network = self.moments.network
        quickest = [curve.quickest for curve in curves]
        least, length = network.length(quickest), network.length(wished)
        if least > self.slo:
            return None
        share = 1.0 if length <= self.slo else (self.slo - least) / (length - least)
        moments = self.moments.earliest([q + share * (w - q) for q, w in zip(quickest, wished, strict=True)])
        balanced = self.moments.latencies(moments)
        cost = _cost(curves, balanced)
        for _ in range(_SWEEPS):
            for shift in self.shifts:
                step = _best_step(shift, curves, balanced, moments)
                if step:
                    for module in shift.ending:
                        balanced[module] += step
                    for module in shift.starting:
                        balanced[module] -= step
                    for moment in shift.moved:
                        moments[moment] += step
            before, cost = cost, _cost(curves, balanced)
            if cost >= before * (1 - _GAIN):
                break
        return balanced


def _linked(moments: Moments) -> list[tuple[int, ...]]:
    """Every moment, and every set of a few that hang together."""
    sets: list[tuple[int, ...]] = [(moment,) for moment in range(moments.count)]
    links = moments.links
    found = dict.fromkeys(sets)
    for _ in range(_JOINTLY - 1):
        sets = [
            tuple(sorted({*one, *link})) for one in sets for link in links if (link[0] in one) is not (link[1] in one)
        ]
        found |= dict.fromkeys(sets)
    return list(found)


def _shift(moments: Moments, moved: tuple[int, ...]) -> _Shift:
    ends = {m for m, when in enumerate(moments.ends) if when.moment in moved}
    starts = {m for m, when in enumerate(moments.starts) if when.moment in moved}
    after = tuple(o for o in moments.orders if o.earlier in moved and o.later not in moved)
    before = tuple(o for o in moments.orders if o.later in moved and o.earlier not in moved)
    return _Shift(moved, tuple(sorted(ends - starts)), tuple(sorted(starts - ends)), after, before)


def _best_step(shift: _Shift, curves: Sequence[Curve], latencies: Sequence[float], moments: Sequence[float]) -> float:
    """Seconds by which the moments of a shift are best moved later."""
    ending = [(curves[m], latencies[m]) for m in shift.ending]
    starting = [(curves[m], latencies[m]) for m in shift.starting]
    least = max([*(c.quickest - latency for c, latency in ending), *_gaps(shift.before, moments)])
    most = -max([*(c.quickest - latency for c, latency in starting), *_gaps(shift.after, moments)])
    if least >= most:
        return 0.0

    def gains(step: float) -> bool:
        saved = sum(curve.steepness(latency + step) for curve, latency in ending)
        return saved > sum(curve.steepness(latency - step) for curve, latency in starting)

    shortest = (most - least) / 2**_HALVINGS
    if gains(0.0):
        least = max(least, 0.0)
    elif gains(-shortest):
        return 0.0
    else:
        most = min(most, 0.0)
    while most - least > shortest:
        step = (least + most) / 2
        if gains(step):
            least = step
        else:
            most = step
    return least if least >= 0 else most


def _gaps(orders: Iterable[Order], moments: Sequence[float]) -> list[float]:
    """Seconds, below 0, by which the orders have room."""
    return [moments[order.earlier] + order.gap - moments[order.later] for order in orders]


def _cost(curves: Sequence[Curve], latencies: Sequence[float]) -> float:
    return sum(curve.cost(latency) for curve, latency in zip(curves, latencies, strict=True))
