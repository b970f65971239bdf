"""Topological order, with what reaches each module: one pass for whatever is handed on along the edges."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Any

import networkx as nx

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Incoming = list[tuple[str, Mapping[str, Any]]]
    """Tail and attributes of every edge to one module."""


def in_topological_order(graph: nx.DiGraph) -> Iterator[tuple[str, Incoming]]:
    """Every module after all of its tails, ties by name, each with its incoming edges.

    One heap and one list of edges: views of networkx, made anew for every module, take several times as long.

    Parameters
    ----------
    graph
        Pipeline graph.

    Raises
    ------
    NetworkXUnfeasible
        Where the edges form a cycle, after the modules before it.

    Examples
    --------
    >>> graph = nx.DiGraph([("b", "c"), ("a", "c")])
    >>> [(module, [tail for tail, _ in incoming]) for module, incoming in in_topological_order(graph)]
    [('a', []), ('b', []), ('c', ['b', 'a'])]
    """
    incoming: dict[str, Incoming] = {module: [] for module in graph}
    for tail, head, data in graph.in_edges(data=True):
        incoming[head].append((tail, data))
    waiting = {module: len(edges) for module, edges in incoming.items()}
    heads = dict(graph.adjacency())
    ready = [module for module, edges in waiting.items() if not edges]
    heapify(ready)
    done = 0
    while ready:
        module = heappop(ready)
        done += 1
        yield module, incoming[module]
        for head in heads[module]:
            waiting[head] -= 1
            if not waiting[head]:
                heappush(ready, head)
    if done < len(incoming):
        raise nx.NetworkXUnfeasible("the edges form a cycle")
