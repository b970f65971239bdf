"""The master problem over points of curves: one point per module, pipelines of any length, any limits.

A linear program over points (cost, latency, use of limited types) with entry times, as the pattern model has them
(`harpagon.formulations.planning.pattern`). Its duals are made into prices that flow: what a second is worth that a
module starts earlier, which its predecessors pay, is shared among its successors and its deadline, in proportion to
their duals. With phi the price of an edge or a deadline, mu_m the sum of those behind module m, and a surcharge
lambda_h per machine of a limited type,

    sum over m of least over its schedules of (charge + mu_m x latency)
        + sum over edges of phi x transfer - sum over sinks of phi x SLO - sum over h of lambda_h x limit_h

is no more than the cost of any plan (Lagrange: along a path its modules' latencies and transfers add up to the SLO at
most). That holds whatever the duals were, so no bound depends on a solver's tolerances.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from harpagon.formulations.physics import TIME_TOLERANCE
from harpagon.solvers.exact.curve_master import Mix
from harpagon.solvers.models.growing_program import GrowingProgram

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harpagon.formulations.planning.data import PlanningData
    from harpagon.formulations.residual import Structure
    from harpagon.solvers.exact.curve import Curve
    from harpagon.solvers.models.growing_program import Solved

_VISIBLE = 1e-9
"""Weight of a point below which it is rounding."""


@dataclass(frozen=True, slots=True)
class Prices:
    """What the master charges.

    Attributes
    ----------
    fixed
        Dollars per hour that all bounds at these prices have in common: transfers, SLOs and limits.
    seconds
        Per module dollars per hour per second of its latency.
    passing
        The same per edge.
    surcharges
        Dollars per hour per machine of each limited type.
    """

    fixed: float
    seconds: Sequence[float]
    passing: Mapping[tuple[int, int], float]
    surcharges: Mapping[str, float]


class Mixture(NamedTuple):
    """An optimum of the master: its ``value``, ``prices``, and per module what a point has to undercut, all in $/h.

    ``mixes`` are per module the curves in use, the heaviest first; weights add up to less than 1 where there are not
    points enough.
    """

    value: float
    prices: Prices
    worth: Sequence[float]
    mixes: Sequence[Sequence[Mix]]


class _Link(NamedTuple):
    """Row of an edge to ``head``, or of a deadline (no head); the seconds of transfer, or the SLO as negative ones."""

    row: int
    head: int | None
    transfer: float


class PointMaster:
    """The linear program, which gains points between solves.

    Parameters
    ----------
    data
        Modules, edges, SLOs and limits.
    scale
        Dollars per hour that every plan of interest costs at most. A module without points is as quick as it can be and
        costs as much.
    """

    def __init__(self, data: PlanningData, scale: float) -> None:
        self.data = data
        self.scale = scale
        self.slo = [slo + TIME_TOLERANCE / 2 for slo in data.slo]
        self._links: list[list[_Link]] = [[] for _ in data.modules]
        rows = [(1.0, 1.0)] * len(data.modules)
        for (tail, head), transfer in data.edges.items():
            self._links[tail].append(_Link(len(rows), head, transfer))
            rows.append((-math.inf, -transfer / self.slo[tail]))
        for m in data.sinks:
            self._links[m].append(_Link(len(rows), None, -self.slo[m]))
            rows.append((-math.inf, 1.0))
        self._limits = {name: len(rows) + i for i, name in enumerate(data.limits)}
        rows += [(-math.inf, float(limit)) for limit in data.limits.values()]
        self._rights = [high for _, high in rows]
        self._program = GrowingProgram(rows)
        self._points: list[tuple[int, Curve, float]] = []
        self._known: set[tuple[int, int, float]] = set()
        self._add_entries_and_stand_ins()

    @property
    def size(self) -> int:
        """Points of all modules."""
        return len(self._known)

    def _add_entries_and_stand_ins(self) -> None:
        entering: list[dict[int, float]] = [{link.row: 1.0 for link in links} for links in self._links]
        for links in self._links:
            for link in links:
                if link.head is not None:
                    entering[link.head][link.row] = -1.0
        for entries in entering:
            self._program.add(0.0, entries)
        for m, bounds in enumerate(self.data.bounds):
            self._program.add(1.0, self._entries(m, bounds.earliest))

    def _entries(self, m: int, latency: float) -> dict[int, float]:
        return {m: 1.0} | {link.row: latency / self.slo[m] for link in self._links[m]}

    def add(self, m: int, curve: Curve, latency: float) -> bool:
        """Add the point of a curve of module ``m`` at ``latency`` seconds; whether it is new.

        Equal structures are one object.
        """
        structure = curve.structure
        if (m, id(structure), latency) in self._known:
            return False
        self._known.add((m, id(structure), latency))
        share, residual, entries = curve.share(latency), structure.residual, self._entries(m, latency)
        cost = sum(part.cost for part in structure.full) + (share * residual.price if residual is not None else 0.0)
        for name, row in self._limits.items():
            used = sum(part.machines for part in structure.full if part.configuration.hardware == name)
            used += share if residual is not None and residual.hardware == name else 0.0
            if used:
                entries[row] = used
        self._program.add(cost / self.scale, entries)
        self._points.append((m, curve, latency))
        return True

    def structures(self) -> list[list[Structure]]:
        """Per module the structures of its points."""
        found: list[dict[int, Structure]] = [{} for _ in self._links]
        for m, curve, _ in self._points:
            found[m][id(curve.structure)] = curve.structure
        return [list(own.values()) for own in found]

    def allow(self, wanted: Sequence[Structure | None]) -> None:
        """Of modules with a structure here only its points, of the others all; stand-ins where none has one."""

        def is_open(m: int, curve: Curve, _: float) -> bool:
            return wanted[m] is None or curve.structure is wanted[m]

        modules, has_stand_ins = len(wanted), not any(wanted)
        columns = [True] * modules + [has_stand_ins] * modules
        self._program.open(columns + [is_open(*point) for point in self._points])

    def solve(self, seconds: float | None = None) -> Mixture | None:
        """Optimum over the points so far, None where the solver finds none in so many ``seconds``."""
        solved = self._program.solve(seconds)
        if solved is None:
            return None
        value = self.scale * math.fsum(a * b for a, b in zip(self._rights, solved.duals, strict=True))
        worth = [self.scale * dual for dual in solved.duals[: len(self._links)]]
        return Mixture(value, self._prices(solved), worth, self._mixes(solved))

    def _prices(self, solved: Solved) -> Prices:
        duals = [max(0.0, -dual) * self.scale for dual in solved.duals]
        surcharges = {name: duals[row] for name, row in self._limits.items()}
        fixed = -sum(price * self.data.limits[name] for name, price in surcharges.items())
        seconds = [
            sum(duals[link.row] for link in links) / slo for links, slo in zip(self._links, self.slo, strict=True)
        ]
        for _, head in self.data.edges:
            seconds[head] = 0.0
        passing: dict[tuple[int, int], float] = {}
        for m, links in enumerate(self._links):  # in topological order
            raw = [duals[link.row] for link in links]
            shares = [one / sum(raw) for one in raw] if sum(raw) else [1 / len(links)] * len(links)
            for share, link in zip(shares, links, strict=True):
                fixed += seconds[m] * share * link.transfer
                if link.head is not None:
                    passing[m, link.head] = seconds[m] * share
                    seconds[link.head] += seconds[m] * share
        return Prices(fixed, seconds, passing, surcharges)

    def _mixes(self, solved: Solved) -> list[list[Mix]]:
        weights: list[dict[Curve, tuple[float, float]]] = [{} for _ in self._links]
        for (m, curve, latency), value in zip(self._points, solved.values[2 * len(weights) :], strict=True):
            if value > _VISIBLE:
                weight, moment = weights[m].get(curve, (0.0, 0.0))
                weights[m][curve] = (weight + value, moment + value * latency)
        mixes = [[Mix(curve, weight, moment / weight) for curve, (weight, moment) in own.items()] for own in weights]
        return [sorted(own, key=lambda mix: (-mix.weight, mix.latency)) for own in mixes]
