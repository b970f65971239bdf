"""Every combination of the modules' schedules: the second half of brute force.

Where residuals are open, the cheapest plan of a combination of structures is a convex problem: cost is linear in the
residuals' rates, and each module's cost a convex function of its latency. It is solved from within: schedules of one
structure at a few latencies mix into no dearer ones, so the linear relaxation of the pattern model over them is a plan;
latencies around its own are added, at every scale, until it no longer falls.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from harpagon.formulations.physics import TIME_TOLERANCE
from harpagon.formulations.problem import edges_and_sinks
from harpagon.solvers.enumeration.schedules import Option

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harpagon.formulations.planning.pattern import Column
    from harpagon.formulations.problem import PipelineProblem
    from harpagon.formulations.residual import Structure
    from harpagon.solvers.enumeration.schedules import Rules

_CELLS = 8
"""Intervals of latency within which one structure is compared with another."""
_FIRST_COLUMNS = 9
_MIXING_ROUNDS = 40
_SCALES = 18
"""Latencies on both sides of a solution, each half as far from it as the one before."""
_DEAR = 1e3
"""Costs of the dearest plan that machines beyond a limit cost."""
_MIXED = 1e-11
"""Relative fall of a mixture's cost in one round below which it is the least."""


def pareto(options: Iterable[Option], latest: float = math.inf, bundled: Sequence[float] = ()) -> list[Option]:
    """Options that no other one equals or beats in cost, latency and usage at once, cheapest first.

    Not `harpagon.formulations.pareto.pareto_front`, which the searches use: usage adds a figure per limited type, an
    option of fractional billing is a curve, and a filter of the referee must not be wrong where a search's is.

    ``bundled`` are the prices of counted types that are sold in bundles, 0 for others: a machine that fills up a bundle
    costs nothing more, so those prices do not count here.
    """
    front: list[Option] = []
    for option in sorted(options, key=lambda option: (_apart(option, bundled), option.latency, option.usage)):
        if not any(_beats(kept, option, latest) for kept in front):
            front.append(option)
    return sorted(front, key=lambda option: option.cost) if bundled else front


def _apart(option: Option, bundled: Sequence[float]) -> float:
    """Cost without machines of types sold in bundles."""
    return option.cost - sum(price * used for price, used in zip(bundled, option.usage, strict=False))


def _beats(one: Option, other: Option, latest: float) -> bool:
    """Whether ``one`` is no dearer than ``other`` and uses no more at every latency of which ``other`` is capable."""
    if one.latency > other.latency or not _below(one.usage, other.usage):
        return False
    if one.structure is None:
        return True
    if any(one.usage):  # its use grows as it gets quicker
        return False
    step = (latest - other.latency) / _CELLS
    edges = [other.latency + i * step for i in range(_CELLS + 1)]
    return all(_cost(one, low) <= _cost(other, high) for low, high in pairwise(edges))


def _cost(option: Option, latency: float) -> float:
    structure = option.structure
    if structure is None:
        return option.cost
    return sum(part.cost for part in structure.schedule(structure.rate(latency)))


def _below(left: Sequence[float], right: Sequence[float]) -> bool:
    return all(a <= b for a, b in zip(left, right, strict=True))


def latest_latency(problem: PipelineProblem) -> float:
    """Seconds that no module of a pipeline may take longer than."""
    return problem.slo + TIME_TOLERANCE


def combine(rules: Rules, fronts: Sequence[Sequence[list[Option]]]) -> Option | None:
    """Cheapest combination of one option per module, or None; ``content`` has the schedules of every pipeline."""
    if not all(all(modules) for modules in fronts):
        return None
    groups = [range(len(fronts))] if rules.limits else [range(q, q + 1) for q in range(len(fronts))]
    best = []
    for group in groups:
        found = _Combination(rules, [rules.problems[q] for q in group], [fronts[q] for q in group]).run()
        if found is None:
            return None
        best.append(found)
    content = tuple(schedules for one in best for schedules in one.content)
    return Option(sum(one.cost for one in best), 0.0, (), content)


