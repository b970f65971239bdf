"""What reaches a module: its incoming edges, their join, and a regulator where arrivals need spacing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harpagon.simulation.flow.fanout import Edge, Fanout, FixedFanout, RandomFanout
from harpagon.simulation.flow.joins import Join, PositionJoin, RootJoin, SingleInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.graphs import PathNetwork
    from harpagon.instances.instance import Pipeline
    from harpagon.simulation.flow.pieces import Flow
    from harpagon.simulation.pacing import Regulator


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
    regulator
        Spaces the requests; None to let them pass.
    """

    def __init__(self, edges: Sequence[tuple[int, Edge]], join: Join, hold: float, regulator: Regulator | None) -> None:
        self._edges = tuple(edges)
        self._join = join
        self._hold = hold
        self._regulator = regulator

    def receive(self, root: Flow, left: Sequence[Flow]) -> Flow:
        """Requests of the module: ``root`` for a source, else made of what ``left`` the modules before."""
        flows = [edge.carry(left[tail]) for tail, edge in self._edges]
        flow = self._join.merge(flows) if flows else root
        if self._hold:
            flow = flow.held_until(self._hold)
        return self._regulator.pass_on(flow) if self._regulator else flow


def pipeline_inlets(
    pipeline: Pipeline,
    network: PathNetwork,
    rates: Sequence[float],
    holds: Sequence[float],
    regulators: Sequence[Regulator | None],
    seed: tuple[int, int] | None,
) -> list[Inlet]:
    """Inlets of all modules in topological order.

    Parameters
    ----------
    pipeline, network
        The pipeline and its paths.
    rates
        Requests per second of every module.
    holds, regulators
        Per module, as for `Inlet`.
    seed
        For random fan-out, the same on all edges that leave one module; None for a fixed fraction.
    """
    inlets = []
    for head, pairs in enumerate(network.predecessors):
        graph, names = pipeline.graph, network.modules
        fanouts = [float(graph.edges[names[tail], names[head]].get("fanout", 1.0)) for tail, _ in pairs]
        edges = [
            (tail, Edge(_fanout(fanout, tail, seed), transfer))
            for fanout, (tail, transfer) in zip(fanouts, pairs, strict=True)
        ]
        arriving = [rates[tail] * fanout for fanout, (tail, _) in zip(fanouts, pairs, strict=True)]
        every = graph.nodes[names[head]].get("join", "all") == "all"
        inlets.append(Inlet(edges, _join(arriving, every, seed is not None), holds[head], regulators[head]))
    return inlets


def _fanout(fanout: float, tail: int, seed: tuple[int, int] | None) -> Fanout:
    if seed is None:
        return FixedFanout(fanout)
    return RandomFanout(fanout, np.random.default_rng((*seed, tail + 1)))


def _join(rates: Sequence[float], every: bool, is_random: bool) -> Join:
    if len(rates) < 2:
        return SingleInput()
    return PositionJoin(rates) if every and not is_random else RootJoin(len(rates), every)
