"""Fractional schedules of modules with many configurations, where batches are served by earliest deadlines.

Compared with the enumeration of every structure that costs no more, each at its own least rate.
"""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

import networkx as nx
import pytest

from harpagon.formulations.paced import Stream
from harpagon.formulations.physics import in_dispatch_order
from harpagon.formulations.problem import ModuleProblem
from harpagon.formulations.structures import structures_with
from harpagon.formulations.waves import pipeline_waves
from harpagon.instances.instance import Configuration
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.exact.effort import Effort
from harpagon.solvers.exact.schedule import ScheduleSearch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SEEDS = 120
_MOST = 3.5
"""Dollars per hour up to which schedules are enumerated: three machines or so."""


def module(seed: int, dispatch: Dispatch) -> tuple[ModuleProblem, float]:
    """Six configurations on two types, one with a stated capacity under ``edf``, and a budget near a duration."""
    rng = random.Random(seed)
    graph = nx.DiGraph()
    graph.add_edge("a", "b", fanout=rng.choice((0.5, 1.0, 1.0, 2.0)))
    stream = Stream(rng.choice((10.0, 100.0)), pipeline_waves(graph)["b"])
    rate, found = float(stream.wave.rate) * stream.rate, []
    for kind in range(2):
        price, growth, machines = rng.uniform(0.9, 1.5), rng.uniform(0.2, 0.9), rng.uniform(0.8, 2.0)
        for batch in (1, 2, 8):
            duration = machines / rate * batch**growth
            found.append(Configuration(f"gpu-{kind}", batch, duration, price, mean=duration * rng.choice((0.9, 1.0))))
    if dispatch is Dispatch.EDF:
        found[-1] = Configuration("gpu-1", 0, found[-1].duration, price, capacity=rate * rng.uniform(0.3, 0.8))
    return ModuleProblem("b", rate, tuple(found), stream), rng.choice(found).duration * rng.uniform(1.02, 1.8)


def least(problem: ModuleProblem, budget: float, dispatch: Dispatch, cap: float) -> float:
    """Least cost of any structure whose full tuples cost at most ``cap``."""
    return min(
        (
            sum(part.cost for part in structure.schedule(structure.rate(budget)))
            for full in _tuples(problem.configurations, cap)
            for residual in (None, *problem.configurations)
            if full or residual
            for structure in structures_with(full, residual, problem, dispatch)
            if structure.quickest <= budget and (residual or _capacity(full, dispatch) >= problem.rate * (1 - 1e-9))
        ),
        default=math.inf,
    )


def _tuples(configurations: Sequence[Configuration], cap: float) -> Iterator[tuple[DispatchTuple, ...]]:
    chosen: list[tuple[tuple[DispatchTuple, ...], float]] = [((), 0.0)]
    for configuration in configurations:
        chosen += [
            ((*parts, DispatchTuple.full(configuration, machines)), spent + machines * configuration.price)
            for parts, spent in list(chosen)
            for machines in range(1, 1 + int((cap - spent) * (1 + 1e-9) / configuration.price))
        ]
    return (in_dispatch_order(parts) for parts, _ in chosen)


def _capacity(full: Sequence[DispatchTuple], dispatch: Dispatch) -> float:
    """Requests per second, under ``paced`` with every batch at its worst."""
    if dispatch is Dispatch.EDF or len(full) == 1:
        return sum(part.rate for part in full)
    return sum(part.machines * part.configuration.batch / part.configuration.duration for part in full)


@pytest.mark.parametrize("dispatch", [Dispatch.EDF, Dispatch.PACED])
def test_no_schedule_of_many_configurations_is_cheaper(dispatch: Dispatch) -> None:
    several = 0
    for seed in range(_SEEDS):
        problem, budget = module(seed, dispatch)
        found = ScheduleSearch(problem, Billing.FRACTIONAL, dispatch).cheapest(budget, _MOST)
        enumerated = least(problem, budget, dispatch, _MOST if found is None else found.cost)
        if found is None:
            assert enumerated > _MOST
            continue
        assert problem.latency(found.schedule, dispatch) <= budget * (1 + 1e-9)
        assert found.cost == pytest.approx(enumerated, rel=1e-9), seed
        several += len(found.schedule) > 1
    assert several > 8


@pytest.mark.parametrize("dispatch", [Dispatch.EDF, Dispatch.PACED])
def test_configurations_that_ask_for_more_than_the_rate_are_not_searched(dispatch: Dispatch) -> None:
    """Thirty that just fit the budget: none can collect its batch from fewer machines than the small batches cost."""
    quick = [Configuration("gpu", batch, 0.01 * batch**0.6, 1.0) for batch in (1, 2, 4)]
    slow = [Configuration("gpu", 64 + k, 0.0997 + 1e-5 * k, 1.0) for k in range(30)]
    graph = nx.DiGraph()
    graph.add_edge("a", "b")
    stream = Stream(5000.0, pipeline_waves(graph)["b"])
    effort = Effort(most=2000)
    search = ScheduleSearch(
        ModuleProblem("b", 5000.0, (*quick, *slow), stream), Billing.FRACTIONAL, dispatch, effort=effort
    )
    found = search.cheapest(0.1)
    assert found is not None
    assert {part.configuration.batch for part in found.schedule} <= {1, 2, 4}
