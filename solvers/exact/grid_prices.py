"""Prices of moments on a grid: a bound on choices of one latency per module, and a choice near it.

As in `harpagon.solvers.exact.moment_prices` every edge prices the moments at which its data may pass, by a function
that does not fall as time goes on. Here these functions are lines between the points of a grid of moments. Where the
cost of a module is no less than lines between points of the same grid, what it pays is least at points of the grid, so
the sum of these least values bounds the cost of every choice, latencies off the grid included. Where a line begins
between two points of the grid, at a jump, what it pays is least with its beginning or its end on the grid.

A sweep back passes on, from the sinks, what each moment costs a module beyond its cheapest to the edges into it; where
no module has two, the sources then know the cost of the best choice on the grid.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import as_strided

from harpagon.solvers.exact.effort import OutOfEffortError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.graphs import PathNetwork
    from harpagon.solvers.exact.curve_table import Jump, Values
    from harpagon.solvers.exact.effort import Effort

_BLOCK = 200_000
"""Sums of a moment and a latency that are formed at a time."""


class GridPrices:
    """Prices of one pipeline's moments.

    Parameters
    ----------
    network
        The pipeline.
    cells, cell
        How many cells of how many seconds the SLO has.
    rounded
        Whether transfers are rounded up to cells, as a plan needs it, and not down, as a bound does.
    prices
        Dollars per hour, one row per edge and one column per moment from 0 to ``cells``; they do not fall along a row.
    effort
        Its deadline counts.
    """

    def __init__(
        self, network: PathNetwork, cells: int, cell: float, prices: Values, effort: Effort, *, rounded: bool
    ) -> None:
        self.network = network
        self.cells = cells
        self.prices = prices
        self.effort = effort
        self.options: list[tuple[int, Values]] = []
        self.jumps: Sequence[Sequence[Jump]] = ()
        self.into: list[list[tuple[int, int]]] = [[] for _ in network.modules]
        self.out: list[list[tuple[int, int]]] = [[] for _ in network.modules]
        self.later: list[dict[int, int]] = [{} for _ in network.modules]
        for edge, ((tail, head), transfer) in enumerate(network.edges().items()):
            later = math.ceil(transfer / cell - 1e-9) if rounded else int(transfer / cell)
            self.into[head].append((edge, later))
            self.out[tail].append((edge, later))
            self.later[tail][head] = later

    def take(self, costs: Sequence[Values], jumps: Sequence[Sequence[Jump]] = ()) -> None:
        """Cost of every module per latency in cells, infinite where there is nothing; it does not rise.

        ``jumps`` are latencies off the grid.
        """
        self.jumps = jumps or [()] * len(costs)
        self.options = []
        for own in costs:
            finite = np.flatnonzero(np.isfinite(own))
            first, last = int(finite[0]), int(np.argmin(own))
            self.options.append((first, own[first : last + 1]))

    def sweep_back(self, ceiling: float) -> float:
        """From the sinks to the sources; no choice costs less than what is returned, infinity where none is in time.

        Raises
        ------
        OutOfEffortError
            At the deadline.
        """
        least = []
        for m in reversed(range(len(self.options))):
            charged = self._at_starts(m)
            least.append(float(charged.min()))
            if self.into[m]:
                beyond = self._beyond(charged, ceiling) / len(self.into[m])
                for edge, _ in self.into[m]:
                    self.prices[edge] = np.minimum.accumulate((self.prices[edge] + beyond)[::-1])[::-1]
        return math.fsum(least)

    def sweep_there(self, ceiling: float) -> None:
        """From the sources to the sinks.

        Raises
        ------
        OutOfEffortError
            At the deadline.
        """
        for m in range(len(self.options)):
            if self.out[m]:
                beyond = self._beyond(self._at_ends(m), ceiling) / len(self.out[m])
                for edge, later in self.out[m]:
                    moved = np.full(self.cells + 1, ceiling / len(self.out[m]))
                    moved[later:] = beyond[: self.cells + 1 - later]
                    self.prices[edge] = np.maximum.accumulate(self.prices[edge] - moved)

    def _beyond(self, charged: Values, ceiling: float) -> Values:
        if self.effort.late():
            raise OutOfEffortError
        least = charged.min()
        return np.minimum(charged - least, ceiling) if math.isfinite(least) else np.zeros_like(charged)

    def at_latencies(self, m: int) -> Values:
        """Per latency in cells what module ``m`` pays at least; infinite below its options.

        The sum over modules of the least of these bounds the cost of every choice, and a choice with a latency costs
        as much more as it does.

        Raises
        ------
        OutOfEffortError
            At the deadline.
        """
        if self.effort.late():
            raise OutOfEffortError
        first, costs = self.options[m]
        start, end, size = self._starting(m), self._ending(m), self.cells + 1
        padded = np.concatenate([end[first:], np.full(first + len(costs), np.inf)])
        ends = as_strided(padded, (len(costs), size), (padded.strides[0],) * 2, writeable=False)
        charged, rows = np.full(size, np.inf), max(1, _BLOCK // size)
        for row in range(0, len(costs), rows):
            charged[first + row :][: min(rows, len(costs) - row)] = (ends[row : row + rows] + start).min(axis=1)
        charged[first : first + len(costs)] += costs
        for jump in self.jumps[m]:
            begun = float((self._from(jump, end[::-1])[::-1] + start).min())
            ended = float((self._from(jump, start) + end).min())
            charged[jump.cell] = min(charged[jump.cell], begun, ended)
        charged[first + len(costs) :] = charged[first + len(costs) - 1]  # as cheap, and no quicker
        return charged

    def _starting(self, m: int) -> Values:
        """Per moment what module ``m`` pays for starting then."""
        paid: Values = self.prices[[edge for edge, _ in self.into[m]]].sum(axis=0)
        return -paid

    def _ending(self, m: int) -> Values:
        """Per moment what module ``m`` pays for ending then; infinite where its data come too late."""
        paid = np.zeros(self.cells + 1)
        for edge, later in self.out[m]:
            paid[: self.cells + 1 - later] += self.prices[edge, later:]
            paid[self.cells + 1 - later :] = np.inf
        return paid

    def _at_starts(self, m: int) -> Values:
        """Per moment the least that module ``m`` pays where it starts then."""
        return self._convolved(self._ending(m)[::-1], m)[::-1] + self._starting(m)

    def _at_ends(self, m: int) -> Values:
        """Per moment the least that module ``m`` pays where it ends then."""
        return self._convolved(self._starting(m), m) + self._ending(m)

    def _convolved(self, begun: Values, m: int) -> Values:
        """Per moment the least of ``begun`` at an earlier one and the cost of the latency between them.

        After a jump from the grid one is between two moments: the line through these two stays below that.
        """
        first, costs = self.options[m]
        padded = np.concatenate([np.full(first + len(costs) - 1, np.inf), begun])
        step = padded.strides[0]
        earlier = as_strided(padded[len(costs) - 1 :], (self.cells + 1, len(costs)), (step, -step), writeable=False)
        found = np.empty(self.cells + 1)
        rows = max(1, _BLOCK // len(costs))
        for row in range(0, self.cells + 1, rows):
            found[row : row + rows] = (earlier[row : row + rows] + costs).min(axis=1)
        for jump in self.jumps[m]:
            np.minimum(found, self._from(jump, begun), out=found)
        following = found[1:].copy()
        for cells, share, cost in self.jumps[m]:
            is_reached = np.isfinite(following[cells:])
            after = np.where(is_reached, following[cells:], 0.0)
            beside = after + (cost + begun[: self.cells - cells] - after) / (1 - share)
            np.minimum(found[cells:-1], np.where(is_reached, beside, np.inf), out=found[cells:-1])
        return found

    def _from(self, jump: Jump, begun: Values) -> Values:
        """Per moment the value of ``begun`` at the latency of a jump before, on its line, and the cost of the jump."""
        cells, share, cost = jump
        found = np.full(self.cells + 1, np.inf)
        found[cells + 1 :] = (
            (1 - share) * begun[1 : self.cells + 1 - cells] + share * begun[: self.cells - cells] + cost
        )
        return found

    def choice(self) -> list[int] | None:
        """Module by module, from the sources on, the latency that is cheapest with what its end costs; None for none.

        In cells. Modules then take what slack is left, from the sinks on.
        """
        modules, predecessors = range(len(self.options)), self.network.predecessors
        tails = [0] * len(modules)
        for m in reversed(modules):
            tails[m] = max((tails[h] + self.options[h][0] + more for h, more in self.later[m].items()), default=0)
        latencies: list[int] = []
        ends: list[int] = []

        def start(m: int) -> int:
            return max((ends[tail] + self.later[tail][m] for tail, _ in predecessors[m]), default=0)

        for m in modules:
            begin, (first, costs) = start(m), self.options[m]
            within = costs[: max(0, self.cells - tails[m] - begin - first + 1)]
            if not len(within):
                return None
            charged = within + self._ending(m)[begin + first :][: len(within)]
            latencies.append(first + int(charged.argmin()))
            ends.append(begin + latencies[m])
        starts = [0] * len(modules)
        for m in reversed(modules):
            latest = min((starts[head] - more for head, more in self.later[m].items()), default=self.cells)
            first, costs = self.options[m]
            latencies[m] = min(latest - start(m), first + len(costs) - 1)
            starts[m] = latest - latencies[m]
        return latencies
