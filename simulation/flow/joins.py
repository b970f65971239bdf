"""Where edges meet: which results make one request of the next module.

``join: all`` matches by root request. One edge leads (`harpagon.graphs.exact_rates`) and makes the requests: its k-th
item of root j takes, of every other edge, the k-th item of root j, or that root's last if it has fewer, or the newest
item of an earlier root if it has none. So nothing waits for a later root. ``join: any`` makes a request of every item.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from harpagon.simulation.flow.pieces import Flow

if TYPE_CHECKING:
    from collections.abc import Sequence

_ORDINALS = 1 << 20
"""More items of one root on one edge than this are not told apart."""


class Join(Protocol):
    """Makes requests of the pieces that come over the incoming edges, one piece an edge at a time."""

    def merge(self, flows: Sequence[Flow]) -> Flow:
        """The next requests that are complete."""


class SingleInput:
    """One incoming edge: every item is a request."""

    def merge(self, flows: Sequence[Flow]) -> Flow:
        """The only piece."""
        return flows[0]


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


def _union(flows: Sequence[Flow]) -> Flow:
    everything = flows[0]
    for flow in flows[1:]:
        everything = everything.followed_by(flow)
    return everything.taken(np.argsort(everything.root, kind="stable"))


def _places(roots: np.ndarray) -> np.ndarray:
    """Root and position among the items of that root as one number: a join takes the largest up to its own."""
    positions = np.arange(roots.size) - np.searchsorted(roots, roots, side="left")
    places: np.ndarray = roots * _ORDINALS + positions
    return places
