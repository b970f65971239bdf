"""Prices of moments: a bound on the cheapest choice of points where a pipeline is not series-parallel.

A linear relaxation prices the seconds of a module's latency, each the same. Here every edge prices the moments at which
its data may pass: a function that does not fall as time goes on, paid by the module that sends at that moment and paid
out to the one that starts. Data never pass after the receiver starts, so what is paid is never more than what is paid
out, and the modules' least costs at these prices add up to a bound on the cost of every choice (Lagrange).

The prices rise and fall in sweeps through the pipeline and back (block-coordinate ascent, as in V. Kolmogorov,
"Convergent tree-reweighted message passing for energy minimization", IEEE PAMI 28(10), 2006): a module passes on, to
its edges, what each moment costs it beyond its cheapest. The bound never falls. Moments are cells of the SLO, latencies
in cells are rounded down, so that the bound holds; cells get finer as the bound stalls.
"""

from __future__ import annotations

import math
import time
from itertools import count
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from harpagon.formulations.pareto import pareto_front
from harpagon.formulations.physics import COST_TOLERANCE
from harpagon.solvers.exact.effort import Effort

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from harpagon.graphs import PathNetwork
    from harpagon.solvers.exact.schedule import Point

    Prices = NDArray[np.float64]
    """Dollars per hour at each moment."""

_FIRST_CELLS, _MOST_CELLS = 2_000, 8_000
"""Moments that the SLO is divided into at first, and at most."""
_MOST_PRICES = 8_000_000
"""Prices of all edges together: 64 MB."""
_ROUND = 10
"""Sweeps, there and back, between two looks at what they gained."""
_STALLED = 0.05
"""Share of the gap that a round must close to be followed by another."""


class _Edge(NamedTuple):
    """Number of an edge, the module that sends, and seconds of transfer."""

    number: int
    tail: int
    transfer: float


class Narrowed(NamedTuple):
    """What prices of moments say of the choices below a ceiling.

    Attributes
    ----------
    bound
        Dollars per hour that no choice undercuts.
    ceiling
        Dollars per hour of ``choice``, or the ceiling given.
    choice
        One position per module, None where none was found below the ceiling.
    beyond
        Per module and position the dollars per hour that a choice with this point costs at least above ``bound``;
        infinity for points of no choice below the ceiling.
    interrupted
        Whether the user stopped the sweeps.
    """

    bound: float
    ceiling: float
    choice: list[int] | None
    beyond: list[list[float]]
    interrupted: bool = False


