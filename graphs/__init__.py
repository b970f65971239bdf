"""Pipelines as directed acyclic graphs: request rates, longest paths, series-parallel structure.

A pipeline is a ``networkx.DiGraph``. Nodes carry ``join`` ("all" or "any"), edges carry ``fanout`` (requests sent
on per request received) and ``transfer`` (seconds). This layer knows no price and no solver.
"""

from harpagon.graphs.leading_edges import ExactRate, exact_fanout, exact_rates
from harpagon.graphs.order import in_topological_order
from harpagon.graphs.paths import PathNetwork
from harpagon.graphs.rates import propagate_rates
from harpagon.graphs.series_parallel import Delay, Leaf, Node, Parallel, Series, decompose
from harpagon.graphs.validation import GraphError, validate_pipeline_graph

__all__ = [
    "Delay",
    "ExactRate",
    "GraphError",
    "Leaf",
    "Node",
    "Parallel",
    "PathNetwork",
    "Series",
    "decompose",
    "exact_fanout",
    "exact_rates",
    "in_topological_order",
    "propagate_rates",
    "validate_pipeline_graph",
]
