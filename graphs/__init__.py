"""Pipelines as directed acyclic graphs: request rates, longest paths, series-parallel structure.

A pipeline is a ``networkx.DiGraph``. Nodes carry ``join`` ("all" or "any"), edges carry ``fanout`` (requests sent
on per request received) and ``transfer`` (seconds). This layer knows no price and no solver.
"""

from harpagon.graphs.paths import PathNetwork
from harpagon.graphs.rates import propagate_rates
from harpagon.graphs.series_parallel import Delay, Leaf, Node, Parallel, Series, decompose
from harpagon.graphs.validation import GraphError, validate_pipeline_graph

__all__ = [
    "Delay",
    "GraphError",
    "Leaf",
    "Node",
    "Parallel",
    "PathNetwork",
    "Series",
    "decompose",
    "propagate_rates",
    "validate_pipeline_graph",
]
