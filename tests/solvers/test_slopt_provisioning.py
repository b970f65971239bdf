"""Provisioning under envelopes and the hindsight optimum: exact methods agree with each other and with enumeration."""

from __future__ import annotations

import math
from itertools import pairwise, product

import networkx as nx
import numpy as np
import pytest
from hindsight_referee import solve_hindsight_milp
from hypothesis import given, settings
from hypothesis import strategies as st

from harpagon.formulations.slopt.columns import ProvisioningProblem, problem_columns
from harpagon.formulations.slopt.envelope import Envelope
from harpagon.formulations.slopt.hindsight import HindsightProblem
from harpagon.graphs import PathNetwork
from harpagon.heuristics.slopt import plan_slopt
from harpagon.instances.instance import Configuration
from harpagon.instances.library.slopt_pipelines import slopt_instance
from harpagon.solvers.result import Termination
from harpagon.solvers.slopt.columns import solve_slopt, solve_slopt_pyomo
from harpagon.solvers.slopt.hindsight import bridged, solve_hindsight
from harpagon.solvers.slopt.provision import provision

_PROFILE = tuple(
    Configuration(hardware, b, round(d * factor, 4), price)
    for hardware, factor, price in (("slow", 1.0, 1.0), ("fast", 0.4, 3.5))
    for b, d in ((1, 0.05), (4, 0.12), (16, 0.4))
)
_SHAPES = {
    "chain": [("a", "b"), ("b", "c")],
    "diamond": [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")],
    "bridge": [("a", "b"), ("a", "c"), ("b", "c"), ("b", "d"), ("c", "d")],
}


def _network(shape: str) -> PathNetwork:
    return PathNetwork.from_graph(nx.DiGraph(_SHAPES[shape]))


def _problem(shape: str, rates: list[float], slo: float) -> ProvisioningProblem:
    network = _network(shape)
    envelopes = tuple(Envelope.of_process(rate) for rate in rates[: len(network.modules)])
    return ProvisioningProblem(network, slo, envelopes, (_PROFILE,) * len(envelopes))


@settings(max_examples=12, deadline=None)
@given(st.sampled_from(sorted(_SHAPES)), st.lists(st.floats(5, 80), min_size=4, max_size=4), st.floats(0.3, 1.5))
def test_composition_pyomo_and_greedy(shape: str, rates: list[float], slo: float) -> None:
    problem = _problem(shape, rates, slo)
    exact, model, greedy = solve_slopt(problem), solve_slopt_pyomo(problem), plan_slopt(problem)
    assert exact.termination is model.termination
    assert exact.objective == (None if model.plan is None else pytest.approx(model.objective))
    if greedy is not None:
        assert sum(column.cost for column in greedy) >= exact.objective - 1e-9
        assert problem.network.length([column.latency for column in greedy]) <= slo + 1e-9


def test_enumeration_finds_nothing_cheaper() -> None:
    problem = _problem("chain", [30.0, 20.0, 40.0], 0.6)
    columns = problem_columns(problem)
    costs = [
        sum(column.cost for column in choice)
        for choice in product(*columns)
        if problem.network.length([column.latency for column in choice]) <= problem.slo
    ]
    assert solve_slopt(problem).objective == pytest.approx(min(costs))


@pytest.mark.parametrize("pipeline", ["video", "social"])
def test_a_planning_step_settles_on_schedules_that_fit_their_own_envelopes(pipeline: str) -> None:
    instance = slopt_instance(pipeline)
    step = provision(instance, instance.pipelines[0])
    plain = provision(instance, instance.pipelines[0], cascade=False)
    assert step.settled
    assert step.provisioning.cost >= plain.provisioning.cost - 1e-9
    network = PathNetwork.from_graph(instance.pipelines[0].graph)
    assert network.length(list(step.budgets)) == pytest.approx(instance.pipelines[0].slo)


def _cheapest_by_enumeration(needs: list[int], period: float, startup: float) -> float:
    best = math.inf
    for machines in product(*(range(need, max(needs) + 1) for need in needs)):
        started = sum(max(0, b - a) for a, b in pairwise(machines))
        best = min(best, period * sum(machines) + startup * started)
    return best


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 3), min_size=2, max_size=7), st.sampled_from([0.0, 0.7, 1.0, 2.0, 3.5]))
def test_bridging_gaps_is_the_cheapest_cover_of_the_needs(needs: list[int], startup: float) -> None:
    machines = bridged(np.array(needs), 1.0, startup)
    started = np.maximum(0, np.diff(machines)).sum()
    assert np.all(machines >= needs)
    assert machines.sum() + startup * started == pytest.approx(_cheapest_by_enumeration(needs, 1.0, startup))


@pytest.mark.parametrize("shape", ["chain", "diamond"])
@pytest.mark.parametrize("startup", [0.0, 2.0])
def test_hindsight_by_levels_is_the_optimum_of_the_program(shape: str, startup: float) -> None:
    network = _network(shape)
    generator = np.random.default_rng(len(shape))
    envelopes = tuple(
        tuple(Envelope.of_process(float(rate)) for rate in generator.uniform(5, 60, 5)) for _ in network.modules
    )
    problem = HindsightProblem(network, 0.7, envelopes, (_PROFILE[:3],) * len(network.modules), 1.0, startup)
    levels, program = solve_hindsight(problem), solve_hindsight_milp(problem)
    assert levels.termination is program.termination is Termination.OPTIMAL
    assert levels.objective == pytest.approx(program.dual_bound, rel=1e-6)


def test_hindsight_says_when_there_is_no_plan() -> None:
    network = _network("chain")
    envelopes = tuple((Envelope.of_process(10.0),) for _ in network.modules)
    problem = HindsightProblem(network, 0.05, envelopes, (_PROFILE,) * 3, 1.0, 0.0)
    assert solve_hindsight(problem).termination is Termination.INFEASIBLE
