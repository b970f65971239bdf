"""Mappings and graphs that cannot change, and the canonical form of what they hold."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from enum import Enum
from functools import cached_property
from typing import Any, NoReturn, TypeVar

import networkx as nx

from harpagon.instances.checks import plain

Key = TypeVar("Key")
Value = TypeVar("Value")

_NONE: Mapping[str, object] = {}


class FrozenMapping(dict[Key, Value]):
    """A dictionary that refuses every change; hashable where its values are, and equal after pickling."""

    def _refuse(self, *arguments: object, **named: object) -> NoReturn:
        raise TypeError("this mapping cannot be changed: build a new one, as in {**mapping, key: value}")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[type[FrozenMapping[Key, Value]], tuple[dict[Key, Value]]]:
        return FrozenMapping, (dict(self),)


class FrozenGraph(nx.DiGraph):  # type: ignore[misc]
    """A directed graph that refuses every change, to its attributes too; ``copy()`` gives one that can be changed.

    Two of them are equal where nodes, edges and attributes are, whatever the order.

    Parameters
    ----------
    graph
        What to copy.
    of_nodes, of_edges
        Attributes of nodes and edges that have none of that name.
    """

    def __init__(
        self, graph: nx.DiGraph, of_nodes: Mapping[str, object] = _NONE, of_edges: Mapping[str, object] = _NONE
    ) -> None:
        super().__init__()
        self.add_nodes_from(graph)
        self.add_edges_from(graph.edges)
        for name, data in graph.nodes(data=True):
            self._node[name] = FrozenMapping({**of_nodes, **data})
        for tail, head, data in graph.edges(data=True):
            figures = {key: plain(value) for key, value in data.items()}
            self._succ[tail][head] = self._pred[head][tail] = FrozenMapping({**of_edges, **figures})
        self._content = (FrozenMapping(self._node), FrozenMapping({(u, v): d for u, v, d in self.edges(data=True)}))
        nx.freeze(self)

    def copy(self, as_view: bool = False) -> nx.DiGraph:
        """A plain graph with the same nodes, edges and attributes."""
        return nx.DiGraph(self).copy(as_view=as_view)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FrozenGraph) and self._content == other._content

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash(self._content)

    def __reduce__(self) -> tuple[type[FrozenGraph], tuple[nx.DiGraph]]:
        return FrozenGraph, (nx.DiGraph(self),)


def canonical(value: Any) -> Any:
    """Lists, text and whole numbers that are the same for equal values: keys sorted, figures to twelve digits."""
    if isinstance(value, FrozenGraph):
        return [_canonical_attributes(part) for part in value._content]
    if isinstance(value, Mapping):
        return _by_key([canonical(key), canonical(item)] for key, item in value.items())
    if isinstance(value, tuple | list):
        return [canonical(item) for item in value]
    if dataclasses.is_dataclass(value):
        return [canonical(getattr(value, field.name)) for field in dataclasses.fields(value) if field.compare]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str) or value is None:
        return value
    return f"{float(value):.12g}"


def _canonical_attributes(mapping: Mapping[Any, FrozenMapping[str, object]]) -> list[Any]:
    """The canonical form of what maps nodes or edges, by their names, to attributes, of which many are the same."""
    forms = {data: canonical(data) for data in set(mapping.values())}
    return _by_key([_plain_names(key), forms[data]] for key, data in mapping.items())


def _plain_names(key: str | tuple[str, str]) -> str | list[str]:
    """A module's name, or those of an edge, as text of no subclass."""
    return list(map(str.__str__, key)) if isinstance(key, tuple) else str.__str__(key)


def _by_key(items: Iterable[list[Any]]) -> list[Any]:
    """Pairs of a key and its value, sorted; keys may be text beside figures."""
    return sorted(items, key=lambda item: repr(item[0]))
