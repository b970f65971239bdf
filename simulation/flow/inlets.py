"""What reaches a module of a plan: the edges that bring it, and their join."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harpagon.graphs import exact_fanout, exact_rates
from harpagon.simulation.flow.fanout import Edge, Fanout, FixedFanout, RandomFanout
from harpagon.simulation.flow.joins import Join, Passing, RootJoin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.graphs import PathNetwork
    from harpagon.instances.instance import Pipeline
    from harpagon.simulation.flow.pieces import Flow


class Inlet:
    """Brings requests to one module.

    Parameters
    ----------
    join
        Makes requests of what the edges bring.
    hold
        Seconds after its root request before which no request counts as arrived: pacing; 0 for none.
    """

    def __init__(self, join: Join, hold: float) -> None:
        self._join = join
        self._hold = hold

    def receive(self, root: Flow, brought: Sequence[Flow]) -> Flow:
        """Requests of the module: ``root`` for a source, else made of what the edges ``brought``, tails in order."""
        flow = self._join.merge(brought) if brought else root
        return flow.held_until(self._hold) if self._hold else flow


def pipeline_inlets(pipeline: Pipeline, network: PathNetwork, holds: Sequence[float]) -> list[Inlet]:
    """Inlets of all modules in topological order, with their ``holds`` as for `Inlet`."""
    rates = exact_rates(pipeline.graph)
    tails = [[network.modules[tail] for tail, _ in pairs] for pairs in network.predecessors]
    return [
        Inlet(_join(before, rates[name].leader), hold)
        for name, before, hold in zip(network.modules, tails, holds, strict=True)
    ]


def pipeline_edges(
    pipeline: Pipeline, network: PathNetwork, seed: tuple[int, int] | None
) -> dict[tuple[int, int], Edge]:
    """(tail, head) to the edge.

    ``seed`` is for random fan-out, the same on all edges that leave one module; None for a fixed fraction.
    """
    names = network.modules
    return {
        (tail, head): Edge(
            _fanout(float(pipeline.graph.edges[names[tail], names[head]].get("fanout", 1.0)), tail, seed), transfer
        )
        for head, pairs in enumerate(network.predecessors)
        for tail, transfer in pairs
    }


def _fanout(fanout: float, tail: int, seed: tuple[int, int] | None) -> Fanout:
    if seed is None:
        return FixedFanout(exact_fanout(fanout))
    return RandomFanout(fanout, np.random.default_rng((*seed, tail + 1)))


def _join(tails: Sequence[str], leader: str | None) -> Join:
    if len(tails) < 2:
        return Passing()
    return RootJoin(len(tails), None if leader is None else tails.index(leader))
