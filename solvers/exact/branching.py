"""Branch and price: the master's gap closed by splitting the latencies of one module after another.

A node is a part of all plans: some modules have latencies in a range. Its master problem has the columns within the
ranges, and its pricing looks at latencies within them, so its value bounds every plan of the node. Where it mixes
columns of a module, the plans in which the module is no slower than the mixture and those in which it is slower are two
nodes, and neither has the mixture. The node of the least bound is split next; the least of all bounds every plan.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from harpagon.formulations.physics import TIME_TOLERANCE
from harpagon.solvers.exact.frontier import step_below

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from harpagon.formulations.planning.pattern import Column
    from harpagon.solvers.models.model_method import Task

_PICKED = 1e-6
"""Share of a column in a solution of the master from which on the solution has it."""
_LEAST_CUT = 0.1
"""Share of a mixture's latencies that both sides of a split lose at least."""
_MOST_NODES = 300
"""Nodes split before branching is given up: where it works, a few dozen are enough."""


class Range(NamedTuple):
    """Latencies of one module in seconds: above ``low``, up to ``high``."""

    low: float
    high: float


@dataclass(slots=True)
class Node:
    """A part of all plans.

    Attributes
    ----------
    bound
        Dollars per hour that no plan of the node undercuts.
    ranges
        Latencies of every module.
    mixtures
        Per module the columns that the solution of the node's master mixes, with their shares.
    """

    bound: float
    ranges: tuple[Range, ...]
    mixtures: list[list[tuple[float, Column]]] = field(default_factory=list)

    def columns(self, known: Sequence[Iterable[Column]], stand_ins: Sequence[Column]) -> list[list[Column]]:
        """Columns within the ranges; ``stand_ins`` are as quick as these allow, so that the master has a solution."""
        columns = [
            [one for one in own if low < one.latency <= high]
            for (low, high), own in zip(self.ranges, known, strict=True)
        ]
        for (low, _), own, one in zip(self.ranges, columns, stand_ins, strict=False):
            own.append(replace(one, latency=max(one.latency, low)))
        return columns

    def split(self) -> tuple[Node, Node] | None:
        """Two nodes with all plans of this one, at the mixture that differs most in cost; None where none mixes."""

        def spread(m: int) -> float:
            mixture = self.mixtures[m]
            if max(c.latency for _, c in mixture) - min(c.latency for _, c in mixture) <= TIME_TOLERANCE:
                return 0.0
            return max(c.cost for _, c in mixture) - min(c.cost for _, c in mixture)

        m = max(range(len(self.mixtures)), key=spread)
        if spread(m) <= 0:
            return None
        low, high = self.ranges[m]
        quickest, slowest = (bound(one.latency for _, one in self.mixtures[m]) for bound in (min, max))
        mean = sum(share * one.latency for share, one in self.mixtures[m])
        end = min(max(mean, quickest + _LEAST_CUT * (slowest - quickest)), (quickest + slowest) / 2)
        above = end + 2 * (end - step_below(end))  # a schedule as quick as that must be on one side by any rounding
        return self._within(m, Range(low, above)), self._within(m, Range(end, high))

    def _within(self, m: int, own: Range) -> Node:
        return Node(self.bound, (*self.ranges[:m], own, *self.ranges[m + 1 :]))


def mixtures(columns: Sequence[Sequence[Column]], values: Mapping[str, float]) -> list[list[tuple[float, Column]]]:
    """Per module the columns that a solution of the master over ``columns`` has, with their shares."""
    shares = [[(values[f"pick[{m},{k}]"], one) for k, one in enumerate(own)] for m, own in enumerate(columns)]
    return [[pair for pair in own if pair[0] > _PICKED] for own in shares]


def branch(task: Task, root: Node, price_out: Callable[[Node], bool], told: Callable[[float], None]) -> bool:
    """Split ``root`` until every node is proven or has no plan; whether that was achieved in not too many steps.

    Parameters
    ----------
    task
        The case.
    root
        Priced out.
    price_out
        Raises a node's bound as far as pricing allows, and offers plans on the way; False where time ends.
    told
        Told of the bound on all plans whenever it rises.
    """
    order = count()
    waiting = [(root.bound, next(order), root)]
    for _ in range(_MOST_NODES):
        bound, _, node = heappop(waiting)
        told(min(bound, task.ceiling))
        if bound >= task.ceiling or task.is_proven(bound):
            return True
        children = node.split()
        if children is None:
            return False
        for child in children:
            if not price_out(child):
                return False
            heappush(waiting, (child.bound, next(order), child))
    return False