class MomentPrices:
    """Prices of one pipeline's moments, kept from one set of points to the next.

    Parameters
    ----------
    network
        The pipeline.
    slo
        Seconds.
    """

    def __init__(self, network: PathNetwork, slo: float) -> None:
        self.network = network
        self.slo = slo
        self.edges = list(network.edges())
        self.most_cells = max(1, min(_MOST_CELLS, _MOST_PRICES // max(1, len(self.edges))))
        self.cells = min(_FIRST_CELLS, self.most_cells)
        self.prices = np.zeros((len(self.edges), self.cells + 1))
        self.into: list[list[_Edge]] = []
        self.out: list[list[_Edge]] = []
        self.weights: list[float] = []
        self.steps: list[list[tuple[int, float]]] = []

    def narrow(
        self,
        points: Sequence[Sequence[Point]],
        second: Mapping[tuple[int, int], float],
        ceiling: float,
        tolerance: float,
        effort: Effort,
    ) -> Narrowed:
        """Raise the bound on choices of these ``points``, one per module, until it stalls.

        Parameters
        ----------
        points
            Per module.
        second
            Edges, as (tail, head), to dollars per hour per second, none negative: the prices to start from rise by
            that. Any are valid, those of a relaxation make the first bound its own.
        ceiling
            Dollars per hour from which on choices are of no interest.
        tolerance
            Relative gap that is small enough.
        effort
            Its deadline counts.
        """
        held = Narrowed(-math.inf, ceiling, None, [[0.0] * len(own) for own in points])
        try:
            self._connect(points)
            seconds = np.arange(self.cells + 1) * (self.slo / self.cells)
            self.prices = np.outer([second.get(edge, 0.0) for edge in self.edges], seconds)
            begin, stopped = time.perf_counter(), False
            while (found := self._evaluated(points, held.beyond, effort)) is not None:
                gain = found[0] - held.bound
                held = self._with_choice(points, held._replace(bound=found[0], beyond=found[1]))
                gap = held.ceiling - held.bound
                if stopped or gap <= tolerance * held.ceiling:
                    break
                held = held._replace(beyond=[[one if one <= gap else math.inf for one in own] for own in held.beyond])
                if gain < _STALLED * gap and not self._refine():
                    break
                self._take(points, held.beyond)
                looking = time.perf_counter() - begin  # time for one more look is left, or sweeps are for nothing
                try:
                    stopped = self._sweep(held.ceiling, Effort(effort.deadline - looking))
                except KeyboardInterrupt:  # prices are valid at every moment
                    held, stopped = held._replace(interrupted=True), True
                begin = time.perf_counter()
        except KeyboardInterrupt:
            held = held._replace(interrupted=True)
        return held._replace(bound=min(held.bound, held.ceiling))

    def _with_choice(self, points: Sequence[Sequence[Point]], held: Narrowed) -> Narrowed:
        """What is held, with a choice at these prices if that is cheaper."""
        choice = self._choice(points, held.beyond)
        cost = math.inf if choice is None else _cost(points, choice)
        return held._replace(choice=choice, ceiling=cost) if cost < held.ceiling else held

    def _refine(self) -> bool:
        """Divide every cell in two; False where they are as fine as they may be."""
        if 2 * self.cells > self.most_cells:
            return False
        self.cells *= 2
        self.prices = np.repeat(self.prices, 2, axis=1)[:, : self.cells + 1]
        return True

    def _connect(self, points: Sequence[Sequence[Point]]) -> None:
        """Edges that some choice may strain: no path over the others passes the SLO, whatever is chosen."""
        slowest = [max(point.latency for point in own) for own in points]
        heads, tails = self.network.heads(slowest), self.network.tails(slowest)
        self.into = [[] for _ in points]
        self.out = [[] for _ in points]
        numbers = count()
        for tail, pairs in enumerate(self.network.successors):
            for head, transfer in pairs:
                edge = _Edge(next(numbers), tail, transfer)
                if heads[tail] + slowest[tail] + transfer + slowest[head] + tails[head] > self.slo:
                    self.into[head].append(edge)
                    self.out[tail].append(edge)
        self.weights = [1 / max(1, len(into), len(out)) for into, out in zip(self.into, self.out, strict=True)]

    def _take(self, points: Sequence[Sequence[Point]], beyond: Sequence[Sequence[float]]) -> None:
        """Latencies of the points that are left in whole cells, rounded down, with the least cost of each."""
        self.steps = []
        for own, costs in zip(points, beyond, strict=True):
            least: dict[int, float] = {}
            for point, cost in zip(own, costs, strict=True):
                cells = self._cell(point.latency)
                if cost < math.inf and cells <= self.cells:
                    least[cells] = min(point.cost, least.get(cells, math.inf))
            self.steps.append(pareto_front(least.items(), itemgetter(1, 0)))

    def _cell(self, seconds: float) -> int:
        return int(seconds / self.slo * self.cells)

    def _sweep(self, ceiling: float, effort: Effort) -> bool:
        """A round of sweeps, there and back; whether time ended before."""
        modules = range(len(self.steps))
        for _ in range(_ROUND):
            for there, order in ((True, modules), (False, reversed(modules))):
                for m in order:
                    if effort.late():
                        return True
                    self._pass_on(m, there, ceiling)
        return False

    def _pass_on(self, m: int, there: bool, ceiling: float) -> None:
        """What moments cost module ``m`` beyond the least goes to its edges."""
        edges = self.out[m] if there else self.into[m]
        if not edges:
            return
        charged = self._at_ends(m) if there else self._at_starts(m)
        least = float(charged.min())
        if math.isinf(least):
            return
        beyond = np.minimum(charged - least, ceiling) * self.weights[m]
        for edge, _, transfer in edges:
            if there:
                later = _delayed(beyond, self._cell(transfer), ceiling * self.weights[m])
                self.prices[edge] = np.maximum.accumulate(self.prices[edge] - later)
            else:
                self.prices[edge] = np.minimum.accumulate((self.prices[edge] + beyond)[::-1])[::-1]

    def _starting(self, m: int) -> Prices:
        """Per moment what module ``m`` pays for starting then."""
        numbers = [edge.number for edge in self.into[m]]
        paid: Prices = self.prices[numbers].sum(axis=0)
        return -paid

    def _ending(self, m: int) -> Prices:
        """Per moment what module ``m`` pays for ending then; infinity where its data come too late."""
        paid = np.zeros(self.cells + 1)
        for edge, _, transfer in self.out[m]:
            later = self._cell(transfer)
            paid[: self.cells + 1 - later] += self.prices[edge, later:]
            paid[self.cells + 1 - later :] = math.inf
        return paid

    def _at_ends(self, m: int) -> Prices:
        """Per moment the least cost of module ``m`` where it ends then."""
        start, charged = self._starting(m), np.full(self.cells + 1, math.inf)
        for cells, cost in self.steps[m]:
            np.minimum(charged[cells:], start[: self.cells + 1 - cells] + cost, out=charged[cells:])
        return charged + self._ending(m)

    def _at_starts(self, m: int) -> Prices:
        """Per moment the least cost of module ``m`` where it starts then."""
        end, charged = self._ending(m), np.full(self.cells + 1, math.inf)
        for cells, cost in self.steps[m]:
            early = charged[: self.cells + 1 - cells]
            np.minimum(early, end[cells:] + cost, out=early)
        return charged + self._starting(m)

    def _evaluated(
        self, points: Sequence[Sequence[Point]], beyond: Sequence[Sequence[float]], effort: Effort
    ) -> tuple[float, list[list[float]]] | None:
        """The bound at these prices, and per module and point the cost beyond the least; infinite ones are left out.

        None where time ends before.
        """
        found: list[list[float]] = []
        bound = 0.0
        for m, (own, known) in enumerate(zip(points, beyond, strict=True)):
            if effort.late():
                return None
            start, end = self._starting(m), self._ending(m)
            charged = [math.inf] * len(own)
            for k, point in enumerate(own):
                cells = self._cell(point.latency)
                if known[k] < math.inf and cells <= self.cells:
                    charged[k] = point.cost + float((start[: self.cells + 1 - cells] + end[cells:]).min())
            least = min(charged)
            if math.isinf(least):
                return math.inf, [[math.inf] * len(own) for own in points]
            found.append([one - least for one in charged])
            bound += least
        return bound - COST_TOLERANCE * abs(bound), found

    def _choice(self, points: Sequence[Sequence[Point]], beyond: Sequence[Sequence[float]]) -> list[int] | None:
        """Module by module, from the sources on, the point that is cheapest with what its end costs; None for none.

        Where that leaves slack, modules take it: first on the way back from the sinks, then once more on the way there.
        """
        kept = [[k for k, cost in enumerate(own) if cost < math.inf] for own in beyond]
        if not all(kept):
            return None
        network = self.network
        least = [min(points[m][k].latency for k in positions) for m, positions in enumerate(kept)]
        latest = [self.slo - tail for tail in network.tails(least)]
        choice: list[int] = []
        ends: list[float] = []

        def start(m: int) -> float:
            return max((ends[tail] + transfer for tail, transfer in network.predecessors[m]), default=0.0)

        def cheapest(m: int, time: float) -> int:
            within = (k for k in kept[m] if points[m][k].latency <= time)
            return min(within, key=lambda k: (points[m][k].cost, points[m][k].latency), default=choice[m])

        for m, positions in enumerate(kept):
            begin, charged = start(m), self._ending(m)
            lasts = {k: begin + points[m][k].latency for k in positions if begin + points[m][k].latency <= latest[m]}
            if not lasts:
                return None
            cells = {k: min(self.cells, self._cell(end)) for k, end in lasts.items()}
            costs = {k: points[m][k].cost + charged[cell] for k, cell in cells.items()}
            choice.append(min(costs, key=costs.__getitem__))
            ends.append(lasts[choice[m]])
        starts = [0.0] * len(kept)
        for m in reversed(range(len(kept))):
            latest[m] = min((starts[head] - transfer for head, transfer in network.successors[m]), default=self.slo)
            choice[m] = cheapest(m, latest[m] - start(m))
            starts[m] = latest[m] - points[m][choice[m]].latency
        for m in range(len(kept)):
            choice[m] = cheapest(m, latest[m] - start(m))
            ends[m] = start(m) + points[m][choice[m]].latency
        return choice


def _delayed(charges: Prices, cells: int, before: float) -> Prices:
    """``charges`` moved to moments later by so many cells, with ``before`` at the moments in front."""
    if not cells:
        return charges
    moved = np.full(len(charges), before)
    moved[cells:] = charges[:-cells]
    return moved


def _cost(points: Sequence[Sequence[Point]], choice: Sequence[int]) -> float:
    return sum(own[k].cost for own, k in zip(points, choice, strict=True))
