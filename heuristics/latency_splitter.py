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
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from harpagon.formulations.physics import TIME_TOLERANCE
from harpagon.heuristics.scheduling_rules import ROUNDING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harpagon.graphs import PathNetwork
    from harpagon.heuristics.operating_points import OperatingPoint

Score: TypeAlias = "Callable[[float, float], tuple[float, float]]"
"""From (value saved, seconds spent) to a pair that is larger for a better move."""


class _Move(NamedTuple):
    """Modules with the position on their frontier they move to, and the value that saves."""

    targets: tuple[tuple[int, int], ...]
    saved: float


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
    units = [*((module,) for module in range(len(frontiers))), *groups]
    while move := _best_move(network, allowed, frontiers, positions, latencies, score, units):
        for module, position in move.targets:
            positions[module] = position
            latencies[module] = frontiers[module][position].latency
    return latencies


def _best_move(
    network: PathNetwork,
    allowed: float,
    frontiers: Sequence[Sequence[OperatingPoint]],
    positions: Sequence[int],
    latencies: Sequence[float],
    score: Score,
    units: Sequence[tuple[int, ...]],
) -> _Move | None:
    heads, tails = network.heads(latencies), network.tails(latencies)
    length = max(map(sum, zip(heads, latencies, tails, strict=True)))
    best, best_score = None, (0.0, 0.0)
    for unit in units:
        moves = (
            _single_moves(unit[0], frontiers, positions) if len(unit) == 1 else _joint_moves(unit, frontiers, positions)
        )
        for move in moves:
            # No path holds two modules of a unit, so the longest path through each tells the new length.
            through = max(heads[m] + frontiers[m][position].latency + tails[m] for m, position in move.targets)
            if through > allowed:
                break
            move_score = score(move.saved, max(0.0, through - length))
            if best is None or move_score > best_score:
                best, best_score = move, move_score
    return best


def _moves(
    unit: tuple[int, ...], frontiers: Sequence[Sequence[OperatingPoint]], positions: Sequence[int]
) -> Iterator[_Move]:
    """Moves of a unit, least latency first."""
    return _joint_moves(unit, frontiers, positions) if len(unit) > 1 else _single_moves(unit[0], frontiers, positions)


def _single_moves(
    module: int, frontiers: Sequence[Sequence[OperatingPoint]], positions: Sequence[int]
) -> Iterator[_Move]:
    points, now = frontiers[module], positions[module]
    for position in range(now + 1, len(points)):
        yield _Move(((module, position),), points[now].value - points[position].value)


def _joint_moves(
    group: Sequence[int], frontiers: Sequence[Sequence[OperatingPoint]], positions: Sequence[int]
) -> Iterator[_Move]:
    """Moves of all members to their cheapest points within one latency, for every latency one of them offers."""
    steps = sorted(
        (frontiers[module][position].latency, module, position)
        for module in group
        for position in range(positions[module] + 1, len(frontiers[module]))
    )
    targets: dict[int, int] = {}
    saved = 0.0
    for _, module, position in steps:
        points = frontiers[module]
        saved += points[targets.get(module, positions[module])].value - points[position].value
        targets[module] = position
        if len(targets) > 1:
            yield _Move(tuple(targets.items()), saved)
