"""Quantised latency split: the dynamic programme against every budget on the grid."""

from __future__ import annotations

import itertools
import math
import random

import networkx as nx
import pytest

from harpagon.formulations.physics import TIME_TOLERANCE
from harpagon.graphs import PathNetwork, decompose
from harpagon.graphs.shapes import SHAPES
from harpagon.heuristics.harpagon.quantised_splitter import split_on_grid

STEPS = 5


def random_costs(rng: random.Random, modules: int) -> list[list[float]]:
    """Costs at 1 to `STEPS` steps; a budget of few steps may be too small."""
    costs = [[rng.uniform(1, 9) for _ in range(STEPS)] for _ in range(modules)]
    for row in costs:
        row[0] = math.inf if rng.random() < 0.3 else row[0]
    return costs


def cheapest_on_grid(network: PathNetwork, costs: list[list[float]]) -> float:
    modules = range(len(network.modules))
    return min(
        (
            sum(costs[i][steps - 1] for i, steps in zip(modules, budgets, strict=True))
            for budgets in itertools.product(range(1, STEPS + 1), repeat=len(modules))
            if network.length(budgets) <= STEPS + TIME_TOLERANCE
        ),
        default=math.inf,
    )


@pytest.mark.parametrize("shape", sorted(SHAPES))
@pytest.mark.parametrize("seed", range(6))
def test_least_cost_on_the_grid(shape: str, seed: int) -> None:
    rng = random.Random(f"{shape}-{seed}")
    network = PathNetwork.from_graph(SHAPES[shape](rng.randint(3, 5), rng))
    costs = random_costs(rng, len(network.modules))
    budgets = split_on_grid(network, 2.0, 1 / STEPS, lambda i, budget: costs[i][round(budget * STEPS / 2) - 1])
    best = cheapest_on_grid(network, costs)
    if budgets is None:
        assert math.isinf(best) or decompose(network) is None
        return
    assert network.length(budgets) <= 2.0 + TIME_TOLERANCE
    cost = sum(costs[i][round(budget * STEPS / 2) - 1] for i, budget in enumerate(budgets))
    assert cost == pytest.approx(best) if decompose(network) else cost >= best - 1e-9


def test_transfers_are_taken_off_the_slo() -> None:
    graph = nx.DiGraph()
    graph.add_edge("a", "b", transfer=0.3)
    network = PathNetwork.from_graph(graph)
    budgets = split_on_grid(network, 1.0, 0.1, lambda _, budget: 1 / budget)
    assert budgets is not None
    assert sorted(budgets) == pytest.approx([0.3, 0.4])


def test_none_where_the_grid_is_too_coarse() -> None:
    network = PathNetwork.from_graph(nx.DiGraph([("a", "b"), ("b", "c")]))
    assert split_on_grid(network, 1.0, 0.5, lambda _, budget: 1.0) is None
