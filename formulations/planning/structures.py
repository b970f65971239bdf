"""The structure model: every module picks one structure of a fractional schedule, and how fast its residual works.

For structure k of module m, with its full machines' cost and use of limited types, the price p and throughput t of its
residual, its smallest latency e and the curve f = phi(L) of the cheapest rate within a latency L
(`harpagon.formulations.residual`): binary z_mk, share g_mk = f / t of a machine, latency e z_mk + x_mk, entry time s_m,

    minimise  sum of cost_mk z_mk + p_mk g_mk
    select      sum over k of z_mk = 1
    precedence  s_m + sum over k of (e_mk z_mk + x_mk) + transfer <= s_m'  for every edge (m, m')
    deadline    s_m + sum over k of (e_mk z_mk + x_mk) <= SLO  at every sink
    limit       sum over m and k of use_mkh z_mk + g_mk (residuals on h) <= limit_h
    span        x_mk <= (latest - e_mk) z_mk
    least       t g_mk >= least rate x z_mk
    tangent     t g_mk >= phi(L0) z_mk + phi'(L0) (x_mk + (e_mk - L0) z_mk)  for chosen L0
    excluded    sum over a choice of z_mk <= (its modules) - 1, for choices that met a row only within its tolerance

phi is convex, so the rows of a structure in use are the tangents of its curve, and its plan costs what they say once
they touch the curve where the solution lies.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harpagon.formulations.planning.linear_program import Row, exclusion_rows, path_rows, program_of_rows, quickest_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harpagon.formulations.planning.linear_program import LinearProgram
    from harpagon.formulations.residual import Structure

_FIRST_TANGENTS = (0.0, 0.05, 0.3)
"""Where a curve is cut first, as a share of its latencies."""


@dataclass(slots=True)
class Choice:
    """One structure of a module.

    Attributes
    ----------
    structure
        What runs.
    cost
        Dollars per hour of its full machines.
    usage
        Full machines of each limited type, in the order of the limits.
    latest
        Seconds that the module may take at most.
    tangents
        Latencies in seconds at which its curve is cut.
    """

    structure: Structure
    cost: float
    usage: tuple[float, ...]
    latest: float
    tangents: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.price:
            low, high = self.structure.quickest, self.loosest
            self.tangents = [low + share * (high - low) for share in _FIRST_TANGENTS]

    @property
    def price(self) -> float:
        """Dollars per hour of the residual's machine, 0 without one."""
        return 0.0 if self.structure.residual is None else self.structure.residual.price

    @property
    def loosest(self) -> float:
        """Seconds beyond which more latency saves nothing."""
        return max(self.structure.quickest, min(self.latest, self.structure.slowest))

    def unit(self, dollar: float) -> float:
        """What the model counts shares of the residual's machine in, where it counts costs in ``dollar``, of 1 at most.

        Solvers keep rows to 1e-9 of a unit.
        """
        return min(1.0, dollar / self.price) if dollar < 1 else 1.0

    def share_at(self, latency: float) -> float:
        """Share of the residual's machine within ``latency`` seconds."""
        residual = self.structure.residual
        return 0.0 if residual is None else self.structure.rate(latency) / residual.throughput


@dataclass(frozen=True, slots=True)
class StructureData:
    """Choices per module, modules of all pipelines in one list; see `harpagon.formulations.planning.data`."""

    choices: Sequence[Sequence[Choice]]
    slo: Sequence[float]
    edges: Mapping[tuple[int, int], float]
    sinks: Sequence[int]
    limits: Mapping[str, int]
    excluded: Sequence[tuple[int, ...]] = ()

    @property
    def keys(self) -> list[tuple[int, int]]:
        """All pairs (module, choice)."""
        return [(m, k) for m, choices in enumerate(self.choices) for k in range(len(choices))]


def structure_program(data: StructureData, dollar: float = 1.0) -> LinearProgram:
    """The model as arrays: columns pick[m,k], share[m,k] and extra[m,k] (x) of choices with a residual, entry[m].

    Costs count in units of ``dollar`` dollars per hour, shares in the `Choice.unit` of their choice.
    """
    model = _Model(data, dollar)
    return program_of_rows(model.columns(), list(model.rows()))


