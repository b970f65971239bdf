"""A pipeline in time, piece by piece of its arrivals, modules in topological order.

What a module hands on depends on nothing but what came before it, so no event is missed. One engine runs plans, whose
stations are dispatchers, and systems with controllers, whose stations are queues (`harpagon.simulation.flow.queues`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harpagon.graphs import PathNetwork
    from harpagon.simulation.flow.fanout import Edge
    from harpagon.simulation.flow.inlets import Inlet
    from harpagon.simulation.flow.pieces import Flow

T_co = TypeVar("T_co", covariant=True)


class Stage(Protocol[T_co]):
    """One module in time."""

    def process(self, flow: Flow) -> tuple[Flow, T_co]:
        """Serve what comes; results that leave, and what else the station tells of this piece."""

    def onward(self, flow: Flow, leaving: Flow) -> Flow:
        """What the modules after this one are told, of the ``flow`` that came and the results that are ``leaving``."""


class Engine(Generic[T_co]):
    """Requests on their way through the modules of a pipeline.

    Parameters
    ----------
    network
        The pipeline's compiled paths.
    edges
        (tail, head) to what carries requests along the edge.
    inlets, stations
        What is before every module, and the module, in topological order.
    """

    def __init__(
        self,
        network: PathNetwork,
        edges: Mapping[tuple[int, int], Edge],
        inlets: Sequence[Inlet],
        stations: Sequence[Stage[T_co]],
    ) -> None:
        self.network = network
        self._edges = edges
        self._steps = tuple(zip(inlets, stations, strict=True))

    def advance(self, root: Flow) -> list[tuple[Flow, T_co]]:
        """Push one piece of root requests through all modules; what every `Stage.process` says of it."""
        carried: dict[tuple[int, int], Flow] = {}
        passed = []
        for module, (inlet, station) in enumerate(self._steps):
            flow = inlet.receive(root, [carried[tail, module] for tail, _ in self.network.predecessors[module]])
            leaving, told = station.process(flow)
            onward = station.onward(flow, leaving)
            for head, _ in self.network.successors[module]:
                carried[module, head] = self._edges[module, head].carry(onward)
            passed.append((leaving, told))
        return passed
