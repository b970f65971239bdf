"""Brute force: worked values, feasibility by theory, limits, refusal, time limits."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from itertools import product

import networkx as nx
import pytest

from harpagon.formulations.checker import check
from harpagon.formulations.physics import in_dispatch_order, module_latency
from harpagon.instances.generate import random_instance
from harpagon.instances.instance import Configuration, Hardware, Instance, Pipeline
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import APART, Billing, Dispatch
from harpagon.solvers.capabilities import UnsupportedError
from harpagon.solvers.enumeration.brute_force import solve_brute_force
from harpagon.solvers.options import SolverOptions
from harpagon.solvers.result import Termination

CASES = list(product(APART, Dispatch))


def one_module(configurations: list[Configuration], rate: float, slo: float, **limits: int) -> Instance:
    graph = nx.DiGraph()
    graph.add_node("m", model="model", join="all")
    hardware = {c.hardware: Hardware(c.hardware, c.price, limits.get(c.hardware)) for c in configurations}
    return Instance(
        "one", Billing.WHOLE, hardware, {"model": tuple(configurations)}, (Pipeline("p", rate, slo, graph),)
    )


@pytest.mark.parametrize(
    ("billing", "dispatch", "cost"),
    [
        # DESIGN section 2: 5 x b32 hold 0.8 + 32 / 200 = 0.96 s at cost 5, and no 4.95 machines do (198 / 40).
        (Billing.WHOLE, Dispatch.TC, 5.0),
        (Billing.FRACTIONAL, Dispatch.TC, 5.0),
        # Round-robin needs 2 d <= 1, so b=8 at 32 req/s: 7 machines, or 6 and 6 req/s on b=2 at 20 req/s.
        (Billing.WHOLE, Dispatch.ROUND_ROBIN, 7.0),
        (Billing.FRACTIONAL, Dispatch.ROUND_ROBIN, 6.3),
    ],
)
def test_worked_example(worked_example: Instance, billing: Billing, dispatch: Dispatch, cost: float) -> None:
    result = solve_brute_force(worked_example, billing, dispatch)
    assert result.termination is Termination.OPTIMAL
    assert result.objective == pytest.approx(cost)
    assert result.dual_bound == result.objective


def test_equals_a_plain_product_over_machine_counts() -> None:
    """A second enumeration, without budgets or filters: 0 to 6 machines of each of three configurations."""
    profile = [
        Configuration("a", 1, 0.1, 1.0),
        Configuration("a", 4, 0.25, 1.0),
        Configuration("b", 8, 0.9, 0.45),
    ]
    for slo in (0.2, 0.35, 0.5, 1.0, 1.4, 2.0):
        costs = []
        for counts in product(range(7), repeat=3):
            tuples = [DispatchTuple.full(c, n) for c, n in zip(profile, counts, strict=True) if n]
            if sum(part.rate for part in tuples) >= 30.0:
                tuples = list(in_dispatch_order(tuples))
                if module_latency(tuples, Dispatch.TC) <= slo:
                    costs.append(sum(part.cost for part in tuples))
        result = solve_brute_force(one_module(profile, 30.0, slo), Billing.WHOLE, Dispatch.TC)
        assert result.objective == pytest.approx(min(costs))


@pytest.mark.parametrize("case", range(40))
def test_every_plan_passes_the_checker(case: int) -> None:
    instance = random_instance(random.Random(case), limits=case % 2 == 0, pipelines=1 + case % 3, modules=(1, 3))
    for billing, dispatch in CASES:
        result = solve_brute_force(instance, billing, dispatch)
        assert result.termination in (Termination.OPTIMAL, Termination.INFEASIBLE)
        if result.plan is None:
            assert result.dual_bound == math.inf
        else:
            assert check(instance, result.plan).violations == ()
            assert result.dual_bound == pytest.approx(result.plan.cost)


@pytest.mark.parametrize("case", range(20))
def test_choosing_the_order_never_costs_more(case: int) -> None:
    instance = random_instance(random.Random(case), modules=(1, 2))
    for billing in APART:
        cost = {d: solve_brute_force(instance, billing, d).objective or math.inf for d in Dispatch}
        assert cost[Dispatch.FREE] <= cost[Dispatch.TC] * (1 + 1e-9)
        assert cost[Dispatch.TC] <= cost[Dispatch.TC_SAFE] * (1 + 1e-9)
        assert cost[Dispatch.TC] <= cost[Dispatch.PER_CONFIG] * (1 + 1e-9)


def test_a_batch_duration_is_the_infimum_of_latency() -> None:
    profile = [Configuration("a", 2, 0.1, 1.0)]
    assert solve_brute_force(one_module(profile, 10.0, 0.1), Billing.WHOLE, Dispatch.TC).plan is None
    result = solve_brute_force(one_module(profile, 10.0, 0.11), Billing.WHOLE, Dispatch.TC)
    assert result.plan is not None
    # 0.1 + 2 / (20 n) <= 0.11 needs n >= 10.
    assert result.objective == pytest.approx(10.0)


def test_round_robin_takes_twice_the_batch_duration() -> None:
    profile = [Configuration("a", 2, 0.1, 1.0)]
    assert solve_brute_force(one_module(profile, 10.0, 0.2), Billing.WHOLE, Dispatch.ROUND_ROBIN).objective == 1.0
    result = solve_brute_force(one_module(profile, 10.0, 0.199), Billing.WHOLE, Dispatch.ROUND_ROBIN)
    assert result.termination is Termination.INFEASIBLE


@pytest.mark.parametrize(("limit", "cost"), [(2, 2.0), (1, 1.0 + 2.5), (0, 5.0)])
def test_limits_send_work_to_dearer_machines(limit: int, cost: float) -> None:
    profile = [Configuration("a", 1, 0.1, 1.0), Configuration("b", 1, 0.1, 2.5)]
    result = solve_brute_force(one_module(profile, 20.0, 1.0, a=limit), Billing.WHOLE, Dispatch.TC)
    assert result.objective == pytest.approx(cost)


def test_limits_are_shared_by_pipelines_and_can_make_an_instance_infeasible() -> None:
    single = one_module([Configuration("a", 1, 0.1, 1.0)], 20.0, 1.0, a=3)
    assert solve_brute_force(single, Billing.WHOLE, Dispatch.TC).objective == pytest.approx(2.0)
    twin = replace(single, pipelines=(single.pipelines[0], replace(single.pipelines[0], name="twin")))
    assert solve_brute_force(twin, Billing.WHOLE, Dispatch.TC).termination is Termination.INFEASIBLE


def test_too_large_an_instance_is_refused_by_name() -> None:
    profile = [Configuration("a", b, 0.1 * b**0.5, 1.0) for b in (1, 2, 3, 4, 5, 6)]
    with pytest.raises(UnsupportedError, match=r"brute-force.*module m.*use exact"):
        solve_brute_force(one_module(profile, 5000.0, 1.0), Billing.WHOLE, Dispatch.TC)


def test_no_plan_at_the_time_limit_is_a_result() -> None:
    profile = [Configuration("a", b, 0.1 * b**0.5, 1.0) for b in (1, 2, 4, 8)]
    instance = one_module(profile, 200.0, 1.0)
    result = solve_brute_force(instance, Billing.WHOLE, Dispatch.TC, SolverOptions(time_limit=0.0))
    optimum = solve_brute_force(instance, Billing.WHOLE, Dispatch.TC).objective
    assert result.termination is Termination.LIMIT
    assert result.plan is None
    assert optimum is not None
    assert 0 < result.dual_bound <= optimum