def quickest_structure_program(data: StructureData, pipelines: Sequence[int], cost: float) -> LinearProgram:
    """The quickest of its choices of at most ``cost`` $/h, as `quickest_of` says."""
    model = _Model(data)
    return quickest_of(model.columns(), list(model.rows()), data, pipelines, cost)


class _Model:
    """Columns by module and choice, and the rows over them."""

    def __init__(self, data: StructureData, dollar: float = 1.0) -> None:
        self.data = data
        self.dollar = dollar
        self.pick = {key: i for i, key in enumerate(data.keys)}
        curved = [(m, k) for m, k in data.keys if data.choices[m][k].price]
        self.share = {key: len(self.pick) + i for i, key in enumerate(curved)}
        self.extra = {key: column + len(curved) for key, column in self.share.items()}
        self.entry = [len(self.pick) + 2 * len(curved) + m for m in range(len(data.choices))]

    def columns(self) -> list[tuple[str, float, float, bool]]:
        """As `program_of_rows` takes them."""
        choices, dollar = self.data.choices, self.dollar
        prices = {(m, k): choices[m][k].price * choices[m][k].unit(dollar) for m, k in self.share}
        return [
            *((f"pick[{m},{k}]", choices[m][k].cost / dollar, 1.0, True) for m, k in self.pick),
            *((f"share[{m},{k}]", price / dollar, math.inf, False) for (m, k), price in prices.items()),
            *((f"extra[{m},{k}]", 0.0, math.inf, False) for m, k in self.extra),
            *((f"entry[{m}]", 0.0, math.inf, False) for m in range(len(choices))),
        ]

    def rows(self) -> Iterator[Row]:
        data = self.data
        latencies = [self._latency(m) for m in range(len(data.choices))]
        for m, choices in enumerate(data.choices):
            yield Row(f"select[{m}]", 1.0, 1.0, {self.pick[m, k]: 1.0 for k in range(len(choices))})
        yield from path_rows(data, self.entry, latencies)
        yield from self._limits()
        for m, k in self.share:
            yield from self._curve(m, k)
        yield from exclusion_rows([self.pick[m, k] for m, k in enumerate(choice)] for choice in data.excluded)

    def _latency(self, m: int) -> dict[int, float]:
        entries = {self.pick[m, k]: choice.structure.quickest for k, choice in enumerate(self.data.choices[m])}
        return entries | {column: 1.0 for (n, _), column in self.extra.items() if n == m}

    def _limits(self) -> Iterator[Row]:
        for h, (hardware, machines) in enumerate(self.data.limits.items()):
            entries = {}
            for (m, k), column in self.pick.items():
                choice = self.data.choices[m][k]
                if choice.usage[h]:
                    entries[column] = choice.usage[h]
                if choice.structure.residual is not None and choice.structure.residual.hardware == hardware:
                    entries[self.share[m, k]] = choice.unit(self.dollar)
            if entries:
                yield Row(f"limit[{hardware}]", -math.inf, machines, entries)

    def _curve(self, m: int, k: int) -> Iterator[Row]:
        """span, least and tangent of one choice."""
        choice, pick, share, extra = self.data.choices[m][k], self.pick[m, k], self.share[m, k], self.extra[m, k]
        structure = choice.structure
        assert structure.residual is not None, "only a residual has a curve"
        throughput, quickest = structure.residual.throughput * choice.unit(self.dollar), structure.quickest
        yield Row(f"span[{m},{k}]", -math.inf, 0.0, {extra: 1.0, pick: -max(0.0, choice.latest - quickest)})
        if structure.least > 0:
            yield Row(f"least[{m},{k}]", 0.0, math.inf, {share: 1.0, pick: -structure.least / throughput})
        for i, latency in enumerate(choice.tangents):
            slope = structure.slope(latency) / throughput
            at_quickest = structure.rate(latency) / throughput + slope * (quickest - latency)
            yield Row(f"tangent[{m},{k},{i}]", 0.0, math.inf, {share: 1.0, pick: -at_quickest, extra: -slope})
