"""The graph of a pipeline from its modules and edges as files have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx

from harpagon.graphs import GraphError, validate_pipeline_graph
from harpagon.instances.checks import loop_words
from harpagon.instances.errors import InputError, Place, format_place, shown, suggestion
from harpagon.instances.files.units import seconds

if TYPE_CHECKING:
    from harpagon.instances.files.schema import GraphFile


def pipeline_graph(file: GraphFile, place: Place, source: str) -> nx.DiGraph:
    """Graph with ``model`` and ``join`` on its nodes, ``fanout`` and ``transfer`` (seconds) on its edges.

    Parameters
    ----------
    file
        Modules and edges.
    place, source
        Where they stand, for messages.

    Raises
    ------
    InputError
        Where an edge names an unknown module, stands twice, joins a module to itself, or closes a cycle.
    """
    _check_edges(file, place, source)
    graph = nx.DiGraph()
    for name, module in file.modules.items():
        graph.add_node(name, model=module.model, join=module.join)
    for edge in file.edges:
        graph.add_edge(edge.tail, edge.head, fanout=edge.fanout, transfer=seconds(edge.transfer_ms))
    try:
        validate_pipeline_graph(graph)
    except GraphError as error:
        where = format_place((*place, "edges"))
        raise InputError(source, where, str(error), "Remove one edge of the cycle") from None
    return graph


def _check_edges(file: GraphFile, place: Place, source: str) -> None:
    seen: set[tuple[str, str]] = set()
    for position, edge in enumerate(file.edges):
        here: Place = (*place, "edges", position)
        for key, end in (("from", edge.tail), ("to", edge.head)):
            if end not in file.modules:
                problem = f"there is no module {shown(end)}"
                raise InputError(source, format_place((*here, key)), problem, suggestion(end, file.modules))
        words = f"{edge.tail} -> {edge.head}"
        if edge.tail == edge.head:
            raise InputError(source, format_place(here), *loop_words(edge.tail))
        if (edge.tail, edge.head) in seen:
            raise InputError(source, format_place(here), f"{words} stands twice", "Keep one edge, adding the fan-outs")
        seen.add((edge.tail, edge.head))
