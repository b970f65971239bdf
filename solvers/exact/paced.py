"""Cheapest schedule of one module of a paced pipeline under a latency budget.

H is the smallest of what three dispatchers keep (`harpagon.formulations.paced`). Two of them serve one tuple, and there
H falls as machines are added: per configuration the fewest machines are known in closed form. The third serves any
tuples, and there the schedule of least charge is searched for, as under ``edf`` with an allowance that falls with the
capacity. The cheapest of the three within the budget is the cheapest schedule: H itself rises and falls as machines
are added, but what each dispatcher keeps is searched on its own.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from heapq import heapify, heappop, heappush
from math import ceil, inf
from typing import TYPE_CHECKING, TypeAlias

from harpagon.formulations.paced import corners
from harpagon.formulations.paced_sizes import fewest_machines, least_residual
from harpagon.formulations.physics import COST_TOLERANCE, in_dispatch_order
from harpagon.formulations.problem import ModuleProblem
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.exact.descent import descend
from harpagon.solvers.exact.layered_climb import RULES, DeadlineRule, layered_climb
from harpagon.solvers.exact.open_batch_descent import descend_over_open_batches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harpagon.formulations.paced import Stream
    from harpagon.instances.instance import Configuration
    from harpagon.solvers.exact.covers import Covers, ModelCovers
    from harpagon.solvers.exact.effort import Effort

Schedule: TypeAlias = tuple[DispatchTuple, ...]
_ROUNDING = 1e-12
"""Relative: figures this near are the same."""


class OpenBatchRule(DeadlineRule):
    """``edf`` behind a regulator: the demand bound, with what late requests add: M(s + 1) - s W / R at the worst s.

    H <= x exactly when every group k has F + D_k w_k >= b_k + max over s of (M(s + 1) - s W / R), D = x - d.
    """

    def __init__(self, stream: Stream) -> None:
        self.lines = allowance_lines(stream)
        self.least = min(most for seconds, most in self.lines if not seconds)

    def allowance(self, capacity: float) -> float:
        """Requests that the slack must leave at this capacity."""
        return max(most - capacity * seconds for seconds, most in self.lines)

    def need(self, configuration: Configuration, budget: float) -> float:
        """Of its own group: no group of longer duration has a larger D."""
        return (configuration.batch + self.least) / (budget - configuration.duration)


def allowance_lines(stream: Stream) -> tuple[tuple[float, float], ...]:
    """Pairs (s / R, M(s + 1)): those that can be the worst at some capacity."""
    return tuple((s / stream.rate, float(turn + 1)) for s, turn in corners(stream.wave, 1))


class PacedSearch:
    """Cheapest schedules of one module at one budget after another; what no budget changes is found once."""

    def __init__(self, problem: ModuleProblem, billing: Billing, covers: Covers, effort: Effort | None = None) -> None:
        assert problem.stream is not None, "compiled from a pipeline"
        self.problem = problem
        self.stream = problem.stream
        self.covers = covers
        self.pricing = covers.pricing
        self.effort = effort
        self.searches = [getattr(self, name) for name in _SEARCHES[billing]]

    def cheapest(self, budget: float, cap: float) -> tuple[Schedule, float] | None:
        """Schedule of least charge whose H is at most ``budget`` seconds, and H; None where none is within ``cap``."""
        best = None
        for search in self.searches:
            found = next(self._kept(search(budget, cap), budget), None)
            if found is not None and self._charge(found[0]) <= cap:
                best, cap = found, self._charge(found[0]) * (1 - COST_TOLERANCE)
        return best

    def distinct(self, budget: float, cap: float) -> Iterator[tuple[Schedule, float]]:
        """All schedules within budget and cap that are Pareto-optimal in cost and tracked use, and some others."""
        for search in self.searches:
            found = self._kept(search(budget, cap), budget)
            yield from (one for one in found if self._charge(one[0]) <= cap)

    def _kept(self, found: Iterator[Schedule], budget: float) -> Iterator[tuple[Schedule, float]]:
        """Those that keep the budget by the exact figures too, with their H."""
        limit = budget * (1 + _ROUNDING)
        pairs = ((schedule, self.problem.latency(schedule, Dispatch.PACED)) for schedule in found)
        return (pair for pair in pairs if pair[1] <= limit)

    def _charge(self, schedule: Schedule) -> float:
        return sum(part.machines * self.pricing.charge(part.configuration) for part in schedule)

    # One tuple

    def single_whole(self, budget: float, cap: float) -> Iterator[Schedule]:
        """One tuple of whole machines, the fewest of each configuration, cheapest first.

        A configuration is looked at when no other can be cheaper than what its rate alone asks for.
        """
        spare, charges = self.problem.spare, self._charges
        heap: list[tuple[float, int, DispatchTuple | None]] = [
            (least, place, None)
            for least, place, duration in self._least_charges
            if duration <= budget and least <= cap
        ]
        heapify(heap)
        while heap and heap[0][0] <= cap:
            _, place, part = heappop(heap)
            configuration = self.problem.configurations[place]
            if part is not None:
                yield (part,)
                continue
            machines = fewest_machines(configuration, self.stream, budget)
            if machines is not None and (machines + spare) * charges[place] <= cap:
                part = DispatchTuple.full(configuration, machines, spare)
                heappush(heap, (part.machines * charges[place], place, part))

    @cached_property
    def _charges(self) -> list[float]:
        return [self.pricing.charge(configuration) for configuration in self.problem.configurations]

    @cached_property
    def _least_charges(self) -> list[tuple[float, int, float]]:
        """Charge that the rate alone asks for, place and duration of every configuration."""
        found = []
        for place, configuration in enumerate(self.problem.configurations):
            least = max(1, ceil(self.problem.rate / configuration.throughput * (1 - _ROUNDING))) + self.problem.spare
            found.append((least * self._charges[place], place, configuration.duration))
        return found

    def single_residual(self, budget: float, cap: float) -> Iterator[Schedule]:
        """One partly used machine, at the least rate in each configuration, cheapest first."""
        charge, load = self.pricing.charge, self.problem.rate * (1 - _ROUNDING)
        quick = (c for c in self.problem.configurations if c.duration <= budget)
        able = (c for c in quick if load <= c.throughput and load / c.throughput * charge(c) <= cap)
        rates = ((c, least_residual(c, self.stream, budget)) for c in able)
        parts = [DispatchTuple.residual(configuration, rate) for configuration, rate in rates if rate is not None]
        return ((part,) for part in sorted(parts, key=lambda part: part.machines * charge(part.configuration)))

    # Several tuples of batches

    def several_whole(self, budget: float, cap: float) -> Iterator[Schedule]:
        """Whole machines over open batches."""
        quick = sum(configuration.duration < budget for configuration in self._batched)
        if not quick or self._cover(quick) > cap:
            return
        slow = replace(self.problem, configurations=tuple(self._at_worst)[:quick])
        for counts in layered_climb(slow, budget, self._rule, cap, self.pricing, self.effort):
            named = self._at_worst
            yield in_dispatch_order(DispatchTuple.full(named[c], n, self.problem.spare) for c, n in counts)

    @cached_property
    def _rule(self) -> OpenBatchRule:
        return OpenBatchRule(self.stream)

    @cached_property
    def _batched(self) -> list[Configuration]:
        """Batched configurations, the quickest first."""
        return sorted((c for c in self.problem.configurations if not c.is_capacity), key=lambda c: c.duration)

    @cached_property
    def _at_worst(self) -> dict[Configuration, Configuration]:
        """`_batched` as if every batch took the stated quantile, with what they stand for."""
        return {c if c.mean == c.duration else replace(c, mean=c.duration): c for c in self._batched}

    def _cover(self, quick: int) -> float:
        """Least charge for the capacity alone, by so many of the quickest configurations: no schedule has less."""
        if self.pricing.tracked:
            return 0.0
        return self._own_covers.least(self.problem.rate, (1 << quick) - 1, self.effort) * (1 - COST_TOLERANCE / 2)

    @cached_property
    def _own_covers(self) -> ModelCovers:
        return self.covers.of(tuple(self._at_worst))

    def several_with_residual(self, budget: float, cap: float) -> Iterator[Schedule]:
        """Whole machines and one residual over open batches."""
        return self.several_between(None, budget, cap)

    def several_between(self, tightest: float | None, budget: float, cap: float) -> Iterator[Schedule]:
        """Schedules over open batches as `descend_over_open_batches` has them."""
        batched = replace(self.problem, configurations=tuple(self._batched))
        return descend_over_open_batches(
            batched, budget, self._rule.lines, cap, self.pricing, self.effort, tightest=tightest
        )

    # Several points of capacity profiles: enough capacity from those that are quick enough

    def stated_whole(self, budget: float, cap: float) -> Iterator[Schedule]:
        """Whole machines."""
        stated = self._quick_points(budget)
        if stated.configurations:
            for counts in layered_climb(stated, inf, RULES[Dispatch.TC], cap, self.pricing, self.effort):
                yield in_dispatch_order(DispatchTuple.full(c, n, self.problem.spare) for c, n in counts)

    def stated_with_residual(self, budget: float, cap: float) -> Iterator[Schedule]:
        """Whole machines and one that is partly used."""
        found = descend(self._quick_points(budget), inf, Dispatch.TC, cap, self.pricing, self.effort)
        return (in_dispatch_order(parts) for parts in found)

    def _quick_points(self, budget: float) -> ModuleProblem:
        return replace(self.problem, configurations=tuple(c for c in self._stated if c.duration <= budget))

    @cached_property
    def _stated(self) -> list[Configuration]:
        return [c for c in self.problem.configurations if c.is_capacity]


_SEARCHES = {
    Billing.WHOLE: ("single_whole", "several_whole", "stated_whole"),
    Billing.FRACTIONAL: (
        "single_residual",
        "single_whole",
        "several_with_residual",
        "stated_with_residual",
    ),
}
"""What is searched under each billing; later searches have to undercut what earlier ones found."""
