"""Longest paths over module latencies and edge transfer times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from harpagon.graphs.order import in_topological_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    import networkx as nx


@dataclass(frozen=True, slots=True)
class PathNetwork:
    """A pipeline graph compiled for fast longest-path sums.

    Modules are numbered in topological order; every latency vector of this class follows that order.

    Attributes
    ----------
    modules
        Module names, topological order, ties by name.
    predecessors, successors
        Per module the pairs (module index, transfer seconds) of its incoming and outgoing edges.
    """

    modules: tuple[str, ...]
    predecessors: tuple[tuple[tuple[int, float], ...], ...]
    successors: tuple[tuple[tuple[int, float], ...], ...]

    @classmethod
    def from_graph(cls, graph: nx.DiGraph) -> Self:
        """Compile an acyclic ``networkx.DiGraph`` whose edges may carry ``transfer`` seconds."""
        index: dict[str, int] = {}
        predecessors: list[tuple[tuple[int, float], ...]] = []
        successors: list[list[tuple[int, float]]] = [[] for _ in graph]
        for head, (module, edges) in enumerate(in_topological_order(graph)):
            index[module] = head
            predecessors.append(tuple(sorted((index[tail], float(data.get("transfer", 0.0))) for tail, data in edges)))
            for tail, transfer in predecessors[head]:
                successors[tail].append((head, transfer))
        return cls(tuple(index), tuple(predecessors), tuple(map(tuple, successors)))

    @property
    def sources(self) -> tuple[int, ...]:
        """Modules without predecessors."""
        return tuple(module for module, pairs in enumerate(self.predecessors) if not pairs)

    @property
    def sinks(self) -> tuple[int, ...]:
        """Modules without successors."""
        return tuple(module for module, pairs in enumerate(self.successors) if not pairs)

    def edges(self) -> dict[tuple[int, int], float]:
        """(tail, head) to transfer seconds."""
        return {(i, j): transfer for i, pairs in enumerate(self.successors) for j, transfer in pairs}

    def heads(self, latencies: Sequence[float]) -> list[float]:
        """Seconds from entry until each module can start: the longest path that ends before it."""
        heads: list[float] = []
        for pairs in self.predecessors:
            start = 0.0
            for i, transfer in pairs:
                arrival = heads[i] + latencies[i] + transfer
                if arrival > start:
                    start = arrival
            heads.append(start)
        return heads

    def tails(self, latencies: Sequence[float]) -> list[float]:
        """Seconds left after each module ends: the longest path that starts after it."""
        tails = [0.0] * len(self.modules)
        for i in range(len(self.modules) - 1, -1, -1):
            longest = 0.0
            for j, transfer in self.successors[i]:
                remaining = transfer + latencies[j] + tails[j]
                if remaining > longest:
                    longest = remaining
            tails[i] = longest
        return tails

    def length(self, latencies: Sequence[float]) -> float:
        """Seconds of the longest source-to-sink path."""
        heads = self.heads(latencies)
        return max(head + latency for head, latency in zip(heads, latencies, strict=True))

    def path_lengths(self, latencies: Sequence[float]) -> list[float]:
        """Seconds of the longest source-to-sink path through each module."""
        heads, tails = self.heads(latencies), self.tails(latencies)
        return [head + latency + tail for head, latency, tail in zip(heads, latencies, tails, strict=True)]

    def critical_path(self, latencies: Sequence[float]) -> list[str]:
        """Modules of one longest source-to-sink path, from source to sink."""
        return [self.modules[module] for module in self.critical_modules(latencies)]

    def critical_modules(self, latencies: Sequence[float]) -> list[int]:
        """The numbers of the modules of `critical_path`."""
        tails = self.tails(latencies)
        i = max(self.sources, key=lambda source: latencies[source] + tails[source])
        path = [i]
        while self.successors[i]:
            i = max(self.successors[i], key=lambda pair: pair[1] + latencies[pair[0]] + tails[pair[0]])[0]
            path.append(i)
        return path
