"""Builders of pipeline shapes: for random instances, worked examples and growth studies.

Every builder returns a ``networkx.DiGraph`` whose nodes carry ``join="all"`` and whose edges carry ``fanout=1.0`` and
``transfer=0.0``; change the attributes afterwards. Modules are called ``m0``, ``m1``, ... in topological order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable


def from_edges(modules: int, edges: Iterable[tuple[int, int]]) -> nx.DiGraph:
    """Pipeline graph of ``modules`` modules and the given edges between their numbers."""
    width = len(str(modules - 1))
    names = [f"m{number:0{width}d}" for number in range(modules)]
    graph = nx.DiGraph()
    graph.add_nodes_from(names, join="all")
    graph.add_edges_from(((names[tail], names[head]) for tail, head in edges), fanout=1.0, transfer=0.0)
    return graph


def chain(modules: int) -> nx.DiGraph:
    """One module after the other."""
    return from_edges(modules, ((i, i + 1) for i in range(modules - 1)))


def fork(modules: int) -> nx.DiGraph:
    """One source that feeds all other modules."""
    return from_edges(modules, ((0, i) for i in range(1, modules)))


def join(modules: int) -> nx.DiGraph:
    """Several sources that all feed one sink."""
    return from_edges(modules, ((i, modules - 1) for i in range(modules - 1)))


def diamond(modules: int) -> nx.DiGraph:
    """One source, ``modules`` - 2 branches side by side, one sink; a chain below three modules."""
    if modules < 3:
        return chain(modules)
    branches = range(1, modules - 1)
    return from_edges(modules, [edge for i in branches for edge in ((0, i), (i, modules - 1))])


def skip(modules: int) -> nx.DiGraph:
    """A chain with an edge over every module: m0 -> m2, m1 -> m3, ..."""
    edges = [(i, i + step) for step in (1, 2) for i in range(modules - step)]
    return from_edges(modules, edges)


def non_series_parallel(modules: int) -> nx.DiGraph:
    """The "N", the smallest shape without a series-parallel expression, followed by a chain.

    m0 -> m2, m0 -> m3, m1 -> m3; further modules follow m3. A chain below four modules.
    """
    if modules < 4:
        return chain(modules)
    return from_edges(modules, [(0, 2), (0, 3), (1, 3), *((i, i + 1) for i in range(3, modules - 1))])


def several_ends(modules: int) -> nx.DiGraph:
    """Two sources and two or more sinks around a middle module; a join below four modules."""
    if modules < 4:
        return join(modules)
    return from_edges(modules, [(0, 2), (1, 2), *((2, i) for i in range(3, modules))])


def tree(modules: int) -> nx.DiGraph:
    """A tree that grows from one source, every module feeding two others, level by level."""
    return from_edges(modules, (((i - 1) // 2, i) for i in range(1, modules)))


def random_dag(modules: int, rng: random.Random, density: float = 0.4) -> nx.DiGraph:
    """Each pair of modules joined by an edge, from the lower to the higher number, with probability ``density``."""
    pairs = [(i, j) for i in range(modules) for j in range(i + 1, modules)]
    return from_edges(modules, [pair for pair in pairs if rng.random() < density])


SHAPES: dict[str, Callable[[int, random.Random], nx.DiGraph]] = {
    "chain": lambda modules, _: chain(modules),
    "fork": lambda modules, _: fork(modules),
    "join": lambda modules, _: join(modules),
    "diamond": lambda modules, _: diamond(modules),
    "skip": lambda modules, _: skip(modules),
    "non-series-parallel": lambda modules, _: non_series_parallel(modules),
    "several-ends": lambda modules, _: several_ends(modules),
    "tree": lambda modules, _: tree(modules),
    "random": random_dag,
}
"""Shape name to a builder of (number of modules, random generator)."""
