"""The planning problem of one pipeline, compiled from an instance: what every method works on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from harpagon.formulations.paced import Stream, paced_service
from harpagon.formulations.physics import keeps_streams, tc_order, tuple_latencies
from harpagon.formulations.waves import pipeline_waves
from harpagon.graphs import PathNetwork, propagate_rates
from harpagon.instances.plan import Promise
from harpagon.instances.policies import Dispatch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harpagon.formulations.paced import Service
    from harpagon.formulations.waves import Wave
    from harpagon.instances.frozen import FrozenGraph
    from harpagon.instances.instance import Configuration, Instance, Pipeline
    from harpagon.instances.plan import DispatchTuple


@dataclass(frozen=True, slots=True)
class ModuleProblem:
    """One module: serve ``rate`` requests per second with ``configurations``, which stand in ``tc`` order.

    ``stream`` is what reaches it of a paced pipeline; ``spare`` machines may be lost, of any of its tuples.
    """

    name: str
    rate: float
    configurations: tuple[Configuration, ...]
    stream: Stream | None = None
    spare: int = 0

    def service(self, schedule: Sequence[DispatchTuple]) -> Service | None:
        """How ``schedule`` serves the stream in a paced pipeline; None where it has too little capacity."""
        assert self.stream is not None, "compiled from a pipeline"
        return _service(tuple(schedule), self.stream)

    def latencies(self, schedule: Sequence[DispatchTuple], dispatch: Dispatch) -> tuple[float, ...]:
        """Worst-case latency of each tuple in seconds, infinite where a paced schedule has too little capacity."""
        return self.served(schedule, dispatch)[1]

    def served(self, schedule: Sequence[DispatchTuple], dispatch: Dispatch) -> tuple[Service | None, tuple[float, ...]]:
        """`service` under ``paced``, else None; and `latencies`."""
        if not keeps_streams(dispatch):
            return None, tuple_latencies(schedule, dispatch)
        service = self.service(schedule)
        return service, (math.inf if service is None else service.latency,) * len(schedule)

    def latency(self, schedule: Sequence[DispatchTuple], dispatch: Dispatch) -> float:
        """Worst-case latency of the module in seconds: the largest of its tuples."""
        return max(self.latencies(schedule, dispatch))


@dataclass(frozen=True, slots=True)
class PipelineProblem:
    """One pipeline: modules in the topological order of ``network``, ``slo`` seconds on every path.

    ``entry`` are the seconds that a root request of a burst may wait before it enters: the objective is ``slo`` more.
    """

    name: str
    slo: float
    network: PathNetwork
    modules: tuple[ModuleProblem, ...]
    entry: float = 0.0


@lru_cache(maxsize=32_768)
def _service(schedule: tuple[DispatchTuple, ...], stream: Stream) -> Service | None:
    """As `paced_service`: searches under one charge after another meet the same schedules."""
    return paced_service(schedule, stream)


def pipeline_problem(instance: Instance, pipeline: Pipeline, promise: Promise | None = None) -> PipelineProblem:
    """Compile one pipeline of an instance, for the streams of ``promise`` where these are not its own."""
    promise = promise or own_promise(pipeline)
    network, waves = _of_graph(pipeline.graph)
    rates = _rates(pipeline.graph, promise.rate)
    models = dict(pipeline.graph.nodes(data="model"))
    available = {model: _available(instance, model) for model in set(models.values())}
    modules = tuple(
        ModuleProblem(name, rates[name], available[models[name]], Stream(promise.rate, waves[name]), pipeline.spare)
        for name in network.modules
    )
    return PipelineProblem(pipeline.name, pipeline.slo - promise.delay, network, modules, promise.delay)


def _of_graph(graph: FrozenGraph) -> tuple[PathNetwork, dict[str, Wave]]:
    """What of a problem hangs on the graph alone, compiled once a graph: graphs of instances never change."""
    if graph not in _COMPILED:
        _COMPILED[graph] = PathNetwork.from_graph(graph), pipeline_waves(graph)
    return _COMPILED[graph]


def _rates(graph: FrozenGraph, rate: float) -> dict[str, float]:
    """Rates of a graph's modules, kept until another rate is asked for: plan and checks ask for the same."""
    known = _RATES.get(graph)
    if known is None or known[0] != rate:
        known = _RATES[graph] = rate, propagate_rates(graph, rate)
    return known[1]


_COMPILED: WeakKeyDictionary[FrozenGraph, tuple[PathNetwork, dict[str, Wave]]] = WeakKeyDictionary()
_RATES: WeakKeyDictionary[FrozenGraph, tuple[float, dict[str, float]]] = WeakKeyDictionary()


def own_promise(pipeline: Pipeline) -> Promise:
    """Streams that an instance promises for a pipeline."""
    return Promise(pipeline.rate, pipeline.burst)


def pipeline_problems(instance: Instance) -> tuple[PipelineProblem, ...]:
    """Compile every pipeline of an instance."""
    return tuple(pipeline_problem(instance, pipeline) for pipeline in instance.pipelines)


def module_spans(problems: Iterable[PipelineProblem]) -> list[tuple[int, int]]:
    """Where the modules of every pipeline begin and end, the modules of all pipelines in one list."""
    return list(pairwise(accumulate((len(problem.modules) for problem in problems), initial=0)))


def edges_and_sinks(problems: Iterable[PipelineProblem]) -> tuple[dict[tuple[int, int], float], tuple[int, ...]]:
    """Edges (tail, head) to transfer seconds, and sinks, the modules of all pipelines in one list."""
    problems = tuple(problems)
    edges: dict[tuple[int, int], float] = {}
    sinks: list[int] = []
    for problem, (begin, _) in zip(problems, module_spans(problems), strict=True):
        edges |= {(begin + i, begin + j): transfer for (i, j), transfer in problem.network.edges().items()}
        sinks += [begin + module for module in problem.network.sinks]
    return edges, tuple(sinks)


def model_names(instance: Instance, problems: Iterable[PipelineProblem]) -> tuple[str, ...]:
    """Model of every module, the modules of all pipelines in one list."""
    return tuple(
        pipeline.graph.nodes[module.name]["model"]
        for pipeline, problem in zip(instance.pipelines, problems, strict=True)
        for module in problem.modules
    )


def _available(instance: Instance, model: str) -> tuple[Configuration, ...]:
    """Configurations of a model in ``tc`` order; a type with limit 0 is not there, unless nothing else is."""
    profile = sorted(instance.profiles[model], key=tc_order)
    there = tuple(c for c in profile if instance.hardware[c.hardware].limit != 0)
    return there or tuple(profile)
