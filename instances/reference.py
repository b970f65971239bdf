"""The latency that service-level objectives of generated workloads are multiples of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.graphs import PathNetwork, propagate_rates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import networkx as nx

    from harpagon.instances.instance import Configuration


def reference_latency(graph: nx.DiGraph, rate: float, profiles: Mapping[str, Sequence[Configuration]]) -> float:
    """Longest path when every module runs its quickest single configuration at its own request rate.

    A module that serves T requests per second with one configuration fills a batch in at most b / T seconds and
    executes it in d, so min (d + b / T) over its configurations is reached by every batch-aware policy, with or
    without limits on spare capacity. More machines than the rate needs can go below it, down to min d.

    Parameters
    ----------
    graph
        Pipeline graph whose nodes carry ``model``.
    rate
        Requests per second at every source.
    profiles
        Model to configurations.

    Returns
    -------
    float
        Seconds, transfer times included.
    """
    rates = propagate_rates(graph, rate)
    network = PathNetwork.from_graph(graph)
    return network.length(
        [
            min(c.duration + c.batch / rates[module] for c in profiles[graph.nodes[module]["model"]])
            for module in network.modules
        ]
    )
