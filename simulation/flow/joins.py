"""Where edges meet: which results make one request of the next module.

Under fixed fan-out, ``join: all`` matches by position: with edge rates r_e and r = max r_e, request k needs item
floor(k r_e / r) of every edge, so the module's rate is the largest, as in `harpagon.graphs.propagate_rates`. Under
random fan-out the positions drift apart, so items are matched by their root request instead, and a root makes as
many requests as the edge that brings most. ``join: any`` makes a request of every item.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from harpagon.simulation.flow.pieces import Flow

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROUNDING = 1e-9
"""Items: quotients of rates this near below a whole number are that number."""
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


class PositionJoin:
    """``join: all`` under fixed fan-out: request k waits for item floor(k r_e / r) of every edge.

    Parameters
    ----------
    rates
        Requests per second of every edge.
    """

    def __init__(self, rates: Sequence[float]) -> None:
        largest = max(rates)
        self._shares = [rate / largest for rate in rates]
        self._leader = self._shares.index(1.0)
        self._held = [Flow.empty() for _ in rates]
        self._first = [0] * len(rates)
        self._made = 0

    def merge(self, flows: Sequence[Flow]) -> Flow:
        """The requests whose items have all come."""
        self._held = [held.followed_by(flow) for held, flow in zip(self._held, flows, strict=True)]
        candidates = self._made + np.arange(self._held[self._leader].ready.size)
        places = [
            self._items(share, candidates) - first for share, first in zip(self._shares, self._first, strict=True)
        ]
        complete = min(
            int(np.searchsorted(place, held.ready.size)) for place, held in zip(places, self._held, strict=True)
        )
        ready = np.maximum.reduce(
            [held.ready[place[:complete]] for held, place in zip(self._held, places, strict=True)]
        )
        leader = self._held[self._leader].taken(places[self._leader][:complete])
        self._made += complete
        self._forget()
        watermark = min(held.watermark for held in self._held)
        following = min(int(held.root[0]) if held.root.size else held.next_root for held in self._held)
        origin = min(float(held.origin[0]) if held.origin.size else held.next_origin for held in self._held)
        return Flow(ready, leader.root, leader.origin, watermark, following, origin)

    def _items(self, share: float, requests: np.ndarray) -> np.ndarray:
        return np.floor(requests * share + _ROUNDING).astype(np.int64)

    def _forget(self) -> None:
        """Drop items that no later request needs."""
        for edge, share in enumerate(self._shares):
            needed = int(np.floor(self._made * share + _ROUNDING)) - self._first[edge]
            self._held[edge] = self._held[edge].taken(slice(needed, None))
            self._first[edge] += needed


class RootJoin:
    """Holds items until all items of their root have come, then makes requests of them.

    Parameters
    ----------
    edges
        Number of incoming edges.
    every
        True for ``join: all``: the o-th items of a root on all edges make one request, the last item of an edge
        standing in where it has fewer. False for ``join: any``: every item is a request.
    """

    def __init__(self, edges: int, every: bool) -> None:
        self._every = every
        self._held = [Flow.empty() for _ in range(edges)]

    def merge(self, flows: Sequence[Flow]) -> Flow:
        """The requests of all roots that are complete."""
        held = [held.followed_by(flow) for held, flow in zip(self._held, flows, strict=True)]
        following = min(flow.next_root for flow in held)
        cuts = [int(np.searchsorted(flow.root, following)) for flow in held]
        complete = [flow.taken(slice(cut)) for flow, cut in zip(held, cuts, strict=True)]
        self._held = [flow.taken(slice(cut, None)) for flow, cut in zip(held, cuts, strict=True)]
        merged = _match(complete) if self._every else _union(complete)
        waiting = [float(flow.ready.min()) for flow in self._held if flow.ready.size]
        watermark = min([flow.watermark for flow in held] + waiting)
        origin = min(flow.next_origin for flow in held)
        return Flow(merged.ready, merged.root, merged.origin, watermark, following, origin)


def _union(flows: Sequence[Flow]) -> Flow:
    everything = flows[0]
    for flow in flows[1:]:
        everything = everything.followed_by(flow)
    return everything.taken(np.argsort(everything.root, kind="stable"))


def _match(flows: Sequence[Flow]) -> Flow:
    keys = [flow.root * _ORDINALS + _ordinals(flow.root) for flow in flows]
    wanted, first = np.unique(np.concatenate(keys), return_index=True)
    origin = np.concatenate([flow.origin for flow in flows])[first]
    root = wanted // _ORDINALS
    ready = np.full(wanted.size, -np.inf)
    for flow, key in zip(flows, keys, strict=True):
        if key.size:
            place = np.searchsorted(key, wanted, side="right") - 1
            present = (place >= 0) & (flow.root[place] == root)
            ready = np.where(present, np.maximum(ready, flow.ready[place]), ready)
    return Flow(ready, root, origin, 0.0, 0, 0.0)


def _ordinals(roots: np.ndarray) -> np.ndarray:
    """Position of each item among those of its root."""
    return np.arange(roots.size) - np.searchsorted(roots, roots, side="left")
