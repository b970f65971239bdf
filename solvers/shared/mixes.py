"""Mixes of one machine by depth-first search: which modules, each as which group.

With duals of the master (alpha_m of ``cover``, w_m of ``wait``, a toll on the type) a mix of the set S has

    reduced cost = price + toll + sum over S of (w_m c_m - alpha_m) + W D,   W = sum of w_m, D = sum of d_m.

A search that holds W and D so far adds module m as a group for at least w_m (c + D + d) + W d - alpha_m, since W and D
only grow: the sum of what is negative of that, over the modules not decided yet, bounds what is to come.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from harpagon.formulations.physics import RATE_TOLERANCE, TIME_TOLERANCE
from harpagon.formulations.planning.shared import MixColumn
from harpagon.formulations.shared import Mix, fits_memory, latencies

if TYPE_CHECKING:
    from collections.abc import Mapping

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
        return column.mix.price + self.toll.get(column.mix.hardware, 0.0) + gain


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

        All that no other mix of the same modules on the same type beats in every latency, or about the ``count`` of
        least reduced cost of every type.

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
        self._toll = self._hardware.price + duals.toll.get(hardware, 0.0)
        self._groups = problem.groups[hardware]
        self._latest = [bound.latest + TIME_TOLERANCE / 2 for bound in problem.data.bounds]
        self._most, self._count = most, count
        self._found: dict[tuple[int, ...], list[MixColumn]] = {}
        self._best: list[tuple[float, MixColumn]] = []

    def run(self) -> list[MixColumn]:
        """The mixes found."""
        self._extend(_State((), 0.0, 0.0, 0.0, self._toll, inf), 0)
        if self._count < inf:
            return [column for _, column in self._best]
        return [column for front in self._found.values() for column in front]

    def _extend(self, state: _State, first: int) -> None:
        self._effort.spend(0)
        if len(state.chosen) > 1 and state.value() < self._most:
            self._keep(state)
        if state.value() + self._to_come(state, first) >= self._most:
            return
        for m in range(first, len(self._groups)):
            for one in self._groups[m]:
                grown = self._with(state, m, one)
                if grown is not None:
                    self._extend(grown, m + 1)

    def _to_come(self, state: _State, first: int) -> float:
        return sum(min(0.0, self._least_gain(state, m)) for m in range(first, len(self._groups)))

    def _least_gain(self, state: _State, m: int) -> float:
        weight, prize = self._duals.wait[m], self._duals.cover[m]
        return min(
            (
                weight * (one.close_after + state.cycle + one.duration) + state.weight * one.duration - prize
                for one in self._groups[m]
            ),
            default=0.0,
        )

    def _with(self, state: _State, m: int, one: Group) -> _State | None:
        """The mix with one more group; None where it breaks the condition, the memory or an objective."""
        cycle, share = state.cycle + one.duration, state.share + one.share
        slack = min(state.slack, self._latest[m] - one.close_after)
        if share > 1 + RATE_TOLERANCE or cycle > slack:
            return None
        weight, prize = self._duals.wait[m], self._duals.cover[m]
        base = state.base + weight * one.close_after - prize
        grown = _State((*state.chosen, (m, one)), cycle, share, state.weight + weight, base, slack)
        models = [(self._problem.models[member], each.configuration) for member, each in grown.chosen]
        if not fits_memory(models, self._hardware):
            return None
        waits = {member: each.close_after + cycle for member, each in grown.chosen}
        return grown if self._problem.keeps_objectives(waits) else None

    def _keep(self, state: _State) -> None:
        members, chosen = zip(*state.chosen, strict=True)
        column = MixColumn(Mix(members, chosen), latencies(chosen))
        if self._count < inf:
            self._best.append((state.value(), column))
            self._best.sort(key=lambda pair: pair[0])
            if len(self._best) >= self._count:
                del self._best[int(self._count) :]
                self._most = min(self._most, self._best[-1][0])
            return
        front = self._found.setdefault(members, [])
        if not any(_no_later(other, column) for other in front):
            front[:] = [other for other in front if not _no_later(column, other)]
            front.append(column)


def _no_later(left: MixColumn, right: MixColumn) -> bool:
    """Whether every member of ``left`` is as quick as in ``right``; both have the same members."""
    return all(a <= b for a, b in zip(left.latencies, right.latencies, strict=True))
