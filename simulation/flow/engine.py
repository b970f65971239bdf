"""The pipeline in time, one control period at a time, modules in topological order.

Within a period every module runs up to the period's end before the next one in topological order does: what a
module hands on only depends on what came before it, so no event is missed. What a controller decides holds from the
end of one period to that of the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.graphs import PathNetwork
    from harpagon.simulation.flow.book import RequestBook
    from harpagon.simulation.flow.server import Outcome, Server


class Engine:
    """Requests on their way through the servers of a pipeline.

    Parameters
    ----------
    network
        The pipeline's compiled paths.
    arrivals
        Sorted seconds at which the roots enter.
    book
        Fan-outs and joins.
    servers
        Queue and machines of every module, in topological order.
    """

    def __init__(
        self, network: PathNetwork, arrivals: np.ndarray, book: RequestBook, servers: Sequence[Server]
    ) -> None:
        self.network = network
        self.arrivals = arrivals
        self.book = book
        self.servers = tuple(servers)
        self.entered = 0
        """Roots that have entered."""

    def advance(self, end: float, factor: float = 1.0) -> list[Outcome]:
        """Run up to ``end`` seconds on the clock; the fan-outs of the sources are multiplied by ``factor``."""
        self._enter(end)
        return [self._run_module(module, end, factor) for module in range(len(self.servers))]

    def _enter(self, end: float) -> None:
        until = int(np.searchsorted(self.arrivals, end))
        roots = np.arange(self.entered, until)
        self.entered = until
        for module, tails in enumerate(self.network.predecessors):
            if not tails:
                self.servers[module].arrive(*self.book.enter(module, roots))

    def _run_module(self, module: int, end: float, factor: float) -> Outcome:
        server = self.servers[module]
        server.arrive(*self.book.join(module))
        outcome = server.run(end)
        if self.network.predecessors[module]:
            factor = 1.0
        brought = self.book.finish_items(module, outcome.roots, self.released(module, outcome), factor)
        for head, items in brought.items():
            self.servers[head].arrive(*items)
        return outcome

    def released(self, module: int, outcome: Outcome) -> np.ndarray:
        """Seconds on the clock at which the results of a module go on: when they are done."""
        return outcome.finished
