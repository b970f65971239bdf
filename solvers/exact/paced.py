"""Cheapest schedule of one module of a paced pipeline under a latency budget.

H is the smallest of what three dispatchers keep (`harpagon.formulations.paced`). Two of them serve one tuple, and there
H falls as machines are added: per configuration the fewest machines are known in closed form. The third serves any
tuples, and there the schedule of least charge is searched for, as under ``edf`` with an allowance that falls with the
capacity. The cheapest of the three within the budget is the cheapest schedule: H itself rises and falls as machines
are added, but what each dispatcher keeps is searched on its own.
"""

from __future__ import annotations

from dataclasses import replace
from heapq import heapify, heappop, heappush
from math import ceil, inf
from typing import TYPE_CHECKING, TypeAlias

from harpagon.formulations.paced import corners
from harpagon.formulations.paced_sizes import fewest_machines, least_residual
from harpagon.formulations.physics import COST_TOLERANCE, in_dispatch_order
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.exact.descent import descend
from harpagon.solvers.exact.layered_climb import RULES, DeadlineRule, layered_climb
from harpagon.solvers.exact.open_batch_descent import descend_over_open_batches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harpagon.formulations.paced import Stream
    from harpagon.formulations.problem import ModuleProblem
    from harpagon.instances.instance import Configuration
    from harpagon.solvers.exact.effort import Effort
    from harpagon.solvers.exact.pricing import Pricing

Schedule: TypeAlias = tuple[DispatchTuple, ...]
_ROUNDING = 1e-12
"""Relative: figures this near are the same."""


class OpenBatchRule(DeadlineRule):
    """``edf`` behind a regulator: the demand bound, with what late requests add: M(s + 1) - s W / R at the worst s.

    H <= x exactly when every group k has F + D_k w_k >= b_k + max over s of (M(s + 1) - s W / R), D = x - d.
    """

    def __init__(self, stream: Stream) -> None:
        self.lines = allowance_lines(stream)

    def allowance(self, capacity: float) -> float:
        """Requests that the slack must leave at this capacity."""
        return max(most - capacity * seconds for seconds, most in self.lines)


def allowance_lines(stream: Stream) -> tuple[tuple[float, float], ...]:
    """Pairs (s / R, M(s + 1)): those that can be the worst at some capacity."""
    return tuple((s / stream.rate, float(turn + 1)) for s, turn in corners(stream.wave, 1))


def cheapest_paced(
    problem: ModuleProblem, budget: float, billing: Billing, cap: float, pricing: Pricing, effort: Effort | None = None
) -> Schedule | None:
    """Schedule of least charge whose H is at most ``budget`` seconds; None where none is within ``cap``."""
    best: Schedule | None = None
    for search in _SEARCHES[billing]:
        found = next(_kept(search(problem, budget, cap, pricing, effort), problem, budget), None)
        if found is not None and _charge(found, pricing) <= cap:
            best, cap = found, _charge(found, pricing) * (1 - COST_TOLERANCE)
    return best


def distinct_paced(
    problem: ModuleProblem, budget: float, billing: Billing, cap: float, pricing: Pricing, effort: Effort | None = None
) -> Iterator[Schedule]:
    """All schedules within budget and cap that are Pareto-optimal in cost and tracked use, and some others."""
    for search in _SEARCHES[billing]:
        found = _kept(search(problem, budget, cap, pricing, effort), problem, budget)
        yield from (schedule for schedule in found if _charge(schedule, pricing) <= cap)


def _kept(found: Iterator[Schedule], problem: ModuleProblem, budget: float) -> Iterator[Schedule]:
    """Those that keep the budget by the exact figures too."""
    limit = budget * (1 + _ROUNDING)
    return (schedule for schedule in found if problem.latency(schedule, Dispatch.PACED) <= limit)


def _charge(schedule: Schedule, pricing: Pricing) -> float:
    return sum(part.machines * pricing.charge(part.configuration) for part in schedule)


