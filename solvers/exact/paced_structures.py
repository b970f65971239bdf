"""Structures of a paced module that may be the cheapest within some latency of an interval: fractional billing.

What each dispatcher keeps is listed on its own, as `harpagon.solvers.exact.paced` searches it: one tuple by closed
forms, several over open batches by one search, points of capacity profiles by their stated latencies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.formulations.paced_sizes import fewest_machines
from harpagon.formulations.structures import module_structure, structures_with
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.exact.covers import Covers
from harpagon.solvers.exact.effort import Effort
from harpagon.solvers.exact.paced import PacedSearch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harpagon.formulations.problem import ModuleProblem
    from harpagon.formulations.residual import Structure
    from harpagon.instances.instance import Configuration
    from harpagon.solvers.exact.paced import Schedule
    from harpagon.solvers.exact.pricing import Pricing


def paced_structures_between(
    problem: ModuleProblem, tightest: float, budget: float, cap: float, pricing: Pricing, effort: Effort | None = None
) -> Iterator[Structure]:
    """As `harpagon.solvers.exact.schedule.structures_between`, under ``paced``."""
    effort = effort or Effort()
    quick = [c for c in problem.configurations if c.duration <= budget]
    for configuration in quick:
        yield from _single_residuals(problem, configuration, budget, cap, pricing)
        for structure in _single_wholes(problem, configuration, budget, cap, pricing, effort):
            yield structure
            if structure.floor <= tightest and not pricing.tracked:
                cap = min(cap, structure.full[0].machines * pricing.charge(configuration))
            if structure.floor <= max(tightest, configuration.duration):
                break
    search = PacedSearch(problem, Billing.FRACTIONAL, Covers(pricing), effort)
    for schedule in _several(search, tightest, budget, cap):
        yield module_structure(schedule, problem, Dispatch.PACED)


def _single_residuals(
    problem: ModuleProblem, configuration: Configuration, budget: float, cap: float, pricing: Pricing
) -> Iterator[Structure]:
    """One partly used machine, by each dispatcher that keeps ``budget`` within ``cap``."""
    for structure in structures_with((), configuration, problem, Dispatch.PACED):
        if structure.rate(budget) / configuration.throughput * pricing.charge(configuration) <= cap:
            yield structure


def _single_wholes(
    problem: ModuleProblem, configuration: Configuration, budget: float, cap: float, pricing: Pricing, effort: Effort
) -> Iterator[Structure]:
    """One tuple of whole machines, the fewest that keep ``budget`` and every larger number within ``cap``."""
    assert problem.stream is not None, "compiled from a pipeline"
    machines = fewest_machines(configuration, problem.stream, budget)
    while machines is not None and machines * pricing.charge(configuration) <= cap:
        effort.spend(0)
        yield module_structure((DispatchTuple.full(configuration, machines),), problem, Dispatch.PACED)
        machines += 1


def _several(search: PacedSearch, tightest: float, budget: float, cap: float) -> Iterator[Schedule]:
    """Several tuples: batched ones, then points of capacity profiles at every stated latency that matters."""
    yield from search.several_between(tightest, budget, cap)
    stated = sorted({c.duration for c in search.problem.configurations if c.is_capacity and c.duration <= budget})
    for latency in [*[x for x in stated if x <= tightest][-1:], *(x for x in stated if x > tightest)]:
        yield from search.stated_with_residual(latency, cap)
