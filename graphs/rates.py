"""Request rates through fan-out and joins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.graphs.order import in_topological_order

if TYPE_CHECKING:
    import networkx as nx


def propagate_rates(graph: nx.DiGraph, rate: float) -> dict[str, float]:
    """Request rate of every module.

    A source sees ``rate``. An edge brings (rate of its tail) x ``fanout``; where several edges meet,
    ``join="all"`` takes the largest (one request needs every input) and ``join="any"`` takes the sum.

    Parameters
    ----------
    graph
        Pipeline graph, acyclic.
    rate
        Requests per second that enter at every source.

    Returns
    -------
    dict
        Module name to requests per second, in topological order.

    Examples
    --------
    >>> import networkx as nx
    >>> graph = nx.DiGraph()
    >>> graph.add_edge("detect", "classify", fanout=1.5)
    >>> propagate_rates(graph, 10.0)
    {'detect': 10.0, 'classify': 15.0}
    """
    rates: dict[str, float] = {}
    for module, edges in in_topological_order(graph):
        incoming = [rates[tail] * data.get("fanout", 1.0) for tail, data in edges]
        if not incoming:
            rates[module] = rate
        elif graph.nodes[module].get("join", "all") == "any":
            rates[module] = sum(incoming)
        else:
            rates[module] = max(incoming)
    return rates
