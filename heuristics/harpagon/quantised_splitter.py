"""Quantised latency split: budgets on a grid, by dynamic programming over the pipeline's structure [R].

Budgets are multiples of a step. Over a series-parallel pipeline the cheapest budgets on the grid follow from two
rules on tables "total budget -> least cost": in series the budgets add up, in parallel they are shared. Any other
pipeline is cut into layers of equal depth, in parallel within and in series between them: every path visits each layer
at most once, so the split is sound, though perhaps not the best on the grid. Transfer times are taken off the SLO
beforehand, as the longest sum of them on any path.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING, TypeAlias

from harpagon.formulations.physics import TIME_TOLERANCE
from harpagon.graphs import Delay, Leaf, Parallel, Series, decompose

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harpagon.graphs import Node, PathNetwork

Table: TypeAlias = list[float]
"""Least cost at 0, 1, 2, ... steps of budget; infinity where there is none."""
Choice: TypeAlias = "Callable[[int], dict[int, int]]"
"""From a total budget in steps to the budget of every module, in steps."""


def split_on_grid(
    network: PathNetwork, slo: float, share: float, cost: Callable[[int, float], float]
) -> list[float] | None:
    """Cheapest budgets that are multiples of ``share`` x SLO.

    Parameters
    ----------
    network
        The pipeline.
    slo
        Seconds allowed on every path.
    share
        Grid step as a share of the SLO, in (0, 1].
    cost
        Module number and budget in seconds to $/hour; infinity where the budget is too small.

    Returns
    -------
    list of float or None
        Seconds per module; None where no budgets on the grid suffice.
    """
    step = share * slo
    transfers = network.length([0.0] * len(network.modules))
    size = math.floor((slo - transfers + TIME_TOLERANCE / 2) / step)
    if size < 1:
        return None

    def leaf(module: int) -> tuple[Table, Choice]:
        return _leaf_table(module, [cost(module, steps * step) for steps in range(1, size + 1)])

    costs, choose = _tabulate(decompose(network) or _layers(network), leaf, size)
    if math.isinf(costs[size]):
        return None
    chosen = choose(size)
    return [chosen[module] * step for module in range(len(network.modules))]


def _leaf_table(module: int, costs: Sequence[float]) -> tuple[Table, Choice]:
    """Table of one module, where a budget may stay unused."""
    table, cheapest = [math.inf], [0]
    for steps, cost in enumerate(costs, start=1):
        better = cost < table[-1]
        table.append(cost if better else table[-1])
        cheapest.append(steps if better else cheapest[-1])
    return table, lambda total: {module: cheapest[total]}


def _tabulate(node: Node, leaf: Callable[[int], tuple[Table, Choice]], size: int) -> tuple[Table, Choice]:
    match node:
        case Leaf(module):
            return leaf(module)
        case Delay():
            return [0.0] * (size + 1), lambda _: {}
        case Series(children):
            join = _in_series
        case Parallel(children):
            join = _in_parallel
    first, *others = (_tabulate(child, leaf, size) for child in children)
    for other in others:
        first = join(first, other)
    return first


def _in_series(left: tuple[Table, Choice], right: tuple[Table, Choice]) -> tuple[Table, Choice]:
    (left_costs, left_choice), (right_costs, right_choice) = left, right
    shares = [
        min(range(total + 1), key=lambda k: left_costs[k] + right_costs[total - k]) for total in range(len(left_costs))
    ]
    table = [left_costs[k] + right_costs[total - k] for total, k in enumerate(shares)]
    return table, lambda total: left_choice(shares[total]) | right_choice(total - shares[total])


def _in_parallel(left: tuple[Table, Choice], right: tuple[Table, Choice]) -> tuple[Table, Choice]:
    (left_costs, left_choice), (right_costs, right_choice) = left, right
    table = [one + other for one, other in zip(left_costs, right_costs, strict=True)]
    return table, lambda total: left_choice(total) | right_choice(total)


def _layers(network: PathNetwork) -> Node:
    depths: list[int] = []
    layers: defaultdict[int, list[Node]] = defaultdict(list)
    for module, pairs in enumerate(network.predecessors):
        depths.append(1 + max((depths[i] for i, _ in pairs), default=0))
        layers[depths[module]].append(Leaf(module))
    return Series(tuple(Parallel(tuple(layer)) for _, layer in sorted(layers.items())))
