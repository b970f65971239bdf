"""One pipeline served: every root request goes through the graph, and reaches each module when the plan says."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from harpagon.graphs import PathNetwork, exact_fanout, exact_rates
from harpagon.simulation.flow.fanout import FixedFanout
from harpagon.simulation.serving.kserve import batch_of, infer_response, intended_instant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harpagon.instances.instance import Pipeline
    from harpagon.simulation.serving.modules import LiveModule


class RootCounts:
    """How many requests each root request brings to each module, root by root, as in the simulator."""

    def __init__(self, pipeline: Pipeline) -> None:
        graph = pipeline.graph
        self._modules = PathNetwork.from_graph(graph).modules
        self._leaders = {name: rate.leader for name, rate in exact_rates(graph).items()}
        self._edges = {
            name: {tail: FixedFanout(exact_fanout(edge.get("fanout", 1.0))) for tail, edge in graph.pred[name].items()}
            for name in self._modules
        }

    def following(self) -> dict[str, int]:
        """Requests per module of the next root request."""
        counts: dict[str, int] = {}
        for name in self._modules:
            sent = {tail: int(fanout(counts[tail]).sum()) for tail, fanout in self._edges[name].items()}
            leader = self._leaders[name]
            counts[name] = sent[leader] if leader is not None else sum(sent.values()) if sent else 1
        return counts


class LivePipeline:
    """Takes root requests of one pipeline and answers each when its last result is out.

    Parameters
    ----------
    pipeline
        The graph, its fan-outs and joins.
    modules
        Its modules as they are served.
    holds
        Module to the seconds after its root request at which a request counts as arrived, and not before.
    """

    def __init__(self, pipeline: Pipeline, modules: Mapping[str, LiveModule], holds: Mapping[str, float]) -> None:
        self._name = pipeline.name
        self._network = PathNetwork.from_graph(pipeline.graph)
        self._modules = modules
        self._holds = holds
        self._counts = RootCounts(pipeline)

    async def infer(self, document: Any) -> Any:
        """Answer one root request, which entered at the instant that its client intended."""
        entered = intended_instant(document)
        counts = self._counts.following()
        done: list[asyncio.Task[float]] = []
        for name, tails in zip(self._network.modules, self._network.predecessors, strict=True):
            inputs = [done[tail] for tail, _ in tails]
            instant = entered + self._holds[name]
            done.append(asyncio.create_task(self._through(self._modules[name], counts[name], instant, inputs)))
        await asyncio.gather(*done)
        return infer_response(self._name, batch_of(document))

    async def _through(
        self, module: LiveModule, count: int, instant: float, inputs: Sequence[asyncio.Task[float]]
    ) -> float:
        """Wait for the inputs of a root; the instant at which the module is through with it."""
        for task in inputs:
            await task
        return await module.serve(count, instant)
