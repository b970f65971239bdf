"""Random paced plans."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

import networkx as nx
from simulation_cases import pipeline_plan

from harpagon.formulations.paced import Stream
from harpagon.formulations.problem import ModuleProblem
from harpagon.formulations.waves import pipeline_waves
from harpagon.graphs import propagate_rates
from harpagon.graphs.shapes import SHAPES
from harpagon.instances.instance import Configuration
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Dispatch

if TYPE_CHECKING:
    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan

FANOUTS = (0.25, 0.3, 0.5, 0.7, 1.0, 1.0, 1.0, 1.2, 1.5, 2.0, 3.0)


def random_pipeline(rng: random.Random, modules: int = 5) -> nx.DiGraph:
    """Any shape, joins of both kinds, fan-outs from 0.25 to 3, transfers."""
    graph = SHAPES[rng.choice(sorted(SHAPES))](rng.randint(1, modules), rng)
    for _, _, data in graph.edges(data=True):
        data.update(fanout=rng.choice(FANOUTS), transfer=rng.choice((0.0, 0.0, 0.003, 0.017)))
    for name in graph:
        graph.nodes[name]["join"] = rng.choice(("all", "all", "any"))
    return graph


def random_module(
    rng: random.Random, quickest: float, dearest: float, budgets: tuple[float, float]
) -> tuple[ModuleProblem, float]:
    """Two or three configurations whose machines cost about what they carry, so that several tuples pay; a budget.

    A batch takes ``quickest`` to 4 times as long as it is collected, a machine is up to ``dearest`` times as dear as it
    carries, and the budget is that multiple of the longest duration.
    """
    graph = nx.DiGraph()
    graph.add_edge("a", "b", fanout=rng.choice((0.5, 1.0, 1.0, 1.5, 2.0)))
    stream = Stream(rng.choice((10.0, 100.0)), pipeline_waves(graph)["b"])
    found = []
    for number in range(rng.randint(2, 3)):
        batch = rng.choice((1, 2, 4, 8))
        duration = round(batch / stream.rate * rng.uniform(quickest, 4), 5)
        price = round(batch / duration / stream.rate * rng.choice((1.0, 1.0, 1.1, dearest)), 2)
        found.append(Configuration(f"gpu-{number}", batch, duration, price))
    budget = max(c.duration for c in found) * rng.uniform(*budgets)
    return ModuleProblem("b", float(stream.wave.rate) * stream.rate, tuple(found), stream), budget


def random_schedule(rng: random.Random, rate: float) -> tuple[DispatchTuple, ...]:
    """One tuple that just carries ``rate``, or two or three that carry it together."""
    parts: list[DispatchTuple] = []
    left = rate
    for number in range(rng.choice((1, 1, 1, 2, 3))):
        batch = rng.choice((1, 2, 3, 4, 8, 16))
        duration = round(batch / rate * rng.choice((0.3, 0.5, 1.0, 1.9, 2.0, 3.3)) * rng.uniform(0.7, 1.3), 6)
        parts.append(DispatchTuple.full(Configuration(f"gpu-{number}", batch, max(1e-6, duration), 1.0), 1))
        left -= parts[-1].rate
        if left <= 0:
            return tuple(parts)
    last = parts.pop()
    machines = 1 + math.ceil(left / last.rate + 1e-9) + rng.choice((0, 0, 1))
    return (*parts, DispatchTuple.full(last.configuration, machines))


def random_plan(seed: int, modules: int = 5) -> tuple[Instance, Plan]:
    """A pipeline with a plan under ``paced``."""
    rng = random.Random(seed)
    graph = random_pipeline(rng, modules)
    rate = rng.choice((10.0, 30.0, 198.0, 1000.0, 7.3))
    schedules = {name: random_schedule(rng, arriving) for name, arriving in propagate_rates(graph, rate).items()}
    return pipeline_plan(graph, rate, schedules, Dispatch.PACED, burst=rng.choice((1, 1, 1, 2, 5)))
