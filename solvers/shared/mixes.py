"""Mixes of one machine by depth-first search: which modules, each as which group.

With duals of the master (alpha_m of ``cover``, w_m of ``wait``, a toll on the type) a mix of the set S has

    reduced cost = price + toll + sum over S of (w_m c_m - alpha_m) + W D,   W = sum of w_m, D = sum of d_m,

and for a dealt module the cost and the tolls of machines of its own beside; where these take longer than c_m + D, more.

A search that holds W and D so far adds module m as a group for at least w_m (c + D + d) + W d - alpha_m and what is
its own, since W and D only grow: the sum of what is negative of that, over the modules not decided yet, bounds what is
to come.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from operator import le
from typing import TYPE_CHECKING

from harpagon.formulations.physics import RATE_TOLERANCE, TIME_TOLERANCE
from harpagon.formulations.planning.shared import MixColumn
from harpagon.formulations.shared import Mix, fits_memory, latencies

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harpagon.formulations.shared import Group
    from harpagon.solvers.exact.effort import Effort
    from harpagon.solvers.shared.problem import SharedProblem


@dataclass(frozen=True, slots=True)
class Duals:
    """Prices of the master: per module of being served and of a second of latency, per type of one machine."""

    cover: tuple[float, ...]
    wait: tuple[float, ...]
    toll: Mapping[str, float]

    def mix(self, column: MixColumn) -> float:
        """Reduced cost of a mix."""
        members = zip(column.mix.members, column.latencies, strict=True)
        gain = sum(self.wait[m] * latency - self.cover[m] for m, latency in members)
        tolls = sum(self.toll.get(name, 0.0) * used for name, used in column.mix.usage().items())
        return column.mix.cost + tolls + gain

    def own(self, one: Group) -> float:
        """Cost and tolls of a dealt module's own machines."""
        tolls = sum(self.toll.get(part.configuration.hardware, 0.0) * part.machines for part in one.own)
        return one.own_cost + tolls


@dataclass(frozen=True, slots=True)
class _State:
    """A mix in the making: its groups by module, and the sums of the module's docstring."""

    chosen: tuple[tuple[int, Group], ...]
    cycle: float
    share: float
    weight: float
    base: float
    slack: float

    def value(self) -> float:
        return self.base + self.weight * self.cycle


class MixSearch:
    """Searches the mixes of every type whose reduced cost is low enough.

    Parameters
    ----------
    problem
        What is chosen from.
    effort
        What all searches together may spend.
    """

    def __init__(self, problem: SharedProblem, effort: Effort) -> None:
        self._problem = problem
        self._effort = effort

    def below(self, duals: Duals, most: float, count: float = inf) -> list[MixColumn]:
        """Mixes of at least two modules with a reduced cost below ``most``.

        All that no other mix of the same modules on the same type beats in cost, use and every latency, or about the
        ``count`` of least reduced cost of every type.

        Raises
        ------
        OutOfEffortError
            Where the effort is used up.
        """
        found: list[MixColumn] = []
        for hardware in self._problem.groups:
            found += _Descent(self._problem, self._effort, duals, hardware, most, count).run()
        return found


