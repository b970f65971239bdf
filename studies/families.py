"""Families of small instances that are tight or odd: what random instances seldom are, and where methods go wrong."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from harpagon.formulations.bounds import smallest_latency
from harpagon.formulations.problem import pipeline_problems
from harpagon.instances.instance import Configuration
from harpagon.instances.policies import Dispatch
from harpagon.instances.reference import reference_latency

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from harpagon.instances.instance import Instance

_PRICES = (0.5, 1.0, 1.5)
_SECONDS_PER_REQUEST = (0.02, 0.05, 0.1)


def tight(instance: Instance, rng: random.Random) -> Instance:
    """Objectives 0.1 to 50 % above what finitely many machines come near to, the share drawn on a logarithmic scale."""
    pipelines = []
    for pipeline, problem in zip(instance.pipelines, pipeline_problems(instance), strict=True):
        smallest = problem.network.length([smallest_latency(module, Dispatch.TC) for module in problem.modules])
        pipelines.append(replace(pipeline, slo=smallest * (1 + 10 ** rng.uniform(-3, math.log10(0.5)))))
    return replace(instance, pipelines=tuple(pipelines))


def equal_modules(instance: Instance, rng: random.Random) -> Instance:
    """Every module runs the same model at the rate of the root: their schedules may be exchanged."""
    model = rng.choice(sorted(instance.profiles))
    pipelines = []
    for pipeline in instance.pipelines:
        graph = pipeline.graph.copy()
        for _, data in graph.nodes(data=True):
            data.update(model=model, join="all")
        for _, _, data in graph.edges(data=True):
            data.update(fanout=1.0)
        pipelines.append(replace(pipeline, graph=graph))
    return _timed(replace(instance, pipelines=tuple(pipelines)), rng)


def equal_ratios(instance: Instance, rng: random.Random) -> Instance:
    """Every configuration serves as much per dollar as every other: latencies and whole machines alone decide."""
    hardware = {name: replace(kind, price=rng.choice(_PRICES)) for name, kind in instance.hardware.items()}
    profiles = {}
    for model, profile in instance.profiles.items():
        first = rng.choice(_SECONDS_PER_REQUEST)
        profiles[model] = tuple(
            Configuration(c.hardware, c.batch, c.batch * first / price, price)
            for c in profile
            for price in [hardware[c.hardware].price]
        )
    return _timed(replace(instance, hardware=hardware, profiles=profiles), rng)


def tied(instance: Instance, rng: random.Random) -> Instance:
    """Equal ratios, half of the time equal modules too, and rates that whole or half machines serve: plans that tie."""
    drawn = equal_ratios(instance, rng)
    if rng.random() < 1 / 2:
        drawn = equal_modules(drawn, rng)
    pipelines = []
    for pipeline in drawn.pipelines:
        graph = pipeline.graph.copy()
        for _, _, data in graph.edges(data=True):
            data.update(fanout=rng.choice((0.5, 1.0, 1.0, 2.0)))
        model = rng.choice(sorted(data["model"] for _, data in graph.nodes(data=True)))
        rate = rng.choice(drawn.profiles[model]).throughput * rng.choice((0.5, 1, 1, 2))
        pipelines.append(replace(pipeline, graph=graph, rate=rate))
    return _timed(replace(drawn, pipelines=tuple(pipelines)), rng)


def non_monotone(instance: Instance, rng: random.Random) -> Instance:
    """Larger batches may take less time, or serve less per second."""
    profiles = {
        model: tuple(
            Configuration(c.hardware, c.batch, round(c.duration * rng.uniform(0.3, 3), 4), c.price) for c in profile
        )
        for model, profile in instance.profiles.items()
    }
    return _timed(replace(instance, profiles=profiles), rng)


def short(instance: Instance, rng: random.Random) -> Instance:
    """All times a thousandth to a ten-thousandth as long, so that the tolerance of times is a larger share of them."""
    scale = 10 ** rng.uniform(-4, -3)
    profiles = {
        model: tuple(Configuration(c.hardware, c.batch, c.duration * scale, c.price) for c in profile)
        for model, profile in instance.profiles.items()
    }
    pipelines = []
    for pipeline in instance.pipelines:
        graph = pipeline.graph.copy()
        for _, _, data in graph.edges(data=True):
            data["transfer"] *= scale
        pipelines.append(replace(pipeline, rate=pipeline.rate / scale, slo=pipeline.slo * scale, graph=graph))
    return replace(instance, profiles=profiles, pipelines=tuple(pipelines))


def _timed(instance: Instance, rng: random.Random) -> Instance:
    """Objectives up to three times the reference latency."""
    pipelines = tuple(
        replace(p, slo=reference_latency(p.graph, p.rate, instance.profiles) * rng.uniform(1.02, 3))
        for p in instance.pipelines
    )
    return replace(instance, pipelines=pipelines)


FAMILIES: dict[str, Callable[[Instance, random.Random], Instance]] = {
    "usual": lambda instance, rng: instance,
    "tight": tight,
    "equal-modules": equal_modules,
    "equal-ratios": equal_ratios,
    "tied": tied,
    "non-monotone": non_monotone,
    "short": short,
}
"""Name of a family to what makes one of its instances of a random one."""
