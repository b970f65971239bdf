"""Column generation over points of curves: bound and plan in fractional billing, pipelines of any length, any limits.

The master (`harpagon.solvers.exact.point_master`) prices a second of every module and a machine of every limited type.
Modules of one rate and model share what is known of their curves (`harpagon.solvers.exact.curve_pricing`). Points that
undercut what their module is worth join the master, first of structures known, then of any.

A plan comes from diving: modules that the master has on one curve keep it, and of those that it mixes some are put on
one on which they meet their mean latency, which leaves the master a solution; so on until every module has its curve.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from harpagon.formulations.physics import COST_TOLERANCE, TIME_TOLERANCE, keeps_streams
from harpagon.formulations.structures import module_structure
from harpagon.solvers.exact.curve_pricing import ModuleCurves
from harpagon.solvers.exact.effort import OutOfEffortError
from harpagon.solvers.exact.point_master import PointMaster

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.formulations.planning.data import PlanningData
    from harpagon.formulations.problem import ModuleProblem
    from harpagon.formulations.residual import Structure
    from harpagon.solvers.exact.curve import Curve
    from harpagon.solvers.exact.effort import Effort
    from harpagon.solvers.exact.point_master import Mixture, Prices
    from harpagon.solvers.models.model_method import Task

_IMPROVEMENT = 1e-9
"""Share of the ceiling per module by which a point has to undercut its module's worth to be one more column."""
_TOLERANCE = 1e-9
"""Share of the ceiling per module that a bound may stay below what is known."""
_PRICES = tuple(2.0**power for power in range(-6, 5))
"""Prices of first points: how many times the least cost a second is, over the shortest latency."""
_PROOF = 4
"""Rounds from one bound to the next, where known structures alone still bring points."""
_FIXED = 0.3
"""Share of the mixed modules that one step of a dive puts on a curve."""
_POLISHED = 3
"""Rounds of pricing in one step of a dive, of modules on one curve."""
_SPARES = (0.0, TIME_TOLERANCE / 4)
"""Seconds by which the modules of a plan stay below the latencies of a solution, which may break its rows a little."""