@dataclass(slots=True)
class _Combination:
    """Depth-first search over one option per module of some pipelines."""

    rules: Rules
    problems: Sequence[PipelineProblem]
    fronts: Sequence[Sequence[list[Option]]]
    best: Option | None = None
    modules: list[list[Option]] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)

    def run(self) -> Option | None:
        self.modules = [front for pipeline in self.fronts for front in pipeline]
        self.ends = list(accumulate((len(pipeline) for pipeline in self.fronts), initial=0))
        self._extend((), 0.0, (0.0,) * len(self.rules.limits))
        return self.best

    def _extend(self, chosen: tuple[Option, ...], cost: float, usage: tuple[float, ...]) -> None:
        self.rules.check_time()
        rest = self.modules[len(chosen) :]
        lowest = cost + sum(front[0].cost for front in rest)
        if self.best is not None and lowest >= self.best.cost:
            return
        if not self.rules.within_limits(usage) or not self._meet_slos(chosen, rest):
            return
        if not rest:
            self._finish(chosen)
            return
        for option in rest[0]:
            total = tuple(a + b for a, b in zip(usage, option.usage, strict=True))
            self._extend((*chosen, option), cost + option.cost, total)

    def _meet_slos(self, chosen: Sequence[Option], rest: Sequence[list[Option]]) -> bool:
        """Whether the SLOs can still be met, every module not chosen yet at its smallest latency."""
        latencies = [option.latency for option in chosen]
        latencies += [min(option.latency for option in front) for front in rest]
        return all(
            problem.network.length(latencies[begin:end]) <= problem.slo + TIME_TOLERANCE
            for problem, (begin, end) in zip(self.problems, pairwise(self.ends), strict=True)
        )

    def _finish(self, chosen: Sequence[Option]) -> None:
        if all(option.structure is None for option in chosen):
            used = tuple(map(sum, zip(*(option.usage for option in chosen), strict=True)))
            cost = sum(option.cost for option in chosen) + self.rules.idle_cost(used)
            schedules = [option.content for option in chosen]
        else:
            if self.best is not None and self._least(chosen) >= self.best.cost:
                return
            mixed = _Mixture(self.rules, self.problems, chosen).run()
            if mixed is None:
                return
            cost, schedules = mixed
        if self.best is None or cost < self.best.cost:
            content = tuple(tuple(schedules[begin:end]) for begin, end in pairwise(self.ends))
            self.best = Option(cost, 0.0, (), content)

    def _least(self, chosen: Sequence[Option]) -> float:
        """Cost with every module as slow as it may be with all others at their quickest."""
        total = 0.0
        for problem, (begin, end) in zip(self.problems, pairwise(self.ends), strict=True):
            own = chosen[begin:end]
            lengths = problem.network.path_lengths([option.latency for option in own])
            for option, length in zip(own, lengths, strict=True):
                total += _cost(option, option.latency + max(0.0, problem.slo + TIME_TOLERANCE / 2 - length))
        return total


class _Mixture:
    """Cheapest plan of one option per module, residuals at any rate."""

    def __init__(self, rules: Rules, problems: Sequence[PipelineProblem], chosen: Sequence[Option]) -> None:
        self.rules = rules
        self.chosen = chosen
        slos = [problem.slo for problem in problems for _ in problem.modules]
        self.points = [
            [option.latency]
            if option.structure is None
            else [option.latency + i * (slo - option.latency) / _FIRST_COLUMNS for i in range(_FIRST_COLUMNS + 1)]
            for option, slo in zip(chosen, slos, strict=True)
        ]
        self.slos = [slo + TIME_TOLERANCE / 2 for slo in slos]
        self.edges, self.sinks = edges_and_sinks(problems)

    def run(self) -> tuple[float, list[tuple[object, ...]]] | None:
        """Cost and schedules; None where no rates meet the limits."""
        from harpagon.formulations.planning.pattern import PatternData, pattern_program
        from harpagon.solvers.models.highs import solve_relaxation
        from harpagon.solvers.options import DEFAULT_OPTIONS

        best: tuple[float, list[tuple[object, ...]]] | None = None
        before = math.inf
        for _ in range(_MIXING_ROUNDS):
            columns = tuple(
                tuple(self._column(option, latency) for latency in points)
                for option, points in zip(self.chosen, self.points, strict=True)
            )
            everything = (*columns, *self._rented(columns))
            data = PatternData(everything, tuple(self.slos), self.edges, self.sinks, self.rules.limits)
            relaxed = solve_relaxation(pattern_program(data), DEFAULT_OPTIONS)
            if relaxed is None:
                return best
            latencies = [
                sum(relaxed.values[f"pick[{m},{k}]"] * column.latency for k, column in enumerate(own))
                for m, own in enumerate(columns)
            ]
            mixed = [self._column(o, max(o.latency, x)) for o, x in zip(self.chosen, latencies, strict=True)]
            cost, used = sum(column.cost for column in mixed), map(sum, zip(*(one.usage for one in mixed), strict=True))
            if self.rules.within_limits(tuple(used)) and (best is None or cost < best[0]):
                best = cost, [column.schedule for column in mixed]
            if relaxed.value >= before * (1 - _MIXED):
                return best
            before = relaxed.value
            self._refine(latencies)
        return best

    def _rented(self, columns: Sequence[Sequence[Column]]) -> list[tuple[Column, Column]]:
        """Per limited type none or more machines beyond the limit, so dear that a plan within the limits has none.

        Mixtures of few latencies use more than the curve between them: without these, the first may all break limits.
        """
        from harpagon.formulations.planning.pattern import Column

        most = sum(max(max(column.usage) for column in own) for own in columns) if self.rules.limits else 0.0
        price = _DEAR * sum(max(column.cost for column in own) for own in columns)
        types = range(len(self.rules.limits))
        none = Column(0.0, 0.0, (0.0,) * len(types), ())
        return [(none, Column(price, 0.0, tuple(-most * (h == one) for h in types), ())) for one in types]

    def _column(self, option: Option, latency: float) -> Column:
        from harpagon.formulations.planning.pattern import Column

        structure: Structure | None = option.structure
        if structure is None:
            return Column(option.cost, option.latency, option.usage, option.content)  # type: ignore[arg-type]
        schedule = structure.schedule(structure.rate(latency))
        return Column(sum(part.cost for part in schedule), latency, self.rules.usage(schedule), schedule)

    def _refine(self, latencies: Sequence[float]) -> None:
        """Add latencies around each, at every scale."""
        for option, points, latency, slo in zip(self.chosen, self.points, latencies, self.slos, strict=True):
            if option.structure is not None:
                steps = [(slo - option.latency) / _FIRST_COLUMNS / 2**scale for scale in range(_SCALES)]
                around = [latency, *(latency + sign * step for step in steps for sign in (-1, 1))]
                points[:] = sorted({points[0], points[-1], *(x for x in around if option.latency <= x <= slo)})
