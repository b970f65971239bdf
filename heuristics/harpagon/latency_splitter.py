"""Harpagon's latency splitter [R]: from the fastest operating points, spend latency where it saves the most.

Every module starts at its lowest-latency operating point. Each move raises one module, or with the node merger one
group of parallel modules, to a cheaper point. The move with the best score is made while the longest path meets the
SLO:

* latency-cost efficiency: cost saved per second of end-to-end latency spent. A move that spends none is infinitely
  efficient; among those the one that saves most comes first.
* cost-direct: cost saved, whatever it spends.

The node merger treats modules with the same predecessors and the same successors as one: a joint move takes every
member to its cheapest point within the same latency.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from operator import add
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from harpagon.formulations.physics import TIME_TOLERANCE
from harpagon.heuristics.scheduling_rules import ROUNDING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harpagon.graphs import PathNetwork
    from harpagon.heuristics.harpagon.operating_points import OperatingPoint

Score: TypeAlias = "Callable[[float, float], tuple[float, float]]"
"""From (value saved, seconds spent) to a pair that is larger for a better move."""


class _Move(NamedTuple):
    """Modules with the position on their frontier they move to, and how good that is."""

    score: tuple[float, float]
    targets: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class _State:
    """Where the split stands: per module its position and the longest path before and after it."""

    frontiers: Sequence[Sequence[OperatingPoint]]
    positions: list[int]
    around: list[float]
    length: float
    allowed: float
    score: Score


def latency_cost_efficiency(saved: float, spent: float) -> tuple[float, float]:
    """Value saved per second of end-to-end latency; infinite where no latency is spent, then by value saved."""
    return (saved / spent if spent > ROUNDING else float("inf"), saved)


def cost_direct(saved: float, spent: float) -> tuple[float, float]:
    """Value saved; among equals the move that spends less latency."""
    return (saved, -spent)


def parallel_groups(network: PathNetwork) -> tuple[tuple[int, ...], ...]:
    """Groups of two or more modules with the same predecessors and the same successors (the node merger)."""
    groups: defaultdict[tuple[tuple[int, ...], tuple[int, ...]], list[int]] = defaultdict(list)
    for module in range(len(network.modules)):
        before = tuple(i for i, _ in network.predecessors[module])
        after = tuple(j for j, _ in network.successors[module])
        groups[before, after].append(module)
    return tuple(tuple(members) for members in groups.values() if len(members) > 1)


def split_latency(
    network: PathNetwork,
    slo: float,
    frontiers: Sequence[Sequence[OperatingPoint]],
    score: Score,
    groups: Sequence[tuple[int, ...]] = (),
    check_time: Callable[[], None] = lambda: None,
) -> list[float] | None:
    """Latency budget of every module.

    Parameters
    ----------
    network
        The pipeline.
    slo
        Seconds allowed on every path.
    frontiers
        Per module its operating points, latency ascending and value descending.
    score
        What makes a move good.
    groups
        Modules that may move jointly.
    check_time
        Called before every move; raises where time is up.

    Returns
    -------
    list of float or None
        Seconds per module in the order of ``network.modules``; None where a module has no point, or the
        fastest points already miss the SLO.
    """
    if not all(frontiers):
        return None
    positions = [0] * len(frontiers)
    latencies = [points[0].latency for points in frontiers]
    allowed = slo + TIME_TOLERANCE / 2
    if network.length(latencies) > allowed:
        return None
    while True:
        check_time()
        around = list(map(add, network.heads(latencies), network.tails(latencies)))
        length = max(map(add, around, latencies))
        move = _best_move(_State(frontiers, positions, around, length, allowed, score), groups)
        if move is None:
            return latencies
        for module, position in move.targets:
            positions[module] = position
            latencies[module] = frontiers[module][position].latency


def _best_move(state: _State, groups: Sequence[tuple[int, ...]]) -> _Move | None:
    """Best move of one module or one group; among equals the first."""
    best: _Move | None = None
    for module in range(len(state.frontiers)):
        best = _better(best, _best_single(state, module))
    for group in groups:
        best = _better(best, _best_joint(state, group))
    return best


def _better(best: _Move | None, move: _Move | None) -> _Move | None:
    return move if move is not None and (best is None or move.score > best.score) else best


def _best_single(state: _State, module: int) -> _Move | None:
    points, now = state.frontiers[module], state.positions[module]
    value, around, score = points[now].value, state.around[module], state.score
    best_score, best = (0.0, 0.0), None
    for position in range(now + 1, len(points)):
        latency, reached = points[position]
        through = around + latency
        if through > state.allowed:
            break
        move_score = score(value - reached, max(0.0, through - state.length))
        if best is None or move_score > best_score:
            best_score, best = move_score, position
    return None if best is None else _Move(best_score, ((module, best),))


def _best_joint(state: _State, group: Sequence[int]) -> _Move | None:
    """Best move of all members to their cheapest points within one latency, over every latency one of them offers."""
    steps = sorted(
        (latency, module, position)
        for module in group
        for position, (latency, _) in enumerate(state.frontiers[module])
        if position > state.positions[module]
    )
    best: _Move | None = None
    targets: dict[int, int] = {}
    saved, longest = 0.0, 0.0
    for latency, module, position in steps:
        # No path holds two members, so the longest path through each tells the new length.
        longest = max(longest, state.around[module] + latency)
        if longest > state.allowed:
            break
        points = state.frontiers[module]
        saved += points[targets.get(module, state.positions[module])].value - points[position].value
        targets[module] = position
        move_score = state.score(saved, max(0.0, longest - state.length))
        if best is None or move_score > best.score:
            best = _Move(move_score, tuple(targets.items()))
    return best
