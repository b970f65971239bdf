"""harpagon+ where residuals are padded: structures chosen on a grid, latency balanced along a pipeline."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from functools import partial
from itertools import product
from typing import TYPE_CHECKING

import networkx as nx
import pytest
from heuristic_cases import WORKED_PROFILE, module

from harpagon.formulations.problem import ModuleProblem
from harpagon.graphs import PathNetwork
from harpagon.graphs.shapes import SHAPES
from harpagon.heuristics.harpagon_plus.balance import Balance
from harpagon.heuristics.harpagon_plus.curves import Curve, Frontier, Placed
from harpagon.heuristics.harpagon_plus.group_search import SearchEffort, search_groups
from harpagon.heuristics.harpagon_plus.joint_search import JointSearch
from harpagon.heuristics.harpagon_plus.latency_grid import Envelope, Grid, LatencyGrid
from harpagon.heuristics.harpagon_plus.moments import Moments
from harpagon.heuristics.scheduling_rules import ModuleSchedule
from harpagon.instances.policies import Billing, Dispatch

if TYPE_CHECKING:
    from collections.abc import Sequence


def searched(problem: ModuleProblem, budget: float) -> ModuleSchedule | None:
    return search_groups(problem, budget, Billing.FRACTIONAL, Dispatch.TC, SearchEffort(), 1e9)


def schedule(problem: ModuleProblem, budget: float) -> ModuleSchedule:
    found = searched(problem, budget)
    assert found is not None
    return found


def curve(rate: float, *profile: tuple[int, float]) -> Curve:
    """Curve of one padded machine."""
    problem = module(rate, *profile)
    (configuration,) = problem.configurations
    made = schedule(problem, configuration.duration + configuration.batch / configuration.throughput * 1.5)
    assert made.tuples[-1].is_residual and len(made.tuples) == 1
    return Curve.of(made, problem, Dispatch.TC)


def balance_of(network: PathNetwork, slo: float) -> Balance:
    return Balance(Moments.of(network, slo), slo)


def test_two_modules_share_the_slo_where_their_curves_are_equally_steep() -> None:
    """Each costs p / t b / (L - d) = p d / (L - d): the time beyond d is shared by the roots of d, here 2 to 1."""
    curves = [curve(1.0, (8, 0.1)), curve(1.0, (4, 0.025))]
    balance = balance_of(PathNetwork.from_graph(nx.DiGraph([("a", "b")])), 0.425)
    found = balance.latencies(curves, [0.25, 0.175])
    assert found == pytest.approx([0.1 + 0.2, 0.025 + 0.1], rel=1e-4)
    assert balance.latencies(curves, [0.9, 0.1]) == pytest.approx(found, rel=1e-4)


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_balance_keeps_the_slo_and_no_single_moment_is_left_to_gain(shape: str) -> None:
    rng = random.Random(5)
    network = PathNetwork.from_graph(SHAPES[shape](5, rng))
    curves = [curve(1.0, (rng.choice([2, 4, 8]), rng.uniform(0.05, 0.2))) for _ in network.modules]
    slo = 1.5 * network.length([one.quickest for one in curves])
    balance = balance_of(network, slo)
    wished = [one.quickest * rng.uniform(1.0, 2.0) for one in curves]
    found = balance.latencies(curves, wished)
    assert found is not None
    assert network.length(found) <= slo * (1 + 1e-12)
    assert all(latency >= one.quickest * (1 - 1e-12) for latency, one in zip(found, curves, strict=True))
    moments = balance.moments.earliest(found)
    for moment in range(balance.moments.count):
        for step in (-1e-3, 1e-3):
            moved = balance.moments.latencies([at + step * (k == moment) for k, at in enumerate(moments)])
            if network.length(moved) > slo or any(x < one.quickest for x, one in zip(moved, curves, strict=True)):
                continue
            costs = [sum(c.cost(x) for c, x in zip(curves, latencies, strict=True)) for latencies in (moved, found)]
            assert costs[0] >= costs[1] * (1 - 1e-6)
    assert balance_of(network, 0.5 * slo).latencies(curves, wished) is None


def test_latency_passes_a_module_that_has_none_to_give() -> None:
    """The middle module stands at its quickest: its start and its end must move together."""
    curves = [curve(1.0, (8, 0.1)), curve(1.0, (4, 0.025)), curve(1.0, (4, 0.025))]
    network = PathNetwork.from_graph(nx.DiGraph([("a", "b"), ("b", "c")]))
    curves[1] = replace(curves[1], slope=0.0)
    middle = curves[1].quickest
    found = balance_of(network, 0.425 + middle).latencies(curves, [0.15, middle, 0.275])
    assert found == pytest.approx([0.1 + 0.2, middle, 0.025 + 0.1], rel=1e-4)


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_moments_give_every_module_the_time_until_its_successors_start(shape: str) -> None:
    rng = random.Random(11)
    for size in range(1, 7):
        network = PathNetwork.from_graph(SHAPES[shape](size, rng))
        latencies = [rng.uniform(0.1, 1.0) for _ in network.modules]
        slo = network.length(latencies)
        moments = Moments.of(network, slo)
        stretched = moments.latencies(moments.earliest(latencies))
        assert all(time >= least - 1e-9 for time, least in zip(stretched, latencies, strict=True))
        assert network.length(stretched) == pytest.approx(slo)


@pytest.mark.parametrize("edges", [["ab", "bc"], ["ab", "ac", "bd", "cd"], ["ab", "ac", "dc", "ce"]])
def test_the_grid_holds_no_cheaper_choice(edges: list[str]) -> None:
    """Chain, diamond, and a pipeline that is no series of parallel parts, against every choice of places."""
    rng = random.Random(3)
    network = PathNetwork.from_graph(nx.DiGraph([tuple(edge) for edge in edges]))
    sets = [[curve(1.0, (b, b * rng.uniform(0.01, 0.03))) for b in (2, 8)] for _ in network.modules]
    slo, steps = 2.0 * network.length([curves[0].quickest for curves in sets]), 9
    moments = Moments.of(network, slo)
    grid = Grid([0.01] * moments.count, [steps] * moments.count, slo / steps)
    found = LatencyGrid(moments).cheapest([Envelope(curves) for curves in sets], grid, 0.0)
    assert found is not None

    def cost(places: Sequence[float]) -> float:
        if any(places[one.earlier] + one.gap > places[one.later] for one in moments.orders):
            return math.inf
        total = 0.0
        for curves, latency in zip(sets, moments.latencies(places), strict=True):
            total += min((one.cost(latency) for one in curves if one.quickest <= latency), default=math.inf)
        return total

    axes = [[0.01 + place * slo / steps for place in range(steps)]] * moments.count
    assert cost(found) == pytest.approx(min(map(cost, product(*axes))))


def test_structures_are_exchanged_for_the_best_split_of_two_modules() -> None:
    """The larger batch of one module needs the latency that only a smaller batch of the other gives."""
    problems = [module(198.0, *WORKED_PROFILE), module(20.0, *WORKED_PROFILE)]
    network = PathNetwork.from_graph(nx.DiGraph([("a", "b")]))
    frontiers = [Frontier(problem, Dispatch.TC, partial(searched, problem)) for problem in problems]
    for frontier, problem in zip(frontiers, problems, strict=True):
        for budget in (0.15, 0.2, 0.3, 0.5, 0.9, 1.0):
            frontier.add(schedule(problem, budget), budget)
    start = [schedule(problems[0], 0.3), schedule(problems[1], 0.9)]
    improved = JointSearch(network, 1.2, frontiers).improve(start)
    assert network.length([one.latency for one in improved]) <= 1.2 + 1e-9
    best = min(
        schedule(problems[0], split / 1000).cost + schedule(problems[1], 1.2 - split / 1000).cost
        for split in range(120, 1080, 5)
    )
    assert sum(one.cost for one in improved) <= best * (1 + 1e-6) < sum(one.cost for one in start)


def test_refining_searches_between_a_place_and_its_neighbours_once() -> None:
    problem, asked = module(20.0, *WORKED_PROFILE), []

    def search(budget: float) -> ModuleSchedule | None:
        asked.append(budget)
        return searched(problem, budget)

    frontier = Frontier(problem, Dispatch.TC, search)
    for budget in (0.2, 1.0):
        frontier.add(schedule(problem, budget), budget)
    here = frontier.points[0].place
    assert isinstance(here, Placed)
    for _ in range(30):
        frontier.refine(here.latency)
    assert len(asked) < 20
    assert all(here.latency < budget < 1.0 for budget in asked)
    latencies = [point.place.latency for point in frontier.points]
    assert latencies == sorted(latencies) and len(latencies) > 2
