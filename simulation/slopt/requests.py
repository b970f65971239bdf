"""Every root request on its way: fan-out along edges, joins, and when all it brought is done.

A module is *closed* for a root when every module before it is closed and every item of the root there is done. At
``join: all`` with several inputs a root brings as many items as came over the edge of the largest rate, all at the
moment the last module before is closed; otherwise every item that an edge brings is an item at once. A root
is finished when all sinks are closed for it. A root of which an item is dropped anywhere never finishes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harpagon.graphs import exact_rates
from harpagon.simulation.flow.fanout import draw_fanout

if TYPE_CHECKING:
    import networkx as nx

    from harpagon.graphs import PathNetwork

Items = tuple[np.ndarray, np.ndarray]
"""Times in seconds on the clock, and roots."""


class RequestBook:
    """Counts items per root and module.

    Parameters
    ----------
    graph, network
        The pipeline and its compiled paths.
    arrivals
        Seconds at which every root enters.
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
        fanouts: dict[tuple[str, str], float],
        generator: np.random.Generator,
    ) -> None:
        modules, roots = len(network.modules), arrivals.size
        self.sent: dict[tuple[int, int], int] = {}
        """Items that every edge (tail, head) has carried."""
        self.finish = np.full(roots, np.inf)
        """Seconds at which every root was finished."""
        self._network = network
        self._fanouts = fanouts
        self._leaders = {
            head: network.modules.index(rate.leader)
            for head, rate in enumerate(exact_rates(graph)[name] for name in network.modules)
            if rate.leader is not None
        }
        self._generator = generator
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
        numbers = self._brought[self._leaders[module], module][roots]
        self._created[module, roots] = numbers
        return np.repeat(self._closed_before(module, roots), numbers), np.repeat(roots, numbers)

    def finish_items(self, module: int, roots: np.ndarray, released: np.ndarray, factor: float) -> dict[int, Items]:
        """Items that are done: what they bring to the next modules, by module; and who is closed or finished now."""
        np.add.at(self._done[module], roots, 1)
        np.maximum.at(self._latest[module], roots, released)
        brought = {
            head: items
            for head, transfer in self._network.successors[module]
            if (items := self._carry(module, head, transfer, roots, released, factor)) is not None
        }
        self._close(module, roots)
        return brought

    def _carry(
        self, tail: int, head: int, transfer: float, roots: np.ndarray, released: np.ndarray, factor: float
    ) -> Items | None:
        edge = self._network.modules[tail], self._network.modules[head]
        numbers = draw_fanout(self._fanouts[edge] * factor, roots.size, self._generator)
        self.sent[tail, head] += int(numbers.sum())
        sent = np.repeat(roots, numbers)
        if self._joining[head]:
            np.add.at(self._brought[tail, head], sent, 1)
            return None
        np.add.at(self._created[head], sent, 1)
        return np.repeat(released + transfer, numbers), sent

    def _close(self, module: int, touched: np.ndarray) -> None:
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
            self.finish[done] = self._closed[sinks][:, done].max(axis=0)

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
