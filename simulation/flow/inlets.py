"""What reaches a module: its incoming edges and their join."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harpagon.graphs import exact_fanout, exact_rates
from harpagon.simulation.flow.fanout import Edge, Fanout, FixedFanout, RandomFanout
from harpagon.simulation.flow.joins import Join, RootJoin, SingleInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.graphs import PathNetwork
    from harpagon.instances.instance import Pipeline
    from harpagon.simulation.flow.pieces import Flow


class Inlet:
    """Brings results of the modules before to one module.

    Parameters
    ----------
    edges
        Number of the tail, in topological order, and edge; none for a source.
    join
        Makes requests of what the edges bring.
    hold
        Seconds after its root request before which no request counts as arrived: pacing; 0 for none.
    """

    def __init__(self, edges: Sequence[tuple[int, Edge]], join: Join, hold: float) -> None:
        self._edges = tuple(edges)
        self._join = join
        self._hold = hold

    def receive(self, root: Flow, left: Sequence[Flow]) -> Flow:
        """Requests of the module: ``root`` for a source, else made of what ``left`` the modules before."""
        flows = [edge.carry(left[tail]) for tail, edge in self._edges]
        flow = self._join.merge(flows) if flows else root
        return flow.held_until(self._hold) if self._hold else flow


def pipeline_inlets(
    pipeline: Pipeline,
    network: PathNetwork,
    holds: Sequence[float],
    seed: tuple[int, int] | None,
) -> list[Inlet]:
    """Inlets of all modules in topological order.

    Parameters
    ----------
    pipeline, network
        The pipeline and its paths.
    holds
        Per module, as for `Inlet`.
    seed
        For random fan-out, the same on all edges that leave one module; None for a fixed fraction.
    """
    inlets = []
    graph, names, rates = pipeline.graph, network.modules, exact_rates(pipeline.graph)
    for head, pairs in enumerate(network.predecessors):
        edges = [
            (tail, Edge(_fanout(float(graph.edges[names[tail], names[head]].get("fanout", 1.0)), tail, seed), transfer))
            for tail, transfer in pairs
        ]
        join = _join([names[tail] for tail, _ in pairs], rates[names[head]].leader)
        inlets.append(Inlet(edges, join, holds[head]))
    return inlets


def _fanout(fanout: float, tail: int, seed: tuple[int, int] | None) -> Fanout:
    if seed is None:
        return FixedFanout(exact_fanout(fanout))
    return RandomFanout(fanout, np.random.default_rng((*seed, tail + 1)))


def _join(tails: Sequence[str], leader: str | None) -> Join:
    if len(tails) < 2:
        return SingleInput()
    return RootJoin(len(tails), None if leader is None else tails.index(leader))
