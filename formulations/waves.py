"""Waves: how many requests of a paced pipeline reach a module with each root request.

In a paced pipeline every request reaches a module at a fixed time after its root request, so what reaches it when
depends on the graph and its fan-outs alone. Of the first k requests of its tail an edge sends on ceil(k f), f its
fan-out; counted are the roots that come. docs/dispatch.md has the proofs.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import accumulate, pairwise
from math import ceil, floor, gcd, lcm
from typing import TYPE_CHECKING

from harpagon.graphs import exact_fanout, exact_rates, in_topological_order

if TYPE_CHECKING:
    import networkx as nx

LONGEST_PERIOD = 1_000
"""Roots after which a pattern is no longer written out: windows are then bounded by those of the tails."""


@dataclass(frozen=True, slots=True)
class SentWave:
    """What an edge with this ``fanout`` makes of the ``tail``'s wave: of the first k requests ceil(k x fanout).

    One that ``rounds_down`` sends floor(k x fanout), what the edge with 1 - fanout leaves of them.
    """

    tail: Wave
    fanout: Fraction
    rounds_down: bool = False

    @property
    def period(self) -> int:
        """Roots after which the counts repeat: the tail's period until its requests, times the fan-out, are whole."""
        numerator, denominator = self.fanout.as_integer_ratio()
        requests = int(self.tail.rate * self.tail.period)
        return self.tail.period * (denominator // gcd(requests * numerator, denominator))

    @property
    def excess(self) -> Fraction:
        """Rounding a multiple of 1 / q up adds (q - 1) / q at most, rounding it down takes as much away."""
        return self.tail.excess * self.fanout + 1 - Fraction(1, self.fanout.denominator)

    def counts(self, roots: int) -> list[int]:
        """Requests of each of the first ``roots`` roots, a multiple of the tail's period."""
        totals = accumulate(self.tail.counts * (roots // self.tail.period), initial=0)
        whole = floor if self.rounds_down else ceil
        return [after - before for before, after in pairwise(whole(total * self.fanout) for total in totals)]


@dataclass(frozen=True, eq=False)
class Wave:
    """Requests per root request at one module.

    Attributes
    ----------
    inputs
        The edges whose items are its requests: none at a source, the leading edge at ``join: all``, every edge at
        ``join: any``.
    """

    inputs: tuple[SentWave, ...] = ()

    @cached_property
    def rate(self) -> Fraction:
        """Requests per root request, in the mean."""
        return sum((edge.tail.rate * edge.fanout for edge in self.inputs), Fraction(0)) if self.inputs else Fraction(1)

    @cached_property
    def period(self) -> int:
        """Roots after which the counts repeat."""
        return lcm(*(edge.period for edge in self.inputs))

    @cached_property
    def total(self) -> int:
        """Requests of one period."""
        return int(self.rate * self.period)

    @cached_property
    def counts(self) -> tuple[int, ...]:
        """Requests of each root of one period; empty where the period is longer than `LONGEST_PERIOD`."""
        if self.period > LONGEST_PERIOD:
            return ()
        edges = [edge.counts(self.period) for edge in self.inputs]
        return tuple(map(sum, zip(*edges, strict=True))) if edges else (1,)

    @cached_property
    def excess(self) -> Fraction:
        """Requests by which k roots in a row may pass k x rate: `most` (k) <= k x rate + excess."""
        return sum((edge.excess for edge in self.inputs), Fraction(0))

    def most(self, roots: int) -> int:
        """M(k), the most requests that k = ``roots`` roots in a row can bring, whatever came before.

        The largest window of the pattern where it is written out. Else the sum over the edges of ceil(f x M(k) of the
        tail), which is at least that: a window of k roots takes a window of at most M(k) = y requests of the tail,
        after some x others, and ceil(f (x + y)) - ceil(f x) <= ceil(f y), rounded down as well. It is exact where one
        fan-out is rounded.
        Both repeat: M(k + period) = M(k) + rate x period.
        """
        periods, rest = divmod(roots, self.period)
        if periods:
            return periods * self.total + self.most(rest)
        found = self._most.get(roots)
        if found is None:
            found = self._most[roots] = self._largest_window(roots)
        return found

    @cached_property
    def _most(self) -> dict[int, int]:
        return {}

    @cached_property
    def _totals(self) -> list[int]:
        return list(accumulate(self.counts * 2, initial=0))

    def _largest_window(self, roots: int) -> int:
        once = len(self.inputs) == 1 and not self.inputs[0].tail.excess
        if self.counts and not once:
            windows = zip(self._totals[roots : roots + self.period], self._totals, strict=False)
            return max(last - first for last, first in windows)
        return sum(ceil(edge.fanout * edge.tail.most(roots)) for edge in self.inputs)


ROOTS = Wave()
"""The wave of a source: every root request is one of its requests."""


def pipeline_waves(graph: nx.DiGraph) -> dict[str, Wave]:
    """Wave of every module, in topological order; modules that the same requests reach have the same wave.

    Parameters
    ----------
    graph
        Pipeline graph, acyclic.

    Examples
    --------
    >>> import networkx as nx
    >>> graph = nx.DiGraph()
    >>> graph.add_edge("detect", "classify", fanout=1.5)
    >>> wave = pipeline_waves(graph)["classify"]
    >>> wave.counts, [wave.most(k) for k in (1, 2, 3)]
    ((2, 1), [2, 3, 5])
    """
    rates = exact_rates(graph)
    waves: dict[str, Wave] = {}
    known: dict[tuple[SentWave, ...], Wave] = {(): ROOTS}
    for module, incoming in in_topological_order(graph):
        edges = {tail: SentWave(waves[tail], exact_fanout(data.get("fanout", 1.0))) for tail, data in incoming}
        leader = rates[module].leader
        inputs = (edges[leader],) if leader else tuple(edges.values())
        passed_on = len(inputs) == 1 and inputs[0].fanout == 1
        waves[module] = inputs[0].tail if passed_on else known.setdefault(inputs, Wave(inputs))
    return waves
