"""Random paced plans, and streams of the class that their latency is claimed for."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np
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
    from harpagon.instances.instance import Instance, Pipeline
    from harpagon.instances.plan import PipelinePlan, Plan

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


def class_streams(pipeline: Pipeline, plan: PipelinePlan, requests: int, seed: int) -> dict[str, np.ndarray]:
    """Streams that the plan claims its latency for, each of at most so many root requests."""
    generator = np.random.default_rng(seed)
    rate, count = pipeline.rate, requests
    close_after = [wait for module in plan.modules.values() if module.pace for wait in module.pace.close_after]
    beyond = np.array([1 / rate, *(max(1 / rate, wait + 1e-7) for wait in close_after)])
    gaps = {
        "even": np.full(count, 1.0),
        "slow by 0.1 %": np.full(count, 1.001),
        "slow by 30 %": np.full(count, 1.3),
        "random gaps": 1 + generator.exponential(0.3, count),
        "long gaps": np.where(generator.random(count) < 0.05, generator.uniform(2, 30, count), 1.0),
        "gaps just beyond the time-outs": rate * generator.choice(beyond, count),
        "gaps of whole intervals": generator.choice((1.0, 1.0, 1.0, 2.0, 3.0), count),
    }
    streams = {name: np.cumsum(gap) / rate for name, gap in gaps.items()}
    grid = np.arange(count) / rate
    streams["2 % dropped"] = grid[generator.random(count) >= 0.02]
    streams["bursts"] = bursts(rate, pipeline.burst, generator, count)
    return {name: times - times[0] for name, times in streams.items()}


def bursts(rate: float, burst: int, generator: np.random.Generator, count: int) -> np.ndarray:
    """All that a token bucket of ``burst`` allows, after pauses that fill it more or less."""
    times: list[float] = []
    now, tokens = 0.0, float(burst)
    while len(times) < count:
        now, tokens = _spend(times, now, tokens, rate, int(generator.integers(1, 3 * burst + 3)))
        pause = float(generator.choice((0.3, 1.0, burst, 2.5 * burst))) / rate
        now, tokens = now + pause, min(float(burst), tokens + rate * pause)
    return np.array(times[:count])


def _spend(times: list[float], now: float, tokens: float, rate: float, requests: int) -> tuple[float, float]:
    """Send as soon as there is a token."""
    for _ in range(requests):
        if tokens < 1:
            now, tokens = now + (1 - tokens) / rate, 1.0
        times.append(now)
        tokens -= 1
    return now, tokens
