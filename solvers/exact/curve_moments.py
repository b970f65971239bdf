"""Bound and plan of one long pipeline in fractional billing, by prices of moments over its modules' whole curves.

The master over points (`harpagon.solvers.exact.point_generation`) convexifies every module's cost, which in a tree or a
DAG leaves a gap of percents. Its prices of seconds are the first prices of moments. Two sets are kept: one under the
lines below the curves (`harpagon.solvers.exact.curve_table`), for the bound, one over the curves at the grid, for
plans. The structures of a choice are fixed, and the master gives them the latencies at which they cost the least. As
the bound stalls, cells are halved, and latencies left out with which a plan would cost more than the best.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from harpagon.formulations.physics import COST_TOLERANCE, TIME_TOLERANCE
from harpagon.solvers.exact.curve_table import CurveTable
from harpagon.solvers.exact.grid_prices import GridPrices
from harpagon.solvers.exact.structure_listing import Line, structures_below

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harpagon.solvers.exact.curve_pricing import ModuleCurves
    from harpagon.solvers.exact.curve_table import Values
    from harpagon.solvers.exact.point_generation import PointGeneration

_FIRST_CELLS, _MOST_CELLS = 250, 8_000
"""Cells of the SLO at first, and at most."""
_MOST_PRICES = 8_000_000
"""Prices of all edges together: 64 MB."""
_STALLED = 0.05
"""Share of the gap that a round must close to be followed by another on the same cells."""
_SWEEPS = 4
"""Sweeps of a round, there and back; one has the best bound where no module has two predecessors."""
_CAP = 20.0
"""Times its cost in the best plan up to which curves are listed."""


class CurveMoments:
    """Search on from what a `PointGeneration` found, on one pipeline without limits."""

    def __init__(self, points: PointGeneration) -> None:
        self.points = points
        self.task = points.task
        self.effort = points.effort
        self.network = self.task.problems[0].network
        self.slo = self.task.problems[0].slo + TIME_TOLERANCE / 2
        self.kinds = {id(kind): kind for kind in points.kinds}
        self.caps = self._caps()
        self.bound = points.bound

    def run(self) -> None:
        """Raise ``bound`` and offer plans until the gap is closed, or cells are as small as they may be.

        Raises
        ------
        OutOfEffortError
            Where time runs out.
        """
        for kind in self.kinds.values():
            self._list(kind)
        edges = list(self.network.edges())
        most = min(_MOST_CELLS, _MOST_PRICES // max(1, len(edges)))
        cells = min(_FIRST_CELLS, most)
        assert self.points.prices is not None, "run before"
        first = [self.points.prices.passing[edge] for edge in edges]
        under = np.outer(first, np.arange(cells + 1) * (self.slo / cells))
        over = under.copy()
        alive = [np.ones(cells, dtype=np.bool_) for _ in self.points.kinds]
        while True:
            level = _Level(self, cells, under, over, alive)
            level.run()
            cells *= 2
            if cells > most or self.task.is_proven(self.bound):
                break
            alive = [np.repeat(own, 2) for own in level.alive]
            under, over = _refined(level.under.prices), _refined(level.over.prices)

    def raise_bound(self, bound: float) -> None:
        """Take note of a bound on plans that cost less than the best."""
        bound = min(bound, self.task.ceiling)
        self.bound = max(self.bound, bound - COST_TOLERANCE * abs(bound) / 10)
        self.task.report(self.bound)

    def _caps(self) -> dict[int, float]:
        """Dollars per hour up to which curves of a kind are listed: what one may cost in a better plan."""
        plan = self.task.incumbent.plan
        assert plan is not None, "without limits there is a plan"
        cheapest = [kind.under({}).cheapest for kind in self.points.kinds]
        excess = self.task.ceiling - math.fsum(cheapest)
        caps: dict[int, float] = {}
        modules = (module for pipeline in plan.pipelines for module in pipeline.modules.values())
        for kind, module, least in zip(self.points.kinds, modules, cheapest, strict=True):
            cost = _CAP * sum(part.cost for part in module.tuples)
            caps[id(kind)] = max(min(cost, least + excess), caps.get(id(kind), 0.0))
        return caps

    def _list(self, kind: ModuleCurves) -> None:
        """Make all curves of a kind known that are the cheapest somewhere below its cap."""
        pricing = kind.under({}).pricing
        line = Line(self.caps[id(kind)], 0.0)
        earliest, latest = kind.earliest, kind.latest
        for structure in structures_below(kind.module, line, earliest, latest, kind.dispatch, pricing, self.effort):
            kind.add(structure)

    def tables(self, cells: int) -> list[CurveTable]:
        """Per module the table of its kind."""
        found: dict[int, CurveTable] = {}
        cell = self.slo / cells
        for key, kind in self.kinds.items():
            most = min(cells, int(kind.latest / cell) + 1)
            found[key] = CurveTable.of(kind.under({}).all(), kind.earliest, self.caps[key], cell, most)
        return [found[id(kind)] for kind in self.points.kinds]


class _Level:
    """Rounds of sweeps on cells of one size."""

    def __init__(
        self, search: CurveMoments, cells: int, under: Values, over: Values, alive: list[NDArray[np.bool_]]
    ) -> None:
        self.search = search
        self.task = search.task
        self.cell = search.slo / cells
        self.alive = alive
        self.tables = search.tables(cells)
        effort, network = search.effort, search.network
        self.under = GridPrices(network, cells, self.cell, under, effort, rounded=False)
        self.over = GridPrices(network, cells, self.cell, over, effort, rounded=True)
        self.over.take([table.cost for table in self.tables])
        self.sweeps = 1 if all(len(into) <= 1 for into in self.under.into) else _SWEEPS
        self.has_options = self._take_alive()

    def run(self) -> None:
        """Rounds until the bound stalls; latencies of no plan below the best are then not alive."""
        if not self.has_options:
            self.search.raise_bound(self.task.ceiling)
        while self.has_options:
            before = self.search.bound
            self._offer(self._choice())
            for _ in range(self.sweeps):
                self.search.raise_bound(self.under.sweep_back(self.task.ceiling))
                self.under.sweep_there(self.task.ceiling)
            gap = self.task.ceiling - self.search.bound
            if self.task.is_proven(self.search.bound) or self.search.bound - before < _STALLED * gap:
                break
        if self.has_options:
            self._narrow()
            self.under.sweep_back(self.task.ceiling)
            self._narrow()

    def _choice(self) -> list[int] | None:
        """The cheapest choice on the grid after each of some sweeps, None for none."""
        choices: dict[float, list[int]] = {}
        for _ in range(self.sweeps):
            self.over.sweep_back(self.task.ceiling)
            choice = self.over.choice()
            if choice is not None:
                choices[math.fsum(float(one.cost[k]) for one, k in zip(self.tables, choice, strict=True))] = choice
            self.over.sweep_there(self.task.ceiling)
        return choices[min(choices)] if choices else None

    def _take_alive(self) -> bool:
        """Options of the bound: latencies at an end of a cell that is alive; whether every module has one."""
        costs, jumps = [], []
        for table, cells in zip(self.tables, self.alive, strict=True):
            ends = np.concatenate([cells, [False]]) | np.concatenate([[False], cells])
            costs.append(np.where(ends[: len(table.under)], table.under, np.inf))
            jumps.append([jump for jump in table.jumps if cells[jump.cell]])
        if not all(np.isfinite(own).any() for own in costs):
            return False
        self.under.take(costs, jumps)
        return True

    def _narrow(self) -> None:
        """Leave cells out in which no plan below the best has its latency."""
        charged = [self.under.at_latencies(m) for m in range(len(self.alive))]
        excess = self.task.ceiling * (1 + COST_TOLERANCE) - math.fsum(float(own.min()) for own in charged)
        for own, cells in zip(charged, self.alive, strict=True):
            near = own - own.min() <= excess
            np.logical_and(cells, near[:-1] | near[1:], out=cells)

    def _offer(self, latencies: list[int] | None) -> None:
        """Offer the plan of the structures at these latencies, each given the latency at which all cost the least."""
        if latencies is None:
            return
        points, chosen = self.search.points, []
        for m, (cells, table) in enumerate(zip(latencies, self.tables, strict=True)):
            curve = points.kinds[m].under({}).all()[table.curve_at(cells)]
            points.add(m, curve, cells * self.cell)
            chosen.append(curve.structure)
        points.offer_at_best(chosen)


def _refined(prices: Values) -> Values:
    """The same lines on cells of half the size."""
    finer = np.empty((prices.shape[0], 2 * prices.shape[1] - 1))
    finer[:, ::2] = prices
    finer[:, 1::2] = (prices[:, :-1] + prices[:, 1:]) / 2
    return finer