class _Descent:
    """The search on one type."""

    def __init__(
        self, problem: SharedProblem, effort: Effort, duals: Duals, hardware: str, most: float, count: float
    ) -> None:
        self._problem, self._effort, self._duals = problem, effort, duals
        self._hardware = problem.instance.hardware[hardware]
        self._toll = problem.machines * (self._hardware.price + duals.toll.get(hardware, 0.0))
        self._groups = problem.groups[hardware]
        self._offers = [self._offered(m) for m in range(len(self._groups))]
        self._quickest = [_envelope(offers) for offers in self._offers]
        self._latest = [bound.latest + TIME_TOLERANCE / 2 for bound in problem.data.bounds]
        self._most, self._count = most, count
        self._found: dict[tuple[int, ...], list[tuple[tuple[float, ...], MixColumn]]] = {}
        self._best: list[tuple[float, MixColumn]] = []

    def run(self) -> list[MixColumn]:
        """The mixes found."""
        self._extend(_State((), 0.0, 0.0, 0.0, self._toll, inf), 0)
        if self._count < inf:
            return [column for _, column in self._best]
        return [column for front in self._found.values() for _, column in front]

    def _extend(self, state: _State, first: int) -> None:
        self._effort.spend(0)
        if len(state.chosen) > 1 and state.value() < self._most:
            self._keep(state)
        value, to_come = state.value(), self._to_come(state, first)
        for m in range(first, len(self._groups)):
            if value + to_come[m - first] >= self._most:
                return
            waits, rest = self._duals.wait[m] * state.cycle, to_come[m - first + 1]
            for price, one in self._offers[m]:
                if value + price + waits + state.weight * one.duration + rest < self._most:
                    grown = self._with(state, m, one)
                    if grown is not None:
                        self._extend(grown, m + 1)

    def _to_come(self, state: _State, first: int) -> list[float]:
        """Per module from ``first`` on, and behind the last, the least that it and those after it add."""
        left = [0.0]
        for m in range(len(self._groups) - 1, first - 1, -1):
            added = min((price + state.weight * duration for price, duration in self._quickest[m]), default=0.0)
            left.append(left[-1] + min(0.0, added + self._duals.wait[m] * state.cycle))
        return left[::-1]

    def _offered(self, m: int) -> list[tuple[float, Group]]:
        """Groups of a module with what each adds to an empty mix."""
        weight, prize = self._duals.wait[m], self._duals.cover[m]
        return [
            (weight * (one.close_after + one.duration) + self._duals.own(one) - prize, one) for one in self._groups[m]
        ]

    def _with(self, state: _State, m: int, one: Group) -> _State | None:
        """The mix with one more group; None where it breaks the condition, the memory or an objective."""
        cycle, share = state.cycle + one.duration, state.share + one.share
        slack = min(state.slack, self._latest[m] - one.close_after)
        if share > 1 + RATE_TOLERANCE or cycle > slack:
            return None
        weight, prize = self._duals.wait[m], self._duals.cover[m]
        base = state.base + weight * one.close_after + self._duals.own(one) - prize
        grown = _State((*state.chosen, (m, one)), cycle, share, state.weight + weight, base, slack)
        models = [(self._problem.models[member], each.configuration) for member, each in grown.chosen]
        if not fits_memory(models, self._hardware):
            return None
        waits = {member: each.latency(cycle) for member, each in grown.chosen}
        return grown if self._problem.keeps_objectives(waits) else None

    def _keep(self, state: _State) -> None:
        members, chosen = zip(*state.chosen, strict=True)
        column = MixColumn(Mix(members, chosen, self._problem.machines), latencies(chosen))
        value = self._duals.mix(column)
        if value >= self._most:
            return
        if self._count < inf:
            self._best.append((value, column))
            self._best.sort(key=lambda pair: pair[0])
            if len(self._best) >= self._count:
                del self._best[int(self._count) :]
                self._most = min(self._most, self._best[-1][0])
            return
        front, figures = self._found.setdefault(members, []), self._figures(column)
        if not any(_no_more(other, figures) for other, _ in front):
            front[:] = [other for other in front if not _no_more(figures, other[0])]
            front.append((figures, column))

    def _figures(self, column: MixColumn) -> tuple[float, ...]:
        """What the master knows of a mix: cost, machines of limited types, latencies."""
        limits = self._problem.data.limits
        used = column.mix.usage() if limits else {}
        return (column.mix.cost, *(used.get(name, 0) for name in limits), *column.latencies)


def _envelope(offers: Sequence[tuple[float, Group]]) -> list[tuple[float, float]]:
    """Pairs of what a group adds and its duration that no other pair beats in both."""
    kept: list[tuple[float, float]] = []
    for price, duration in sorted({(price, one.duration) for price, one in offers}):
        if not kept or duration < kept[-1][1]:
            kept.append((price, duration))
    return kept


def _no_more(left: tuple[float, ...], right: tuple[float, ...]) -> bool:
    return all(map(le, left, right))
