"""When every module is done with every root request, where roots may overtake one another or be dropped.

A module is *closed* for a root when every module before it is closed and every item of the root there is done. A root
is finished when all sinks are closed for it. A root of which an item is dropped anywhere never finishes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from harpagon.graphs import PathNetwork


class Closings:
    """Counts items per root and module.

    Parameters
    ----------
    network
        The pipeline's compiled paths.
    roots
        How many will come.
    deadlines
        Deadline of every root in seconds on the clock: of those closed at one instant, the one due first comes first.
        None for the order in which they entered.
    """

    def __init__(self, network: PathNetwork, roots: int, deadlines: np.ndarray | None = None) -> None:
        modules = len(network.modules)
        self.finish = np.full(roots, np.inf)
        """Seconds at which every root was finished."""
        self._network = network
        self._deadlines = deadlines
        self._created = np.zeros((modules, roots), dtype=np.int32)
        self._done = np.zeros((modules, roots), dtype=np.int32)
        self._latest = np.zeros((modules, roots))
        self._closed = np.full((modules, roots), np.inf)
        self._newly_closed: list[np.ndarray] = [np.empty(0, dtype=np.int64) for _ in range(modules)]
        self._sinks = np.array(network.sinks)

    def come(self, module: int, roots: np.ndarray) -> None:
        """Note the root of every item that is sent to a module."""
        np.add.at(self._created[module], roots, 1)

    def close(self, module: int, roots: np.ndarray, released: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Note items that are done, and close the module for the roots that can be.

        Parameters
        ----------
        module
            Where they are done.
        roots, released
            Root of every item, and seconds at which it goes on.

        Returns
        -------
        tuple
            When the module was closed, and for which roots.
        """
        np.add.at(self._done[module], roots, 1)
        np.maximum.at(self._latest[module], roots, released)
        before = [self._newly_closed[tail] for tail, _ in self._network.predecessors[module]]
        roots = np.unique(np.concatenate([roots, *before]))
        complete = self._done[module, roots] == self._created[module, roots]
        roots = roots[complete & np.isinf(self._closed[module, roots])]
        at = np.maximum(self._latest[module, roots], self.before(module, roots))
        roots, at = roots[np.isfinite(at)], at[np.isfinite(at)]
        self._closed[module, roots] = at
        self._newly_closed[module] = roots
        if not self._network.successors[module]:
            self.finish[roots] = self._closed[np.ix_(self._sinks, roots)].max(axis=0)
        order = self._order(roots)
        return at[order], roots[order]

    def before(self, module: int, roots: np.ndarray) -> np.ndarray:
        """When the last module before was closed for each root, transfer included; infinity where one is open."""
        closed = np.zeros(roots.size)
        for tail, transfer in self._network.predecessors[module]:
            closed = np.maximum(closed, self._closed[tail, roots] + transfer)
        return closed

    def ready(self, module: int) -> np.ndarray:
        """Roots for which the last module before was closed in this period."""
        newly = np.unique(np.concatenate([self._newly_closed[t] for t, _ in self._network.predecessors[module]]))
        newly = newly[np.isfinite(self.before(module, newly))]
        ready: np.ndarray = newly[self._order(newly)]
        return ready

    def _order(self, roots: np.ndarray) -> np.ndarray:
        if self._deadlines is None:
            return np.arange(roots.size)
        return np.argsort(self._deadlines[roots], kind="stable")