class PointGeneration:
    """Search for a lower bound, and a plan near it.

    Parameters
    ----------
    task
        The case; plans are offered to its incumbent.
    data
        Its modules in one list.
    effort
        What the searches may spend.
    """

    def __init__(self, task: Task, data: PlanningData, effort: Effort) -> None:
        self.task = task
        self.data = data
        self.effort = effort
        self.kinds = _kinds(task, data, effort)
        self.master = PointMaster(data, task.ceiling)
        self.bound = task.floor
        self.rounds = 0
        self.mixture: Mixture | None = None
        self.prices: Prices | None = None
        self.priced = -math.inf
        self.least: list[float] = []

    def run(self) -> bool:
        """Rounds of master and pricing until no point undercuts its module's worth; whether that was reached.

        The best bound of any prices is then ``priced``, that of ``prices``, with ``least`` per module.

        Raises
        ------
        OutOfEffortError
            Where time runs out.
        """
        self._seed()
        while (mixture := self._solve()) is not None:
            self.rounds += 1
            new = self._add_known(mixture)
            if not new or self.rounds % _PROOF == 1:
                new |= self._prove(mixture)
                self.task.report(self.bound)
            if not new or self.task.is_proven(self.bound):
                self.mixture = mixture
                return True
        return False

    def _solve(self) -> Mixture | None:
        return None if self.effort.late() else self.master.solve(self.effort.time_left())

    def _seed(self) -> None:
        """Points of the incumbent, and of every module where seconds are cheap and where they are dear."""
        plan = self.task.incumbent.plan
        if plan is not None:
            modules = (module for pipeline in plan.pipelines for module in pipeline.modules.values())
            for m, module in enumerate(modules):
                structure = module_structure(module.tuples, self.data.modules[m], self.task.dispatch)
                known = self.kinds[m].add(structure)
                if known is not None:
                    self.add(m, self.kinds[m].under({}).curve(known), module.latency)
        for m, kind in enumerate(self.kinds):
            curves, earliest = kind.under({}), max(kind.earliest, TIME_TOLERANCE)
            for times in _PRICES:
                point, curve = curves.known(times * curves.cheapest / earliest)
                self.add(m, curve, point.latency)

    def add(self, m: int, curve: Curve, latency: float) -> bool:
        """Add a point of a curve of module ``m``, as near to ``latency`` as there is one; whether it is new."""
        return self.master.add(m, curve, min(max(latency, curve.low), curve.high))

    @property
    def _threshold(self) -> float:
        return _IMPROVEMENT * self.task.ceiling / len(self.kinds)

    def _add_known(self, mixture: Mixture) -> bool:
        """Add the least point of every module, after a look beside it, that undercuts; whether there was any."""
        new, prices = False, mixture.prices
        for m, kind in enumerate(self.kinds):
            point, curve = kind.under(prices.surcharges).improved(prices.seconds[m])
            if point.value < mixture.worth[m] - self._threshold:
                new |= self.add(m, curve, point.latency)
        return new

    def _prove(self, mixture: Mixture) -> bool:
        """Raise the bound by a search of every module; whether a point was added.

        Raises
        ------
        OutOfEffortError
            Where time runs out, the bound raised by what was proven before.
        """
        new, prices, late = False, mixture.prices, False
        least: list[float] = []
        for m, kind in enumerate(self.kinds):
            curves = kind.under(prices.surcharges)
            if late:
                least.append(curves.bound(prices.seconds[m]))
                continue
            try:
                found = curves.least(prices.seconds[m], _TOLERANCE * self.task.ceiling / len(self.kinds))
            except OutOfEffortError:
                late = True
                least.append(curves.bound(prices.seconds[m]))
                continue
            least.append(found.bound)
            if found.known.value < mixture.worth[m] - self._threshold:
                new |= self.add(m, found.curve, found.known.latency)
        bound = prices.fixed + math.fsum(least)
        bound -= COST_TOLERANCE * abs(bound) / 10
        self.bound = max(bound, self.bound)
        if bound > self.priced:
            self.priced, self.prices, self.least = bound, prices, least
        if late:
            raise OutOfEffortError
        return new

    # A plan

    def dive(self) -> None:
        """Offer a plan made of the last solution of the master, where `run` came to its end.

        Raises
        ------
        OutOfEffortError
            Where time runs out.
        """
        assert self.mixture is not None, "reached"
        mixture = self.mixture
        chosen: list[Structure | None] = [None] * len(self.kinds)
        while None in chosen:
            self._fix(chosen, mixture)
            polished = self._polished(chosen)
            if polished is None or not all(polished.mixes):
                break
            mixture = polished
        else:
            self._offer(mixture)
        self.master.allow([None] * len(self.kinds))

    def _fix(self, chosen: list[Structure | None], mixture: Mixture) -> None:
        """Choose the structure of modules that are on one, and of some that are mixed."""
        mixed = [m for m, own in enumerate(mixture.mixes) if chosen[m] is None and len(own) > 1]
        mixed.sort(key=lambda m: -mixture.mixes[m][0].weight)
        for m, own in enumerate(mixture.mixes):
            if chosen[m] is None and len(own) == 1:
                chosen[m] = own[0].curve.structure
        for m in mixed[: math.ceil(_FIXED * len(mixed))]:
            own = mixture.mixes[m]
            mean = sum(mix.weight * mix.latency for mix in own)
            curve = own[0].curve
            if curve.low > mean:
                curve = self.kinds[m].under(mixture.prices.surcharges).cheapest_within(mean)
            chosen[m] = curve.structure
            self.add(m, curve, mean)

    def _polished(self, chosen: Sequence[Structure | None]) -> Mixture | None:
        """The master where only these structures are allowed, after a few rounds of points on them."""
        mixture = None
        for _ in range(_POLISHED):
            self.master.allow(chosen)
            mixture = self._solve()
            if mixture is None or not self._add_allowed(chosen, mixture):
                break
        return mixture

    def _add_allowed(self, chosen: Sequence[Structure | None], mixture: Mixture) -> bool:
        new, prices = False, mixture.prices
        for m, structure in enumerate(chosen):
            if structure is not None:
                curve = self.kinds[m].under(prices.surcharges).curve(structure)
                point = curve.least(prices.seconds[m])
                if point.value < mixture.worth[m] - self._threshold:
                    new |= self.add(m, curve, point.latency)
        return new

    def offer_at_best(self, chosen: Sequence[Structure]) -> None:
        """Offer the plan of one structure per module, at the latencies at which they cost the least."""
        mixture = self._polished(chosen)
        if mixture is not None and all(mixture.mixes):
            self._offer(mixture)
        self.master.allow([None] * len(self.kinds))

    def _offer(self, mixture: Mixture) -> None:
        """Offer the plan of the mixture's curves, one per module, at their mean latencies."""
        for spare in _SPARES:
            schedules = []
            for own in mixture.mixes:
                curve, structure = own[0].curve, own[0].curve.structure
                mean = sum(mix.weight * mix.latency for mix in own) / sum(mix.weight for mix in own)
                schedules.append(structure.schedule(structure.rate(min(max(mean - spare, curve.low), curve.high))))
            if self.task.incumbent.offer(self.task.incumbent.assemble(schedules)) is None:
                return


def _kinds(task: Task, data: PlanningData, effort: Effort) -> list[ModuleCurves]:
    """Per module its curves; modules that differ by name and place alone have the same."""
    keys = [_key(module, task) for module in data.modules]
    earliest: dict[ModuleProblem, float] = {}
    latest: dict[ModuleProblem, float] = {}
    for key, bounds in zip(keys, data.bounds, strict=True):
        earliest[key] = min(bounds.earliest, earliest.get(key, math.inf))
        latest[key] = max(bounds.latest + TIME_TOLERANCE / 2, latest.get(key, 0.0))
    kinds = {
        key: ModuleCurves(key, earliest[key], latest[key], task.billing, task.dispatch, effort) for key in earliest
    }
    return [kinds[key] for key in keys]


def _key(module: ModuleProblem, task: Task) -> ModuleProblem:
    return replace(module, name="", stream=module.stream if keeps_streams(task.dispatch) else None)
