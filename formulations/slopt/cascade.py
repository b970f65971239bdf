"""Cascade estimation: a root envelope pushed through the schedules of a pipeline.

A module with latencies between d_min and L hands on what arrives with a delay that varies by J = L - d_min, and no
machine completes two batches within one batch duration:

    alpha_out(x) = min( alpha_in(x + J),  sum over groups of n b (floor(x / d) + 1) ).

Where results are held until arrival + L (pacing), J = 0. An edge multiplies by its fan-out. At ``join: all`` an item
waits for the others of its root for at most (longest - shortest path to the module), at ``join: any`` streams add.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harpagon.formulations.slopt.envelope import WINDOWS, Envelope, largest, summed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import networkx as nx

    from harpagon.graphs import PathNetwork
    from harpagon.instances.instance import Configuration


@dataclass(frozen=True, slots=True)
class ModuleSchedule:
    """What one module runs.

    Attributes
    ----------
    groups
        (configuration, machines) pairs.
    latency
        Bound on the module's latency, seconds.
    shortest
        Smallest latency a request can have, seconds.
    """

    groups: tuple[tuple[Configuration, int], ...]
    latency: float
    shortest: float

    @property
    def capacity(self) -> float:
        """Requests per second of all machines."""
        return sum(machines * configuration.throughput for configuration, machines in self.groups)

    @property
    def cost(self) -> float:
        """Dollars per hour."""
        return sum(machines * configuration.price for configuration, machines in self.groups)

    @property
    def machines(self) -> int:
        """Machines of all groups."""
        return sum(machines for _, machines in self.groups)


def graph_fanouts(graph: nx.DiGraph) -> dict[tuple[str, str], float]:
    """Fan-out of every edge as the pipeline has it."""
    return {(tail, head): float(data.get("fanout", 1.0)) for tail, head, data in graph.edges(data=True)}


def cascade_envelopes(
    root: Envelope,
    graph: nx.DiGraph,
    network: PathNetwork,
    schedules: Sequence[ModuleSchedule],
    fanouts: Mapping[tuple[str, str], float],
    paced: bool = False,
) -> list[Envelope]:
    """Arrival envelope of every module, in the order of ``network``.

    Parameters
    ----------
    root
        What enters at every source.
    graph, network
        The pipeline, and its compiled paths.
    schedules
        What every module runs, in the order of ``network``.
    fanouts
        Mean fan-out of every edge.
    paced
        Whether every module holds its results until arrival + latency.
    """
    longest = network.heads([schedule.latency for schedule in schedules])
    shortest = network.heads([schedule.latency if paced else schedule.shortest for schedule in schedules])
    envelopes: list[Envelope] = []
    for index, name in enumerate(network.modules):
        inputs = []
        for tail, transfer in network.predecessors[index]:
            edge = fanouts[network.modules[tail], name]
            stream = _departures(envelopes[tail], schedules[tail], paced).fanned_out(edge)
            if _waits_for_all(graph, network, index):
                earliest = shortest[tail] + (schedules[tail].latency if paced else schedules[tail].shortest) + transfer
                stream = stream.jittered(max(0.0, longest[index] - earliest))
            inputs.append(stream)
        envelopes.append(_joined(inputs, graph.nodes[name].get("join", "all")) if inputs else root)
    return envelopes


def mean_envelopes(
    rate: float, graph: nx.DiGraph, network: PathNetwork, fanouts: Mapping[tuple[str, str], float]
) -> list[Envelope]:
    """Rate x fan-out at every module, without bursts: the model-independent estimate."""
    envelopes: list[Envelope] = []
    for index, name in enumerate(network.modules):
        inputs = [
            envelopes[tail].scaled(fanouts[network.modules[tail], name]) for tail, _ in network.predecessors[index]
        ]
        envelopes.append(_joined(inputs, graph.nodes[name].get("join", "all")) if inputs else Envelope.of_rate(rate))
    return envelopes


def _waits_for_all(graph: nx.DiGraph, network: PathNetwork, index: int) -> bool:
    every = graph.nodes[network.modules[index]].get("join", "all") == "all"
    return every and len(network.predecessors[index]) > 1


def _departures(arriving: Envelope, schedule: ModuleSchedule, paced: bool) -> Envelope:
    if paced:
        return arriving
    completions = np.zeros_like(WINDOWS)
    for configuration, machines in schedule.groups:
        completions += machines * configuration.batch * (np.floor(WINDOWS / configuration.duration) + 1)
    return arriving.jittered(max(0.0, schedule.latency - schedule.shortest)).capped(completions)


def _joined(inputs: Sequence[Envelope], join: str) -> Envelope:
    if len(inputs) == 1:
        return inputs[0]
    return summed(inputs) if join == "any" else largest(inputs)
