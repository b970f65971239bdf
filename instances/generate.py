"""Seeded random instances, small enough to be refereed by brute force."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harpagon.graphs import propagate_rates
from harpagon.graphs.shapes import SHAPES
from harpagon.instances.instance import Configuration, Hardware, Instance, Pipeline
from harpagon.instances.policies import Billing
from harpagon.instances.reference import reference_latency

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    import networkx as nx

_BATCHES = (1, 2, 4, 8)
_FANOUTS = (0.5, 1.0, 1.0, 1.0, 1.5, 2.0)
_TRANSFERS = (0.0, 0.0, 0.01, 0.02)
_ROUND_DURATIONS = (0.05, 0.1, 0.2, 0.25)
_ROUND_PRICES = (0.5, 1.0, 2.0)
_MODEL_SIZES = (1.0, 3.0, 5.0, 9.0)
_MACHINE_SIZE = 8.0
"""Gigabytes."""


def random_instance(
    rng: random.Random,
    *,
    shape: str | None = None,
    pipelines: int = 1,
    modules: tuple[int, int] = (1, 4),
    configurations: tuple[int, int] = (1, 4),
    hardware: tuple[int, int] = (1, 2),
    machines: float = 5.0,
    tightness: tuple[float, float] = (1.05, 4.0),
    billing: Billing = Billing.WHOLE,
    limits: bool = False,
    memory: bool = False,
) -> Instance:
    """Draw a small instance.

    Half of the instances have round figures (durations such as 0.1 and 0.25 s, prices such as 0.5 and 1), so that
    equal ratios and equal costs occur; the others have figures without a pattern. Without limits, every instance
    with ``tightness`` of at least 1 is feasible in both billings.

    Parameters
    ----------
    rng
        Source of all randomness: the same state gives the same instance.
    shape
        A key of `harpagon.graphs.shapes.SHAPES`; None draws one per pipeline.
    pipelines
        Number of pipelines.
    modules, configurations, hardware
        Smallest and largest number of modules per pipeline, of configurations per model, and of hardware types.
    machines
        No module needs more than this many machines, rounded up, of its slowest configuration.
    tightness
        Range of the SLO as a multiple of `reference_latency`.
    billing
        Default billing of the instance.
    limits
        Whether hardware types may have limits; these may make the instance infeasible.
    memory
        Whether machines have 8 GB, and models take 1 to 9 GB of them where they share one.

    Returns
    -------
    Instance
        Valid by construction.
    """
    is_round = rng.random() < 0.5
    types = _random_hardware(rng, rng.randint(*hardware), is_round, limits)
    models = [f"model-{letter}" for letter in "abc"[: rng.randint(1, 3)]]
    profiles = {model: _random_profile(rng, types, rng.randint(*configurations), is_round) for model in models}
    drawn = []
    for number in range(pipelines):
        graph = _random_graph(rng, shape or rng.choice(sorted(SHAPES)), rng.randint(*modules), models)
        rate = _random_rate(rng, graph, profiles, machines, is_round)
        slo = round(reference_latency(graph, rate, profiles) * rng.uniform(*tightness) + 5e-4, 3)
        drawn.append(Pipeline(f"pipeline-{number}", rate, slo, graph))
    instance = Instance("random", billing, types, profiles, tuple(drawn))
    return _with_memory(rng, instance) if memory else instance


def _with_memory(rng: random.Random, instance: Instance) -> Instance:
    sizes = {model: rng.choice(_MODEL_SIZES) for model in instance.profiles}
    profiles = {
        model: tuple(replace(configuration, memory_gb=sizes[model]) for configuration in profile)
        for model, profile in instance.profiles.items()
    }
    types = {name: replace(hardware, memory_gb=_MACHINE_SIZE) for name, hardware in instance.hardware.items()}
    return replace(instance, hardware=types, profiles=profiles)


def _random_hardware(rng: random.Random, count: int, is_round: bool, limits: bool) -> dict[str, Hardware]:
    types = {}
    for number in range(count):
        price = rng.choice(_ROUND_PRICES) if is_round else round(rng.uniform(0.3, 3.0), 2)
        limit = rng.randint(1, 8) if limits and rng.random() < 0.7 else None
        types[f"gpu-{number}"] = Hardware(f"gpu-{number}", price, limit)
    return types


def _random_profile(
    rng: random.Random, types: Mapping[str, Hardware], count: int, is_round: bool
) -> tuple[Configuration, ...]:
    """Configurations with d(b) = d(1) b^g, 0.3 <= g <= 0.95: concave, throughput rises with the batch."""
    options = [(name, batch) for name in types for batch in _BATCHES]
    chosen = sorted(rng.sample(options, min(count, len(options))))
    curves = {}
    for name in types:
        first = rng.choice(_ROUND_DURATIONS) if is_round else rng.uniform(0.02, 0.3)
        curves[name] = (first, 0.5 if is_round else rng.uniform(0.3, 0.95))
    profile = []
    for name, batch in chosen:
        first, exponent = curves[name]
        duration = round(first * batch**exponent, 2 if is_round else 4)
        profile.append(Configuration(name, batch, duration, types[name].price))
    return tuple(profile)


def _random_graph(rng: random.Random, shape: str, modules: int, models: list[str]) -> nx.DiGraph:
    graph = SHAPES[shape](modules, rng)
    for _, data in graph.nodes(data=True):
        data.update(model=rng.choice(models), join=rng.choice(("all", "all", "any")))
    for _, _, data in graph.edges(data=True):
        data.update(fanout=rng.choice(_FANOUTS), transfer=rng.choice(_TRANSFERS))
    return graph


def _random_rate(
    rng: random.Random,
    graph: nx.DiGraph,
    profiles: Mapping[str, tuple[Configuration, ...]],
    machines: float,
    is_round: bool,
) -> float:
    """Rate at which the busiest module needs between a fifth and all of ``machines`` slowest machines."""
    largest = min(
        min(c.throughput for c in profiles[graph.nodes[module]["model"]]) / factor
        for module, factor in propagate_rates(graph, 1.0).items()
    )
    rate = largest * machines * rng.uniform(0.2, 1.0)
    return max(0.5, int(rate * 2) / 2) if is_round else round(rate, 3)