def _single_whole(
    problem: ModuleProblem, budget: float, cap: float, pricing: Pricing, effort: Effort | None
) -> Iterator[Schedule]:
    """One tuple of whole machines, the fewest of each configuration, cheapest first.

    A configuration is looked at when no other can be cheaper than what its rate alone asks for.
    """
    assert problem.stream is not None, "compiled from a pipeline"
    heap: list[tuple[float, int, DispatchTuple | None]] = []
    for place, configuration in enumerate(problem.configurations):
        if configuration.duration <= budget:
            least = max(1, ceil(problem.rate / configuration.throughput * (1 - _ROUNDING))) + problem.spare
            heap.append((least * pricing.charge(configuration), place, None))
    heapify(heap)
    while heap and heap[0][0] <= cap:
        _, place, part = heappop(heap)
        configuration = problem.configurations[place]
        if part is not None:
            yield (part,)
            continue
        machines = fewest_machines(configuration, problem.stream, budget)
        if machines is not None:
            part = DispatchTuple.full(configuration, machines, problem.spare)
            heappush(heap, (part.machines * pricing.charge(configuration), place, part))


def _single_residual(
    problem: ModuleProblem, budget: float, cap: float, pricing: Pricing, effort: Effort | None
) -> Iterator[Schedule]:
    """One partly used machine, at the least rate in each configuration, cheapest first."""
    assert problem.stream is not None, "compiled from a pipeline"
    rates = ((c, least_residual(c, problem.stream, budget)) for c in problem.configurations if c.duration <= budget)
    parts = [DispatchTuple.residual(configuration, rate) for configuration, rate in rates if rate is not None]
    return ((part,) for part in sorted(parts, key=lambda part: part.machines * pricing.charge(part.configuration)))


def _several_whole(
    problem: ModuleProblem, budget: float, cap: float, pricing: Pricing, effort: Effort | None
) -> Iterator[Schedule]:
    """Whole machines over open batches."""
    assert problem.stream is not None, "compiled from a pipeline"
    named = _at_worst(problem)
    slow = replace(problem, configurations=tuple(named))
    for counts in layered_climb(slow, budget, OpenBatchRule(problem.stream), cap, pricing, effort):
        yield in_dispatch_order(DispatchTuple.full(named[c], n, problem.spare) for c, n in counts)


def _several_with_residual(
    problem: ModuleProblem, budget: float, cap: float, pricing: Pricing, effort: Effort | None
) -> Iterator[Schedule]:
    """Whole machines and one residual over open batches."""
    return several_between(problem, None, budget, cap, pricing, effort)


def several_between(
    problem: ModuleProblem, tightest: float | None, budget: float, cap: float, pricing: Pricing, effort: Effort | None
) -> Iterator[Schedule]:
    """Schedules over open batches as `descend_over_open_batches` has them, of batched configurations."""
    assert problem.stream is not None, "compiled from a pipeline"
    batched = replace(problem, configurations=tuple(c for c in problem.configurations if not c.is_capacity))
    lines = allowance_lines(problem.stream)
    return descend_over_open_batches(batched, budget, lines, cap, pricing, effort, tightest)


def _stated(
    problem: ModuleProblem, budget: float, cap: float, pricing: Pricing, effort: Effort | None
) -> Iterator[Schedule]:
    """Several points of capacity profiles: enough capacity from those that are quick enough."""
    stated = _quick_points(problem, budget)
    for counts in layered_climb(stated, inf, RULES[Dispatch.TC], cap, pricing, effort) if stated.configurations else ():
        yield in_dispatch_order(DispatchTuple.full(c, n, problem.spare) for c, n in counts)


def stated_with_residual(
    problem: ModuleProblem, budget: float, cap: float, pricing: Pricing, effort: Effort | None
) -> Iterator[Schedule]:
    """Several points of capacity profiles, one machine of them partly used."""
    found = descend(_quick_points(problem, budget), inf, Dispatch.TC, cap, pricing, effort)
    return (in_dispatch_order(parts) for parts in found)


def _quick_points(problem: ModuleProblem, budget: float) -> ModuleProblem:
    quick = tuple(c for c in problem.configurations if c.is_capacity and c.duration <= budget)
    return replace(problem, configurations=quick)


def _at_worst(problem: ModuleProblem) -> dict[Configuration, Configuration]:
    """Batched configurations as if every batch took the stated quantile, with what they stand for."""
    batched = (c for c in problem.configurations if not c.is_capacity)
    return {c if c.mean == c.duration else replace(c, mean=c.duration): c for c in batched}


_SEARCHES = {
    Billing.WHOLE: (_single_whole, _several_whole, _stated),
    Billing.FRACTIONAL: (_single_residual, _single_whole, _several_whole, _several_with_residual, stated_with_residual),
}
"""What is searched under each billing; later searches have to undercut what earlier ones found."""
