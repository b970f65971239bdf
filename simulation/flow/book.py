"""Every root request on its way: what it brings to which module, joins, and when all it brought is done.

A module is *closed* for a root when every module before it is closed and every item of the root there is done. At
``join: all`` with several inputs a root brings its items at the moment the last module before is closed; otherwise
every item that an edge brings is an item at once. A root is finished when all sinks are closed for it. A root of
which an item is dropped anywhere never finishes.

Items go on either one by one, each with a fan-out drawn when it is done (`ItemBook`), or all those of a root together
once its module is closed, with fan-outs known beforehand (`RootBook`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from harpagon.graphs import exact_rates
from harpagon.simulation.flow.fanout import draw_fanout, round_fanout

if TYPE_CHECKING:
    from collections.abc import Mapping

    import networkx as nx

    from harpagon.graphs import PathNetwork

Items = tuple[np.ndarray, np.ndarray]
"""Times in seconds on the clock, and roots."""


class RequestBook(ABC):
    """Counts items per root and module.

    Parameters
    ----------
    graph, network
        The pipeline and its compiled paths.
    arrivals
        Seconds at which every root enters.
    """

    def __init__(self, graph: nx.DiGraph, network: PathNetwork, arrivals: np.ndarray) -> None:
        modules, roots = len(network.modules), arrivals.size
        self.sent: dict[tuple[int, int], int] = {}
        """Items that every edge (tail, head) has carried."""
        self.finish = np.full(roots, np.inf)
        """Seconds at which every root was finished."""
        self._network = network
        self._arrivals = arrivals
        self._created = np.zeros((modules, roots), dtype=np.int32)
        self._done = np.zeros((modules, roots), dtype=np.int32)
        self._latest = np.zeros((modules, roots))
        self._closed = np.full((modules, roots), np.inf)
        self._brought: dict[tuple[int, int], np.ndarray] = {}
        self._joining = []
        for m, name in enumerate(network.modules):
            tails = [tail for tail, _ in network.predecessors[m]]
            joins = len(tails) > 1 and graph.nodes[name].get("join", "all") == "all"
            self._joining.append(joins)
            self.sent.update({(tail, m): 0 for tail in tails})
            self._brought.update({(tail, m): np.zeros(roots, dtype=np.int32) for tail in tails if joins})
        self._newly_closed: list[np.ndarray] = [np.empty(0, dtype=np.int64) for _ in range(modules)]
        self._open_sinks = np.full(roots, sum(not s for s in network.successors), dtype=np.int32)

    def enter(self, module: int, roots: np.ndarray) -> Items:
        """Roots that enter at a source."""
        self._created[module, roots] += 1
        return self._arrivals[roots], roots

    def join(self, module: int) -> Items:
        """Items of roots for which the last module before a ``join: all`` was closed in this period."""
        if not self._joining[module]:
            return np.empty(0), np.empty(0, dtype=np.int64)
        roots = self._ready_roots(module)
        numbers = self._joined(module, roots)
        self._created[module, roots] = numbers
        return np.repeat(self._closed_before(module, roots), numbers), np.repeat(roots, numbers)

    @abstractmethod
    def _joined(self, module: int, roots: np.ndarray) -> np.ndarray:
        """How many items roots bring to a ``join: all`` whose inputs are all closed."""

    @abstractmethod
    def finish_items(
        self, module: int, roots: np.ndarray, released: np.ndarray, factor: float = 1.0
    ) -> dict[int, Items]:
        """Items that are done: what they bring to the next modules, by module; and who is closed or finished now.

        Parameters
        ----------
        module
            Where they are done.
        roots, released
            Root of every item, and seconds at which it goes on.
        factor
            On the fan-outs that are drawn now.
        """

    def _count(self, module: int, roots: np.ndarray, released: np.ndarray) -> None:
        np.add.at(self._done[module], roots, 1)
        np.maximum.at(self._latest[module], roots, released)

    def _carry(self, tail: int, head: int, transfer: float, items: Items, numbers: np.ndarray) -> Items | None:
        """What comes of ``items`` that send on ``numbers``; None where the head waits for its other inputs."""
        times, roots = items
        self.sent[tail, head] += int(numbers.sum())
        sent = np.repeat(roots, numbers)
        if self._joining[head]:
            np.add.at(self._brought[tail, head], sent, 1)
            return None
        np.add.at(self._created[head], sent, 1)
        return np.repeat(times + transfer, numbers), sent

    def _close(self, module: int, touched: np.ndarray) -> Items:
        """Close the module for the roots that can be; returns when, and which."""
        before = [self._newly_closed[tail] for tail, _ in self._network.predecessors[module]]
        roots = np.unique(np.concatenate([touched, *before]))
        complete = self._done[module, roots] == self._created[module, roots]
        roots = roots[complete & np.isinf(self._closed[module, roots])]
        at = np.maximum(self._latest[module, roots], self._closed_before(module, roots))
        roots, at = roots[np.isfinite(at)], at[np.isfinite(at)]
        self._closed[module, roots] = at
        self._newly_closed[module] = roots
        if not self._network.successors[module]:
            self._open_sinks[roots] -= 1
            done = roots[self._open_sinks[roots] == 0]
            sinks = [m for m, successors in enumerate(self._network.successors) if not successors]
            self.finish[done] = self._closed[np.ix_(sinks, done)].max(axis=0)
        return at, roots

    def _closed_before(self, module: int, roots: np.ndarray) -> np.ndarray:
        """When the last module before was closed for each root; infinity where one is open."""
        closed = np.zeros(roots.size)
        for tail, transfer in self._network.predecessors[module]:
            closed = np.maximum(closed, self._closed[tail, roots] + transfer)
        return closed

    def _ready_roots(self, module: int) -> np.ndarray:
        newly = np.unique(np.concatenate([self._newly_closed[t] for t, _ in self._network.predecessors[module]]))
        ready: np.ndarray = newly[np.isfinite(self._closed_before(module, newly))]
        return ready


class ItemBook(RequestBook):
    """Items go on one by one; a root brings as many to a ``join: all`` as came over the edge of the largest rate.

    Parameters
    ----------
    graph, network, arrivals
        As for `RequestBook`.
    fanouts
        Mean fan-out of every edge.
    generator
        Draws the fan-out of every item, see `harpagon.simulation.flow.fanout.draw_fanout`.
    """

    def __init__(
        self,
        graph: nx.DiGraph,
        network: PathNetwork,
        arrivals: np.ndarray,
        fanouts: Mapping[tuple[str, str], float],
        generator: np.random.Generator,
    ) -> None:
        super().__init__(graph, network, arrivals)
        self._fanouts = fanouts
        self._generator = generator
        rates = exact_rates(graph)
        leaders = [rates[name].leader for name in network.modules]
        self._leaders = {h: network.modules.index(leader) for h, leader in enumerate(leaders) if leader is not None}

    def _joined(self, module: int, roots: np.ndarray) -> np.ndarray:
        numbers: np.ndarray = self._brought[self._leaders[module], module][roots]
        return numbers

    def finish_items(
        self, module: int, roots: np.ndarray, released: np.ndarray, factor: float = 1.0
    ) -> dict[int, Items]:
        """As `RequestBook.finish_items`."""
        self._count(module, roots, released)
        names, brought = self._network.modules, {}
        for head, transfer in self._network.successors[module]:
            fanout = self._fanouts[names[module], names[head]] * factor
            numbers = draw_fanout(fanout, roots.size, self._generator)
            items = self._carry(module, head, transfer, (released, roots), numbers)
            if items is not None:
                brought[head] = items
        self._close(module, roots)
        return brought


class RootBook(RequestBook):
    """A root goes on as a whole; it brings as many items to a ``join: all`` as the edge has that brings most.

    Of roots that a module is done with in the same instant, the one that is due first goes on first.

    Parameters
    ----------
    graph, network, arrivals
        As for `RequestBook`.
    deadlines
        Deadline of every root, seconds on the clock.
    generator
        Draws what every root sends over every edge, see `harpagon.simulation.flow.fanout.round_fanout`.
    """

    def __init__(
        self,
        graph: nx.DiGraph,
        network: PathNetwork,
        arrivals: np.ndarray,
        deadlines: np.ndarray,
        generator: np.random.Generator,
    ) -> None:
        super().__init__(graph, network, arrivals)
        self._deadlines = deadlines
        self._numbers: dict[tuple[int, int], np.ndarray] = {}
        draws = generator.random((arrivals.size, graph.number_of_edges())).T
        edges = [edge for head in network.modules for edge in graph.in_edges(head, data="fanout", default=1.0)]
        for (tail, head, fanout), drawn in zip(edges, draws, strict=True):
            edge = network.modules.index(tail), network.modules.index(head)
            self._numbers[edge] = round_fanout(self._items(edge[0]) * fanout, drawn)

    def _items(self, module: int) -> np.ndarray:
        """How many every root brings to a module."""
        incoming = [self._numbers[tail, module] for tail, _ in self._network.predecessors[module]]
        if not incoming:
            return np.ones(self._arrivals.size, dtype=np.int64)
        items: np.ndarray = (np.max if self._joining[module] else np.sum)(incoming, axis=0)
        return items

    def _joined(self, module: int, roots: np.ndarray) -> np.ndarray:
        numbers: np.ndarray = self._items(module)[roots]
        return numbers

    def _ready_roots(self, module: int) -> np.ndarray:
        ready = super()._ready_roots(module)
        urgent: np.ndarray = ready[np.argsort(self._deadlines[ready], kind="stable")]
        return urgent

    def finish_items(
        self, module: int, roots: np.ndarray, released: np.ndarray, factor: float = 1.0
    ) -> dict[int, Items]:
        """As `RequestBook.finish_items`."""
        self._count(module, roots, released)
        at, closed = self._close(module, roots)
        urgent = np.argsort(self._deadlines[closed], kind="stable")
        at, closed = at[urgent], closed[urgent]
        brought = {}
        for head, transfer in self._network.successors[module]:
            items = self._carry(module, head, transfer, (at, closed), self._numbers[module, head][closed])
            if items is not None:
                brought[head] = items
        return brought
