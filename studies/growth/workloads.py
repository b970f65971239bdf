"""Workloads that grow along one axis at a time: modules, configurations, hardware types, rate, pipelines."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harpagon.graphs.shapes import chain, random_dag, tree
from harpagon.instances.instance import Configuration, Hardware, Instance, Pipeline
from harpagon.instances.library.profiles import library, library_hardware
from harpagon.instances.policies import Billing, Dispatch
from harpagon.instances.reference import reference_latency
from harpagon.solvers.exact.solve import solve_exact

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import networkx as nx

_RATE = 200.0
_TIGHTNESS = 2.0
"""SLO over the reference latency: tight enough to bind, loose enough to leave a choice."""
_EDGES_PER_MODULE = 2.0
_SYNTHETIC_TYPES = 5
_BATCHES = 12
"""Configurations of a model on each hardware type, where types grow."""
_LIMITED = "T4"
_LIMIT_SHARE = 0.7
"""Limit of the limited type over what the optimum without limits uses."""
_PIPELINE_MODULES = 4


@dataclass(frozen=True, slots=True)
class Axis:
    """One thing that grows: its sizes, and the workload of each size under a billing and a dispatch policy."""

    name: str
    sizes: tuple[int, ...]
    workload: Callable[[int, Billing, Dispatch], Instance]


def _modules(shape: Callable[[int], nx.DiGraph]) -> Callable[[int, Billing, Dispatch], Instance]:
    def workload(size: int, billing: Billing, dispatch: Dispatch) -> Instance:
        rng = random.Random(size)
        return _instance(f"{size} modules", [_pipeline("grown", shape(size), _RATE, library(), rng)])

    return workload


def _rich_modules(shape: Callable[[int], nx.DiGraph]) -> Callable[[int, Billing, Dispatch], Instance]:
    """Synthetic models of twelve batch sizes on each of five types: 60 configurations a module."""

    def workload(size: int, billing: Billing, dispatch: Dispatch) -> Instance:
        configurations = _BATCHES * _SYNTHETIC_TYPES
        return _synthetic(f"{size} rich modules", random.Random(size), _SYNTHETIC_TYPES, configurations, shape(size))

    return workload


def _sparse_dag(modules: int) -> nx.DiGraph:
    return random_dag(modules, random.Random(modules), density=min(1.0, 2 * _EDGES_PER_MODULE / modules))


def _configurations(size: int, billing: Billing, dispatch: Dispatch) -> Instance:
    """A chain of four modules, each with a synthetic model of ``size`` configurations on up to five types."""
    return _synthetic(f"{size} configurations", random.Random(size), _SYNTHETIC_TYPES, size)


def _types(size: int, billing: Billing, dispatch: Dispatch) -> Instance:
    """A chain of four modules, each with a synthetic model of twelve batch sizes on each of ``size`` types."""
    return _synthetic(f"{size} hardware types", random.Random(size), size, _BATCHES * size)


def _synthetic(
    name: str, rng: random.Random, types: int, configurations: int, graph: nx.DiGraph | None = None
) -> Instance:
    hardware = {f"gpu-{k}": Hardware(f"gpu-{k}", round(rng.uniform(0.5, 4.0), 2)) for k in range(types)}
    profiles = {f"model-{m}": synthetic_profile(rng, hardware, configurations) for m in range(_PIPELINE_MODULES)}
    pipeline = _pipeline("grown", graph or chain(_PIPELINE_MODULES), _RATE, profiles, rng)
    return Instance(name, Billing.WHOLE, hardware, profiles, (pipeline,))


def _rate(size: int, billing: Billing, dispatch: Dispatch) -> Instance:
    rng = random.Random(0)
    return _instance(f"{size} req/s", [_pipeline("grown", chain(_PIPELINE_MODULES), float(size), library(), rng)])


def _pipelines(size: int, billing: Billing, dispatch: Dispatch) -> Instance:
    """Chains of four modules that share 70 % of the T4 machines that they would use without a limit."""
    rng = random.Random(size)
    pipelines = [
        _pipeline(f"p{k:03d}", chain(_PIPELINE_MODULES), float(rng.randint(50, 500)), library(), rng)
        for k in range(size)
    ]
    instance = _instance(f"{size} pipelines", pipelines)
    plan = solve_exact(instance, billing, dispatch).plan
    assert plan is not None, "the SLO is above the reference latency"
    tuples = [part for p in plan.pipelines for module in p.modules.values() for part in module.tuples]
    used = sum(part.machines for part in tuples if part.configuration.hardware == _LIMITED)
    limited = replace(instance.hardware[_LIMITED], limit=int(_LIMIT_SHARE * used))
    return replace(instance, hardware={**instance.hardware, _LIMITED: limited})


def synthetic_profile(
    rng: random.Random, hardware: Mapping[str, Hardware], configurations: int
) -> tuple[Configuration, ...]:
    """Batches 1, 2, 3, ... on every type with d(b) = d(1) b^g, 0.3 <= g <= 0.95: concave, throughput rises with b."""
    profile = []
    curves = {name: (rng.uniform(0.005, 0.03) / h.price**0.7, rng.uniform(0.3, 0.95)) for name, h in hardware.items()}
    for number in range(configurations):
        step, kind = divmod(number, len(curves))
        name = list(curves)[kind]
        first, exponent = curves[name]
        profile.append(Configuration(name, step + 1, first * (step + 1) ** exponent, hardware[name].price))
    return tuple(profile)


def _pipeline(
    name: str, graph: nx.DiGraph, rate: float, profiles: Mapping[str, tuple[Configuration, ...]], rng: random.Random
) -> Pipeline:
    """A pipeline with models drawn from ``profiles`` and an SLO of twice the reference latency."""
    for _, data in graph.nodes(data=True):
        data["model"] = rng.choice(sorted(profiles))
    return Pipeline(name, rate, _TIGHTNESS * reference_latency(graph, rate, profiles), graph)


def _instance(name: str, pipelines: list[Pipeline]) -> Instance:
    return Instance(name, Billing.WHOLE, library_hardware(), library(), tuple(pipelines))


AXES = {
    axis.name: axis
    for axis in (
        Axis("modules in a chain", (2, 5, 10, 20, 50, 100, 200, 500, 1000), _modules(chain)),
        Axis("modules in a tree", (2, 5, 10, 20, 50, 100, 200, 500, 1000), _modules(tree)),
        Axis("modules in a random DAG", (2, 5, 10, 20, 50, 100, 200, 500, 1000), _modules(_sparse_dag)),
        Axis("chain, 60 configurations", (10, 50, 200, 1000), _rich_modules(chain)),
        Axis("tree, 60 configurations", (10, 50, 200, 1000), _rich_modules(tree)),
        Axis("random DAG, 60 configurations", (10, 50, 200, 1000), _rich_modules(_sparse_dag)),
        Axis("configurations", (5, 10, 20, 50, 100, 200), _configurations),
        Axis("hardware types", (1, 2, 5, 10, 20), _types),
        Axis("rate", (10, 100, 1000, 10_000, 100_000, 1_000_000), _rate),
        Axis("pipelines", (1, 2, 5, 10, 20, 50, 100, 200, 500), _pipelines),
    )
}
"""Axis by name."""
