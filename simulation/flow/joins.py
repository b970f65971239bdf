"""Where edges meet: which results make one request of the next module.

``join: all`` matches by root request. One edge leads (`harpagon.graphs.exact_rates`) and makes the requests: its k-th
item of root j takes, of every other edge, the k-th item of root j, or that root's last if it has fewer, or the newest
item of an earlier root if it has none. So nothing waits for a later root. ``join: any`` makes a request of every item.
In front of queues, where roots overtake one another, a root's items come to ``join: all`` together (`ClosedJoin`).
"""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING, Protocol

import numpy as np

from harpagon.simulation.flow.pieces import Flow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.simulation.flow.closings import Closings

_ORDINALS = 1 << 20
"""More items of one root on one edge than this are not told apart."""


class Join(Protocol):
    """Makes requests of the pieces that come over the incoming edges, one piece an edge at a time."""

    def merge(self, flows: Sequence[Flow]) -> Flow:
        """The next requests that are complete."""


class Passing:
    """Every item is a request when it comes: one incoming edge, or ``join: any`` in front of a queue."""

    def merge(self, flows: Sequence[Flow]) -> Flow:
        """All pieces in one, edge by edge."""
        return reduce(Flow.followed_by, flows)


class RootJoin:
    """Holds items until all items of their root have come, then makes requests of them.

    Parameters
    ----------
    edges
        Number of incoming edges.
    leader
        Number of the leading edge under ``join: all``; None for ``join: any``.
    """

    def __init__(self, edges: int, leader: int | None) -> None:
        self._leader = leader
        self._held = [Flow.empty() for _ in range(edges)]
        self._newest = [Flow.empty() for _ in range(edges)]

    def merge(self, flows: Sequence[Flow]) -> Flow:
        """The requests of all roots that are complete."""
        held = [held.followed_by(flow) for held, flow in zip(self._held, flows, strict=True)]
        following = min(flow.next_root for flow in held)
        cuts = [int(np.searchsorted(flow.root, following)) for flow in held]
        complete = [flow.taken(slice(cut)) for flow, cut in zip(held, cuts, strict=True)]
        self._held = [flow.taken(slice(cut, None)) for flow, cut in zip(held, cuts, strict=True)]
        merged = _union(complete) if self._leader is None else self._match(complete, self._leader)
        waiting = [float(flow.ready.min()) for flow in self._held if flow.ready.size]
        watermark = min([flow.watermark for flow in held] + waiting)
        origin = min(flow.next_origin for flow in held)
        return Flow(merged.ready, merged.root, merged.origin, watermark, following, origin)

    def _match(self, complete: Sequence[Flow], leader: int) -> Flow:
        """The leading edge's items, ready when what they take of every edge is."""
        known = [newest.followed_by(flow) for newest, flow in zip(self._newest, complete, strict=True)]
        self._newest = [flow.taken(slice(max(0, flow.root.size - 1), None)) for flow in known]
        requests = complete[leader]
        wanted = _places(requests.root)
        ready = requests.ready.copy()
        for flow in known:
            taken = np.searchsorted(_places(flow.root), wanted, side="right") - 1
            present = taken >= 0
            ready[present] = np.maximum(ready[present], flow.ready[taken[present]])
        return Flow(ready, requests.root, requests.origin, 0.0, 0, 0.0)


class ClosedJoin:
    """``join: all`` in front of a queue: a root's items come at the moment the last module before is closed for it.

    Parameters
    ----------
    module
        Number of the module.
    edges
        Number of incoming edges.
    closings
        Of the pipeline.
    leader
        Number of the edge that says how many items a root brings; None for the one that brings most.
    """

    def __init__(self, module: int, edges: int, closings: Closings, leader: int | None) -> None:
        self._module = module
        self._closings = closings
        self._leader = leader
        self._brought = np.zeros((edges, closings.finish.size), dtype=np.int32)

    def merge(self, flows: Sequence[Flow]) -> Flow:
        """Items of all roots for which the last module before was closed in this period."""
        for brought, flow in zip(self._brought, flows, strict=True):
            np.add.at(brought, flow.root, 1)
        roots = self._closings.ready(self._module)
        brought = self._brought[:, roots]
        numbers = brought.max(axis=0) if self._leader is None else brought[self._leader]
        items = np.repeat(roots, numbers)
        ready = np.repeat(self._closings.before(self._module, roots), numbers)
        return replace(flows[0], ready=ready, root=items, origin=ready)


def _union(flows: Sequence[Flow]) -> Flow:
    everything = reduce(Flow.followed_by, flows)
    return everything.taken(np.argsort(everything.root, kind="stable"))


def _places(roots: np.ndarray) -> np.ndarray:
    """Root and position among the items of that root as one number: a join takes the largest up to its own."""
    positions = np.arange(roots.size) - np.searchsorted(roots, roots, side="left")
    places: np.ndarray = roots * _ORDINALS + positions
    return places
