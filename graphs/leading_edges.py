"""Exact request rates, and the edge that leads where several meet under ``join: all``.

Rates are fractions, so that ties between edges are ties and no rounding of floats decides which edge leads. Planner
and simulator both ask here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

from harpagon.graphs.order import in_topological_order

if TYPE_CHECKING:
    from collections.abc import Mapping

    import networkx as nx

_LARGEST_PRODUCT = 2**62
"""Numerator times denominator of a fan-out: counts stay within 64-bit integers."""


@lru_cache(maxsize=1024)
def exact_fanout(fanout: float) -> Fraction:
    """The fraction that a fan-out stands for: its decimal form, or the nearest fraction where that is a long one.

    The fraction has a product of numerator and denominator below 2^62; it differs from ``fanout`` by 1e-9 of it at
    most, and only where ``fanout`` is a long decimal.

    Parameters
    ----------
    fanout
        Requests sent on per request received, positive.

    Examples
    --------
    >>> exact_fanout(1.4), exact_fanout(1 / 3)
    (Fraction(7, 5), Fraction(1, 3))
    """
    written = Fraction(repr(float(fanout)))
    if written.numerator * written.denominator < _LARGEST_PRODUCT:
        return written
    nearest = written.limit_denominator(max(1, int(math.sqrt(_LARGEST_PRODUCT / fanout) / 2)))
    return max(nearest, Fraction(1, _LARGEST_PRODUCT))


@dataclass(frozen=True, slots=True)
class ExactRate:
    """Requests of one module per root request.

    Attributes
    ----------
    requests
        Requests per root request.
    roundings
        Fan-outs on the way that are no whole numbers; each rounds the count of its requests up.
    leader
        Tail of the leading edge; None where fewer than two edges meet or the join is ``any``.
    """

    requests: Fraction
    roundings: int
    leader: str | None = None

    def sent(self, fanout: Fraction) -> ExactRate:
        """What an edge with this fan-out makes of it."""
        requests = self.requests if fanout == 1 else self.requests * fanout  # fractions are slow to multiply
        return ExactRate(requests, self.roundings + (fanout.denominator > 1))


def exact_rates(graph: nx.DiGraph) -> dict[str, ExactRate]:
    """Exact rate of every module, in topological order, and who leads at ``join: all``.

    The leading edge brings most requests per root; of equal ones that with the fewest roundings leads, then the one
    whose tail's name comes first.

    Parameters
    ----------
    graph
        Pipeline graph, acyclic.

    Examples
    --------
    >>> import networkx as nx
    >>> graph = nx.DiGraph()
    >>> graph.add_edge("a", "c", fanout=0.3)
    >>> graph.add_edge("b", "c", fanout=0.1 * 3)
    >>> exact_rates(graph)["c"].leader
    'a'
    """
    rates: dict[str, ExactRate] = {}
    for module, edges in in_topological_order(graph):
        sent = {tail: rates[tail].sent(exact_fanout(data.get("fanout", 1.0))) for tail, data in edges}
        rates[module] = _met(sent, graph.nodes[module].get("join", "all") == "any")
    return rates


def _met(sent: Mapping[str, ExactRate], is_any: bool) -> ExactRate:
    """Rate of a module that these edges reach."""
    if not sent:
        return ExactRate(Fraction(1), 0)
    if len(sent) == 1:
        return next(iter(sent.values()))
    if is_any:
        edges = sent.values()
        return ExactRate(sum((e.requests for e in edges), Fraction(0)), sum(e.roundings for e in edges))
    leader = min(sent, key=lambda tail: (-sent[tail].requests, sent[tail].roundings, tail))
    return ExactRate(sent[leader].requests, sent[leader].roundings, leader)
