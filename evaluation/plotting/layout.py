"""Layers and columns for drawing a pipeline: every edge points to a later layer, few edges cross."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harpagon.graphs import PathNetwork


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a layer: a module, or the passage of an edge that runs on to a later layer.

    Attributes
    ----------
    name
        Name of the module; for a passage, the name of the edge's tail.
    head
        None for a module; for a passage, the name of the edge's head.
    """

    name: str
    head: str | None = None

    @property
    def is_module(self) -> bool:
        """Whether a module stands here."""
        return self.head is None


@dataclass(frozen=True, slots=True)
class Layout:
    """Slots by layer, sources first, and the segments that join slots of neighbouring layers.

    ``segments[k]`` holds pairs (position in layer k, position in layer k + 1).
    """

    layers: tuple[tuple[Slot, ...], ...]
    segments: tuple[tuple[tuple[int, int], ...], ...]


_SWEEPS = 4


def layered_layout(network: PathNetwork) -> Layout:
    """Place modules by longest-path depth and order each layer by the barycentre rule.

    K. Sugiyama, S. Tagawa, M. Toda, "Methods for visual understanding of hierarchical system structures", IEEE Trans.
    SMC 11(2), 1981.
    """
    layers, links = _layers(network)
    for _ in range(_SWEEPS):
        _reorder(layers, links)
    places = [{slot: i for i, slot in enumerate(layer)} for layer in layers]
    segments = tuple(
        tuple(sorted((places[k][tail], places[k + 1][head]) for tail, head in links[k])) for k in range(len(links))
    )
    return Layout(tuple(tuple(layer) for layer in layers), segments)


def _layers(network: PathNetwork) -> tuple[list[list[Slot]], list[list[tuple[Slot, Slot]]]]:
    depths: list[int] = []
    for pairs in network.predecessors:
        depths.append(1 + max((depths[i] for i, _ in pairs), default=-1))
    layers: list[list[Slot]] = [[] for _ in range(max(depths) + 1)]
    links: list[list[tuple[Slot, Slot]]] = [[] for _ in range(max(depths))]
    for name, depth in zip(network.modules, depths, strict=True):
        layers[depth].append(Slot(name))
    for i, pairs in enumerate(network.successors):
        for j, _ in pairs:
            tail, head = network.modules[i], network.modules[j]
            chain = [Slot(tail), *[Slot(tail, head)] * (depths[j] - depths[i] - 1), Slot(head)]
            for k, link in enumerate(pairwise(chain), start=depths[i]):
                links[k].append(link)
                if not link[1].is_module:
                    layers[k + 1].append(link[1])
    return layers, links


def _reorder(layers: list[list[Slot]], links: list[list[tuple[Slot, Slot]]]) -> None:
    """One sweep down and one sweep up, each layer sorted by the mean place of its neighbours."""
    for k in range(1, len(layers)):
        _sort_by_neighbours(layers[k], layers[k - 1], [(head, tail) for tail, head in links[k - 1]])
    for k in range(len(layers) - 2, -1, -1):
        _sort_by_neighbours(layers[k], layers[k + 1], links[k])


def _sort_by_neighbours(layer: list[Slot], fixed: list[Slot], links: list[tuple[Slot, Slot]]) -> None:
    places = {slot: (i + 0.5) / len(fixed) for i, slot in enumerate(fixed)}
    neighbours: dict[Slot, list[float]] = {slot: [] for slot in layer}
    for moved, other in links:
        neighbours[moved].append(places[other])
    means = {
        slot: sum(found) / len(found) if found else (i + 0.5) / len(layer)
        for i, (slot, found) in enumerate(neighbours.items())
    }
    layer.sort(key=means.__getitem__)
