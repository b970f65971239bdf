"""What makes a graph a pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx

if TYPE_CHECKING:
    from collections.abc import Hashable


class GraphError(ValueError):
    """A graph that is no pipeline.

    Attributes
    ----------
    cycle
        Nodes of one directed cycle, the first repeated at the end; empty where the fault is another.
    """

    def __init__(self, message: str, cycle: tuple[Hashable, ...] = ()) -> None:
        super().__init__(message)
        self.cycle = cycle


def validate_pipeline_graph(graph: nx.DiGraph) -> None:
    """Raise `GraphError` unless ``graph`` is a non-empty directed acyclic graph.

    Examples
    --------
    >>> validate_pipeline_graph(nx.DiGraph([("a", "b")]))
    >>> validate_pipeline_graph(nx.DiGraph([("a", "b"), ("b", "a")]))
    Traceback (most recent call last):
    ...
    harpagon.graphs.validation.GraphError: the edges form a cycle: a -> b -> a
    """
    if graph.number_of_nodes() == 0:
        raise GraphError("a pipeline needs at least one module")
    if nx.is_directed_acyclic_graph(graph):
        return
    edges = nx.find_cycle(graph)
    cycle = (*(edge[0] for edge in edges), edges[0][0])
    raise GraphError("the edges form a cycle: " + " -> ".join(map(str, cycle)), cycle)
