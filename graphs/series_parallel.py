"""Series-parallel structure of a pipeline's latency constraint.

The longest-path latency of a series-parallel pipeline is an expression of sums and maxima in which every module
stands once. `decompose` finds that expression, or says that there is none. It reduces the two-terminal graph in
which each module is an edge (J. Valdes, R. Tarjan, E. Lawler, "The recognition of series parallel digraphs",
SIAM J. Comput. 11(2), 1982): series edges become one, parallel edges become one, until one edge is left.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Hashable

    from harpagon.graphs.paths import PathNetwork


@dataclass(frozen=True, slots=True)
class Leaf:
    """One module, by its number in the `PathNetwork`."""

    module: int


@dataclass(frozen=True, slots=True)
class Delay:
    """A fixed number of seconds: an edge's transfer time."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Series:
    """Children one after the other: latencies add."""

    children: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Parallel:
    """Children side by side: the largest latency counts."""

    children: tuple[Node, ...]


Node: TypeAlias = Leaf | Delay | Series | Parallel

_SOURCE, _SINK = "source", "sink"


def decompose(network: PathNetwork) -> Node | None:
    """Expression tree of the pipeline's longest path, each module in exactly one leaf.

    Returns
    -------
    Node or None
        None where the pipeline is not series-parallel, redundant edges and complete bipartite blocks of equal
        transfer time apart.
    """
    edges = _necessary_edges(network)
    return _reduce(_two_terminal_graph(network, edges))


def _necessary_edges(network: PathNetwork) -> dict[tuple[int, int], float]:
    """Edges without those that another path between the same ends always outlasts."""
    edges = network.edges()
    for (tail, head), transfer in list(edges.items()):
        if len(network.successors[tail]) > 1 and len(network.predecessors[head]) > 1:
            detour = _longest_detour(network, tail, head)
            if detour is not None and detour >= transfer:
                del edges[tail, head]
    return edges


def _longest_detour(network: PathNetwork, tail: int, head: int) -> float | None:
    """Largest sum of transfer times from ``tail`` to ``head`` over at least one module between them."""
    reach, waiting = {tail: 0.0}, [tail]
    while waiting:
        module = heappop(waiting)
        for follower, transfer in network.successors[module]:
            if follower > head or (module, follower) == (tail, head):
                continue
            if follower not in reach:
                heappush(waiting, follower)
            reach[follower] = max(reach.get(follower, 0.0), reach[module] + transfer)
    return reach.get(head)


class _Graph:
    """Two-terminal multigraph whose edges carry expressions; parallel edges merge as they are added."""

    def __init__(self) -> None:
        self.out: defaultdict[Hashable, dict[Hashable, Node | _Growing]] = defaultdict(dict)
        self.into: defaultdict[Hashable, set[Hashable]] = defaultdict(set)

    def add(self, tail: Hashable, head: Hashable, node: Node | _Growing) -> None:
        twin = self.out[tail].get(head)
        self.out[tail][head] = node if twin is None else _joined(Parallel, twin, node)
        self.into[head].add(tail)

    def remove(self, tail: Hashable, head: Hashable) -> Node | _Growing:
        self.into[head].discard(tail)
        return self.out[tail].pop(head)


def _two_terminal_graph(network: PathNetwork, edges: dict[tuple[int, int], float]) -> _Graph:
    graph = _Graph()
    heads_of: defaultdict[int, dict[int, float]] = defaultdict(dict)
    tails_of: defaultdict[int, set[int]] = defaultdict(set)
    for (tail, head), transfer in edges.items():
        heads_of[tail][head] = transfer
        tails_of[head].add(tail)
    for module in range(len(network.modules)):
        graph.add(("in", module), ("out", module), Leaf(module))
        if not tails_of[module]:
            graph.add(_SOURCE, ("in", module), Delay(0.0))
        if not heads_of[module]:
            graph.add(("out", module), _SINK, Delay(0.0))
        for head, transfer in heads_of[module].items():
            if _is_complete_block(module, heads_of, tails_of):
                hub = ("hub", min(heads_of[module]))
                graph.add(("out", module), hub, Delay(0.0))
                if module == min(tails_of[head]):
                    graph.add(hub, ("in", head), Delay(transfer))
            else:
                graph.add(("out", module), ("in", head), Delay(transfer))
    return graph


def _is_complete_block(module: int, heads_of: dict[int, dict[int, float]], tails_of: dict[int, set[int]]) -> bool:
    """Whether all tails beside ``module`` feed all the same heads, with one transfer time per head."""
    heads = heads_of[module]
    tails = tails_of[next(iter(heads))]
    return all(tails_of[head] == tails for head in heads) and all(heads_of[tail] == heads for tail in tails)


def _reduce(graph: _Graph) -> Node | None:
    waiting = [node for node in (*graph.out, *graph.into) if node not in (_SOURCE, _SINK)]
    while waiting:
        node = waiting.pop()
        if len(graph.into[node]) != 1 or len(graph.out[node]) != 1:
            continue
        (tail,), (head,) = graph.into[node], graph.out[node]
        before, after = graph.remove(tail, node), graph.remove(node, head)
        graph.add(tail, head, _joined(Series, before, after))
        waiting.extend(end for end in (tail, head) if end not in (_SOURCE, _SINK))
    left = [(tail, head) for tail, heads in graph.out.items() for head in heads]
    return _grown(graph.out[_SOURCE][_SINK]) if left == [(_SOURCE, _SINK)] else None


@dataclass(slots=True)
class _Growing:
    """A series or parallel while it grows: its children, and its delays as one."""

    kind: type[Series | Parallel]
    children: deque[Node]
    delay: float


def _joined(kind: type[Series | Parallel], left: Node | _Growing, right: Node | _Growing) -> Node | _Growing:
    """Both in series or side by side. The shorter list of children joins the longer, so that all takes n log n."""
    if left == Delay(0.0):
        return right
    if right == Delay(0.0):
        return left
    one, other = _opened(left, kind), _opened(right, kind)
    delay = one.delay + other.delay if kind is Series else max(one.delay, other.delay)
    if len(one.children) < len(other.children):
        other.children.extendleft(reversed(one.children))
        one = other
    else:
        one.children.extend(other.children)
    one.delay = delay
    return one


def _opened(node: Node | _Growing, kind: type[Series | Parallel]) -> _Growing:
    if isinstance(node, _Growing) and node.kind is kind:
        return node
    if isinstance(node, Delay):
        return _Growing(kind, deque(), node.seconds)
    return _Growing(kind, deque((_grown(node),)), 0.0)


def _grown(node: Node | _Growing) -> Node:
    if not isinstance(node, _Growing):
        return node
    parts = [*node.children]
    if node.delay > 0 or not parts:
        parts.append(Delay(node.delay))
    return parts[0] if len(parts) == 1 else node.kind(tuple(parts))
