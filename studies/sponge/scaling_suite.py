"""Pipelines on CPU cores: the suite on which vertical, horizontal and joint scaling are compared."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import networkx as nx

from harpagon.formulations.problem import pipeline_problem
from harpagon.formulations.sponge.core_latency import SPONGE_REFIT, CoreLatency
from harpagon.instances.cpu.instance import core_instance
from harpagon.instances.instance import Pipeline

if TYPE_CHECKING:
    import numpy as np

    from harpagon.instances.cpu.profile import CoreProfile
    from harpagon.instances.instance import Instance

CORES = range(1, 17)
BATCHES = (1, 2, 4, 8, 16)
_MODULES = ("detect", "classify", "recognise")


def scaling_suite(count: int, seed: int = 0) -> list[Instance]:
    """``count`` chains of three modules with rates of 10 to 100 req/s and random, reachable SLOs.

    The modules are stand-ins: Sponge's YOLO refit, made 0.2 to 1.5 times as slow, with the part that parallelises
    over cores between 0.3 and 1 times its published size.
    """
    import numpy as np

    generator = np.random.default_rng(seed)
    return [_chain(f"scaling-{seed}-{number}", generator) for number in range(count)]


def _chain(name: str, generator: np.random.Generator) -> Instance:
    profiles = {module: _stand_in(module, generator) for module in _MODULES}
    graph = nx.DiGraph()
    for module in _MODULES:
        graph.add_node(module, model=module, join="all")
    for tail, head in pairwise(_MODULES):
        graph.add_edge(tail, head, fanout=float(generator.choice([1.0, 1.0, 2.0])), transfer=0.0)
    rate = float(generator.uniform(10.0, 100.0))
    instance = core_instance(name, profiles, Pipeline(name, rate, 1.0, graph))
    problem = pipeline_problem(instance, instance.pipelines[0])
    least = problem.network.length([min(c.duration for c in module.configurations) for module in problem.modules])
    slo = least * float(generator.uniform(3.0, 15.0))
    return core_instance(name, profiles, Pipeline(name, rate, slo, graph))


def _stand_in(model: str, generator: np.random.Generator) -> CoreProfile:
    size = float(generator.uniform(0.2, 1.5))
    parallel = float(generator.uniform(0.3, 1.0))
    latency = CoreLatency(
        gamma=SPONGE_REFIT.gamma * size * parallel,
        delta=SPONGE_REFIT.delta * size,
        epsilon=SPONGE_REFIT.epsilon * size * parallel,
        eta=SPONGE_REFIT.eta * size,
    )
    return latency.profile(model, CORES, BATCHES)
