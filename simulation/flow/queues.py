"""Modules as queues on the engine: what comes until the end of a period is served as far as machines are free by then.

A controller that acts at the ends of periods has to see all that is done by then, out of sequence too. So joins here
go by the root as a whole (`harpagon.simulation.flow.closings`), while those of a plan go item by item in sequence.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from harpagon.graphs import exact_rates
from harpagon.simulation.flow.engine import Engine
from harpagon.simulation.flow.fanout import KnownEdge, round_fanout
from harpagon.simulation.flow.inlets import Inlet
from harpagon.simulation.flow.joins import ClosedJoin, Join, Passing
from harpagon.simulation.flow.pieces import Flow
from harpagon.simulation.flow.server import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import networkx as nx

    from harpagon.graphs import PathNetwork
    from harpagon.simulation.flow.closings import Closings
    from harpagon.simulation.flow.fanout import Edge
    from harpagon.simulation.flow.server import Server


class QueueStation:
    """A module served by a queue; results leave in the order of service, not of their roots.

    Parameters
    ----------
    module
        Its number.
    server
        Queue and machines.
    arrivals
        Seconds at which every root entered.
    closings
        Told what comes and what is done.
    whole
        Whether a root's results leave together once all are done; else one by one.
    hold
        Seconds after its arrival before which no result leaves.
    """

    def __init__(
        self, module: int, server: Server, arrivals: np.ndarray, closings: Closings, whole: bool, hold: float
    ) -> None:
        self._module = module
        self._server = server
        self._arrivals = arrivals
        self._closings = closings
        self._whole = whole
        self._hold = hold

    def process(self, flow: Flow) -> tuple[Flow, Outcome]:
        """Serve up to the time before which all roots have entered."""
        self._closings.come(self._module, flow.root)
        self._server.arrive(flow.ready, flow.root)
        outcome = self._server.run(flow.next_origin)
        ready, roots = np.maximum(outcome.finished, outcome.arrived + self._hold), outcome.roots
        closed_at, closed = self._closings.close(self._module, roots, ready)
        if self._whole:
            ready, roots = closed_at, closed
        return replace(flow, ready=ready, root=roots, origin=self._arrivals[roots]), outcome

    def onward(self, flow: Flow, leaving: Flow) -> Flow:
        """What leaves."""
        return leaving


class QueueEngine(Engine[Outcome]):
    """A pipeline of queues.

    Parameters
    ----------
    graph, network
        The pipeline and its compiled paths.
    arrivals
        Sorted seconds at which the roots enter.
    closings
        Of these roots.
    edges
        (tail, head) to the edge.
    servers
        Queue and machines of every module, in topological order.
    whole
        As for `QueueStation`; a root then brings as many items to a ``join: all`` as the edge that brings most, else as
        many as the edge of the largest rate.
    holds
        As for `QueueStation`, of every module; None for no hold.
    """

    def __init__(
        self,
        graph: nx.DiGraph,
        network: PathNetwork,
        arrivals: np.ndarray,
        closings: Closings,
        edges: Mapping[tuple[int, int], Edge],
        servers: Sequence[Server],
        *,
        whole: bool = False,
        holds: Sequence[float] | None = None,
    ) -> None:
        self.arrivals = arrivals
        self.closings = closings
        self.edges = edges
        self.servers = tuple(servers)
        self.entered = 0
        """Roots that have entered."""
        holds = holds or (0.0,) * len(self.servers)
        joins = _joins(graph, network, closings, whole)
        stations = [
            QueueStation(module, server, arrivals, closings, whole, hold)
            for module, (server, hold) in enumerate(zip(self.servers, holds, strict=True))
        ]
        super().__init__(network, edges, [Inlet(join, 0.0) for join in joins], stations)

    def run(self, end: float) -> list[Outcome]:
        """Run up to ``end`` seconds on the clock; what every module did."""
        until = int(np.searchsorted(self.arrivals, end))
        roots = np.arange(self.entered, until)
        times, self.entered = self.arrivals[roots], until
        return [outcome for _, outcome in self.advance(Flow(times, roots, times, end, until, end))]


def _joins(graph: nx.DiGraph, network: PathNetwork, closings: Closings, whole: bool) -> list[Join]:
    """What is before every module, in topological order."""
    joins: list[Join] = []
    rates = exact_rates(graph)
    for module, (name, pairs) in enumerate(zip(network.modules, network.predecessors, strict=True)):
        tails, leader = [network.modules[tail] for tail, _ in pairs], rates[name].leader
        if len(tails) < 2 or leader is None:
            joins.append(Passing())
        else:
            joins.append(ClosedJoin(module, len(tails), closings, None if whole else tails.index(leader)))
    return joins


def drawn_edges(
    graph: nx.DiGraph, network: PathNetwork, roots: int, generator: np.random.Generator
) -> dict[tuple[int, int], Edge]:
    """(tail, head) to edges that carry a root's items together, how many drawn beforehand for every root.

    A root brings as many items to a ``join: all`` as the edge that brings most, elsewhere what all edges bring.
    """
    numbers: dict[tuple[int, int], np.ndarray] = {}
    edges: dict[tuple[int, int], Edge] = {}
    items = [np.ones(roots, dtype=np.int64)] * len(network.modules)
    rates = exact_rates(graph)
    draws = iter(generator.random((roots, graph.number_of_edges())).T)
    for head, name in enumerate(network.modules):
        incoming = []
        for tail, _, fanout in graph.in_edges(name, data="fanout", default=1.0):
            edge = network.modules.index(tail), head
            numbers[edge] = round_fanout(items[edge[0]] * fanout, next(draws))
            edges[edge] = KnownEdge(numbers[edge], dict(network.predecessors[head])[edge[0]])
            incoming.append(numbers[edge])
        if incoming:
            joins = rates[name].leader is not None
            items[head] = (np.max if joins else np.sum)(incoming, axis=0)
    return edges
