"""The master problem over curves: one point per module, in the convex hull of its curves, every path in time.

A linear program over points (latency, cost) of curves. Its dual values price every path, hence every module's latency.
With lambda_P >= 0 for the path P of allowance A_P and mu_m the sum of lambda_P over the paths through m,

    sum over m of least over its curves of (cost + mu_m x latency)  -  sum over P of lambda_P A_P

bounds every choice from below whatever the lambda are, so the bound does not depend on a solver's tolerances.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TYPE_CHECKING

from harpagon.solvers.exact.effort import OutOfEffortError
from harpagon.solvers.models.growing_program import GrowingProgram

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harpagon.graphs import PathNetwork
    from harpagon.solvers.exact.curve import Curve, Priced

_ROUNDS = 60
_NEW = 2e-9
"""Share of the scale by which a point has to lie below its price to be worth a column."""
_VISIBLE = 1e-9
"""Weight of a point below which it is rounding."""


@dataclass(frozen=True, slots=True)
class Mix:
    """What the master makes of one curve of a module: its weight, and the mean latency of its points in seconds."""

    curve: Curve
    weight: float
    latency: float


@dataclass(frozen=True, slots=True)
class Relaxed:
    """Bound of the master, infinite where no choice is in time; prices, and per module the curves it mixes.

    ``least`` is per module and curve allowed the least cost + price x latency; by ``rise`` dollars per hour the bound
    rises for every second that the SLO is tighter.
    """

    bound: float
    rise: float
    seconds: Sequence[float]
    least: Sequence[Sequence[Priced]]
    mixes: Sequence[Sequence[Mix]]


class CurveMaster:
    """Linear relaxations over the curves of one pipeline, each from the columns of those before.

    Parameters
    ----------
    network, slo
        Of the pipeline; seconds.
    scale
        Dollars per hour, of the size of a plan's cost.
    """

    def __init__(self, network: PathNetwork, slo: float, scale: float) -> None:
        self.network = network
        self.paths = list(_paths(network))
        self.slo = slo
        self.unit = slo
        self.scale = scale
        self.through = [[i for i, (path, _) in enumerate(self.paths) if m in path] for m in range(len(network.modules))]
        self.allowances = [slo - transfer for _, transfer in self.paths]
        rows = [(1.0, 1.0)] * len(network.modules) + [(-math.inf, allowance / slo) for allowance in self.allowances]
        self.program = GrowingProgram(rows)
        self.columns: list[tuple[int, Curve, float]] = []
        self.quickest: set[Curve] = set()

    def change_slo(self, slo: float) -> None:
        """Seconds of the next relaxations."""
        self.slo = slo
        self.allowances = [slo - transfer for _, transfer in self.paths]
        for i, allowance in enumerate(self.allowances, len(self.through)):
            self.program.change_row(i, -math.inf, allowance / self.unit)

    def relax(self, allowed: Sequence[Sequence[Curve]], enough: float) -> Relaxed:
        """Bound over the curves ``allowed`` per module; it may end early where that passes ``enough``."""
        if not self._add_quickest(allowed):
            return Relaxed(math.inf, 0.0, (), (), ())
        sets = list(map(set, allowed))
        self.program.open([curve in sets[m] for m, curve, _ in self.columns])
        best = Relaxed(-math.inf, 0.0, (), (), ())
        for _ in range(_ROUNDS):
            solved = self.program.solve()
            if solved is None:
                raise OutOfEffortError
            values, duals = solved
            seconds, rise, bound = self._prices(duals)
            least = [[curve.least(second) for curve in curves] for curves, second in zip(allowed, seconds, strict=True)]
            bound += sum(min(priced)[0] for priced in least)
            if bound > best.bound:
                best = Relaxed(bound, rise, seconds, least, ())
            if bound >= enough or not self._add_new(allowed, least, duals):
                break
        return replace(best, mixes=self._mixes(values, len(allowed)))

    def _add_quickest(self, allowed: Sequence[Sequence[Curve]]) -> bool:
        """Add the quickest point of every module, with which the master has a solution; whether they are in time."""
        quickest = [min(curves, key=attrgetter("low")) for curves in allowed]
        for m, curve in enumerate(quickest):
            if curve not in self.quickest:
                self.quickest.add(curve)
                self._add(m, curve, curve.low, curve.cost(curve.low))
        return self.network.length([curve.low for curve in quickest]) <= self.slo

    def _prices(self, duals: Sequence[float]) -> tuple[list[float], float, float]:
        """Price of a second per module, of a second on all paths, and what these are worth, negative."""
        modules = len(self.through)
        prices = [max(0.0, -dual) * self.scale / self.unit for dual in duals[modules:]]
        worth = sum(price * allowance for price, allowance in zip(prices, self.allowances, strict=True))
        return [sum(prices[i] for i in own) for own in self.through], sum(prices), -worth

    def _add_new(
        self, allowed: Sequence[Sequence[Curve]], least: Sequence[Sequence[Priced]], duals: Sequence[float]
    ) -> bool:
        """Add the least point of every curve that passes below what its module is worth; whether any does."""
        added = False
        for m, (curves, priced) in enumerate(zip(allowed, least, strict=True)):
            below = duals[m] * self.scale - _NEW * self.scale
            for curve, one in zip(curves, priced, strict=True):
                if one.value < below:
                    self._add(m, curve, one.latency, one.cost)
                    added = True
        return added

    def _add(self, m: int, curve: Curve, latency: float, cost: float) -> None:
        self.columns.append((m, curve, latency))
        entries = {m: 1.0} | {len(self.through) + i: latency / self.unit for i in self.through[m]}
        self.program.add(cost / self.scale, entries)

    def _mixes(self, values: Sequence[float], modules: int) -> list[list[Mix]]:
        """Per module the curves in use."""
        weights: list[dict[Curve, tuple[float, float]]] = [{} for _ in range(modules)]
        for (m, curve, latency), value in zip(self.columns, values, strict=False):
            if value > _VISIBLE:
                weight, moment = weights[m].get(curve, (0.0, 0.0))
                weights[m][curve] = (weight + value, moment + value * latency)
        return [[Mix(curve, weight, moment / weight) for curve, (weight, moment) in own.items()] for own in weights]


def _paths(network: PathNetwork) -> Iterator[tuple[frozenset[int], float]]:
    """Modules of every path from a source to a sink, and its seconds of transfer."""
    waiting: list[tuple[tuple[int, ...], float]] = [((m,), 0.0) for m in network.sources]
    while waiting:
        path, transfer = waiting.pop()
        following = network.successors[path[-1]]
        if not following:
            yield frozenset(path), transfer
        waiting += [((*path, m), transfer + more) for m, more in following]
