"""Cores as hardware types, vertical scaling of pipelines, pipelines in time, model variants."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, product

import networkx as nx
import pytest

from harpagon.formulations.checker import check
from harpagon.formulations.problem import pipeline_problem
from harpagon.formulations.sponge.core_latency import SPONGE_REFIT
from harpagon.heuristics.baselines.vertical import plan_vertical, plan_vertical_pipeline
from harpagon.instances.cpu.instance import (
    append_module,
    core_instance,
    core_profile_of,
    cores_of,
    single_module_instance,
)
from harpagon.instances.cpu.profile import CoreProfile
from harpagon.instances.errors import InputError
from harpagon.instances.instance import Instance, Pipeline
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Billing, Dispatch
from harpagon.simulation.sponge.bandwidth import BandwidthTrace
from harpagon.simulation.sponge.pipeline import run_pipeline
from harpagon.simulation.sponge.pipeline_scaler import FixedPipelineScaler, InPlacePipelineScaler
from harpagon.simulation.sponge.requests import SentRequest, send_requests
from harpagon.solvers.enumeration.brute_force import solve_brute_force
from harpagon.solvers.exact.solve import solve_exact
from harpagon.solvers.sensitivity.variants import ModelVariant, accuracy_frontier
from studies.sponge.pipelines import three_modules
from studies.sponge.scaling import scaling_rows
from studies.sponge.scaling_suite import scaling_suite

SMALL = SPONGE_REFIT.profile("yolo", (1, 2, 4), (1, 4))


def chain(profiles: dict[str, CoreProfile], rate: float, slo: float, fanout: float = 1.0) -> Instance:
    graph = nx.DiGraph()
    names = list(profiles)
    for name in names:
        graph.add_node(name, model=name, join="all")
    for tail, head in pairwise(names):
        graph.add_edge(tail, head, fanout=fanout, transfer=0.0)
    return core_instance("chain", profiles, Pipeline("chain", rate, slo, graph))


def test_a_core_count_is_a_machine_type_whose_price_is_its_cores():
    instance = single_module_instance(SMALL, 10.0, 1.0, price_per_core=0.04)
    assert {name: item.price for name, item in instance.hardware.items()} == pytest.approx(
        {"cpu-1": 0.04, "cpu-2": 0.08, "cpu-4": 0.16}
    )
    assert core_profile_of(instance, "yolo").durations == SMALL.durations
    assert cores_of("cpu-16") == 16


def test_a_module_is_appended_at_the_price_of_the_instance():
    instance = single_module_instance(SMALL, 10.0, 1.0, price_per_core=0.5)
    longer = append_module(instance, SPONGE_REFIT.profile("read", (1, 8), (1,)), "yolo", 3.0)
    assert longer.hardware["cpu-8"].price == 4.0
    assert list(longer.pipelines[0].graph.edges(data="fanout")) == [("yolo", "read", 3.0)]
    assert "read" not in instance.pipelines[0].graph
    with pytest.raises(InputError, match="no such module"):
        append_module(instance, SMALL, "yoloo", 1.0)
    with pytest.raises(InputError, match="already has this model"):
        append_module(instance, SMALL, "yolo", 1.0)


def test_a_model_on_other_hardware_has_no_core_profile(worked_example):
    with pytest.raises(InputError, match="cpu-1"):
        core_profile_of(worked_example, "detector")


def by_enumeration(instance: Instance, dispatch: Dispatch) -> float | None:
    """Cheapest cost over every choice of one machine a module that the checker lets pass."""
    problem = pipeline_problem(instance, instance.pipelines[0])
    best = None
    for chosen in product(*(module.configurations for module in problem.modules)):
        planned = plan_of(instance, chosen, dispatch)
        if check(instance, planned).ok:
            best = planned.cost if best is None else min(best, planned.cost)
    return best


def plan_of(instance, chosen, dispatch):
    from harpagon.formulations.assembly import assemble_plan, plan_pipeline

    problem = pipeline_problem(instance, instance.pipelines[0])
    planned = plan_pipeline(problem, [[DispatchTuple.full(c, 1)] for c in chosen], dispatch)
    return assemble_plan(instance, Billing.WHOLE, dispatch, [planned])


@pytest.mark.parametrize("dispatch", [Dispatch.TC, Dispatch.EDF])
@pytest.mark.parametrize("slo", [0.25, 0.4, 0.7, 1.5])
@pytest.mark.parametrize("rate", [5.0, 15.0, 40.0])
def test_vertical_scaling_is_the_cheapest_single_machine_plan(dispatch, slo, rate):
    instance = chain({"a": SMALL, "b": SPONGE_REFIT.profile("b", (1, 3), (1, 2))}, rate, slo)
    plan = plan_vertical(instance, Billing.WHOLE, dispatch)
    assert (plan and plan.cost) == by_enumeration(instance, dispatch)


def test_vertical_scaling_keeps_hardware_limits():
    instance = chain({"a": SMALL, "b": SMALL}, 5.0, 1.0)
    assert plan_vertical(instance, Billing.WHOLE) is not None
    limited = replace(instance, hardware={name: replace(kind, limit=0) for name, kind in instance.hardware.items()})
    assert plan_vertical(limited, Billing.WHOLE) is None


def test_joint_scaling_is_never_dearer_and_sometimes_cheaper_than_either():
    rows = scaling_rows(scaling_suite(12))
    both = rows.dropna(subset=["joint", "alone"])
    assert (both["joint"] <= both["alone"] + 1e-9).all()
    assert (both["joint"] < both["alone"] - 1e-9).any()
    assert rows.loc[rows["joint"].isna(), "alone"].isna().all()


def test_a_module_changes_its_cores_only_where_that_pays():
    problem = pipeline_problem(instance := chain({"a": SMALL, "b": SMALL}, 5.0, 1.0), instance.pipelines[0])
    dear = [max(module.configurations, key=lambda c: c.price) for module in problem.modules]
    free = plan_vertical_pipeline(problem, 1.0, Dispatch.TC)
    assert free is not None
    saved = (sum(c.price for c in dear) - free.cost) / 2
    for change_cost, expected in ((saved * 0.9, free.cost), (saved * 1.1, sum(c.price for c in dear))):
        planned = plan_vertical_pipeline(problem, 1.0, Dispatch.TC, dear, change_cost)
        assert planned is not None
        assert planned.cost == expected


def test_one_request_takes_the_sum_of_its_modules():
    instance = chain({"a": SMALL, "b": SMALL}, 1.0, 1.0)
    problem = pipeline_problem(instance, instance.pipelines[0])
    first = tuple(next(c for c in module.configurations if c.batch == 1) for module in problem.modules)
    run = run_pipeline(instance, FixedPipelineScaler(first), [SentRequest(0.0, 0.1, 1.0)], 2.0)
    assert run.done == (pytest.approx(0.1 + sum(c.duration for c in first)),)
    assert run.violations == 0


def test_a_fanout_makes_one_task_for_each_and_waits_for_all():
    """Three tasks in batches of one on one container take three times as long."""
    profile = CoreProfile("unit", {(1, 1): 0.1})
    instance = chain({"a": profile, "b": profile}, 1.0, 9.0, fanout=3.0)
    configuration = instance.profiles["a"][0]
    run = run_pipeline(instance, FixedPipelineScaler((configuration,) * 2), [SentRequest(0.0, 0.0, 9.0)], 2.0)
    assert run.done == (pytest.approx(0.4),)


def test_an_idle_container_starts_with_the_first_of_those_that_one_batch_brings():
    """The second and the third request leave the first module together and take the second one by one."""
    profile = CoreProfile("unit", {(1, 1): 0.1, (1, 2): 0.15})
    instance = chain({"a": profile, "b": profile}, 1.0, 9.0)
    configuration = max(instance.profiles["a"], key=lambda item: item.batch)
    requests = [SentRequest(0.0, 0.01 * k, 9.0) for k in range(3)]
    run = run_pipeline(instance, FixedPipelineScaler((configuration,) * 2), requests, 2.0)
    assert run.done == pytest.approx((0.2, 0.35, 0.45))


def test_what_is_late_is_served_to_its_end():
    profile = CoreProfile("unit", {(1, 1): 5.0})
    instance = chain({"a": profile, "b": profile}, 0.1, 9.0)
    scaler = FixedPipelineScaler((instance.profiles["a"][0],) * 2)
    run = run_pipeline(instance, scaler, [SentRequest(0.0, 0.0, 1.0)] * 2, 1.0)
    assert run.done == (10.0, 15.0)
    assert run.violations == 2


def diamond(join: str, transfer: float = 0.0, fanout: float = 1.0) -> tuple[Instance, FixedPipelineScaler]:
    """s (0.1 s), then f (0.1 s) and l (0.3 s), which meet in j (0.3 s); f -> j has the transfer and the fan-out."""
    profiles = {"fast": CoreProfile("fast", {(1, 1): 0.1}), "slow": CoreProfile("slow", {(1, 1): 0.3})}
    graph = nx.DiGraph([("s", "f"), ("s", "l"), ("f", "j"), ("l", "j")])
    for node, model in (("s", "fast"), ("f", "fast"), ("l", "slow"), ("j", "slow")):
        graph.nodes[node].update(model=model, join=join if node == "j" else "all")
    graph.edges["f", "j"].update(transfer=transfer, fanout=fanout)
    instance = core_instance("diamond", profiles, Pipeline("diamond", 1.0, 9.0, graph))
    problem = pipeline_problem(instance, instance.pipelines[0])
    return instance, FixedPipelineScaler(tuple(module.configurations[0] for module in problem.modules))


@pytest.mark.parametrize(
    ("join", "transfer", "done"),
    [("all", 0.0, 0.7), ("all", 0.9, 1.4), ("any", 0.0, 0.8), ("any", 0.9, 1.4)],
    ids=["longer-branch", "longer-transfer", "each-as-it-comes", "each-as-it-comes-late"],
)
def test_a_join_of_all_waits_for_the_last_and_one_of_any_for_none(join, transfer, done):
    run = run_pipeline(*diamond(join, transfer), [SentRequest(0.0, 0.0, 9.0)], 2.0)
    assert run.done == (pytest.approx(done),)


@pytest.mark.parametrize("join", ["all", "any"])
def test_a_request_of_which_an_edge_brings_nothing_is_done_too(join):
    requests = [SentRequest(10.0 * k, 10.0 * k, 10.0 * k + 9.0) for k in range(20)]
    run = run_pipeline(*diamond(join, fanout=0.5), requests, 2.0)
    taken = {round(done - request.arrived, 9) for done, request in zip(run.done, requests, strict=True)}
    assert taken == ({0.7} if join == "all" else {0.7, 0.8})


def test_a_pipeline_in_place_follows_the_link():
    instance = three_modules()
    problem = pipeline_problem(instance, instance.pipelines[0])
    dip = BandwidthTrace((0.0, 20.0, 40.0), (6e6, 0.9e6, 6e6))
    requests = send_requests(dip, 20.0, 500e3, 1.0, 60.0)
    run = run_pipeline(instance, InPlacePipelineScaler(problem), requests, 60.0)
    assert max(run.cores[22:40]) > run.cores[10] == run.cores[50]
    assert run.violations <= 0.05 * len(requests)
    calm = run_pipeline(instance, InPlacePipelineScaler(problem, change_cost=100.0), requests, 60.0)
    assert calm.changes < run.changes


def small_variants() -> tuple[Instance, dict[str, tuple[ModelVariant, ...]]]:
    profiles = {
        name: replace(SPONGE_REFIT, gamma=gamma, epsilon=epsilon).profile(name, (1, 2), (1, 4))
        for name, gamma, epsilon in (("s", 0.01, 0.01), ("m", 0.03, 0.05), ("l", 0.06, 0.08), ("xl", 0.09, 0.2))
    }
    graph = nx.DiGraph([("a", "b")])
    graph.nodes["a"].update(model="s", join="all")
    graph.nodes["b"].update(model="s", join="all")
    instance = core_instance("variants", profiles, Pipeline("variants", 12.0, 0.7, graph))
    variants = tuple(ModelVariant(name, share) for name, share in (("s", 0.5), ("m", 0.7), ("l", 0.8), ("xl", 0.9)))
    return instance, {"a": variants, "b": variants}


def all_choices() -> list[tuple[float, float]]:
    """(accuracy, cost) of every choice, each planned by brute force."""
    instance, variants = small_variants()
    found = []
    for a, b in product(variants["a"], variants["b"]):
        graph = instance.pipelines[0].graph.copy()
        graph.nodes["a"]["model"], graph.nodes["b"]["model"] = a.model, b.model
        chosen = replace(instance, pipelines=(replace(instance.pipelines[0], graph=graph),))
        result = solve_brute_force(chosen, Billing.WHOLE, Dispatch.TC)
        if result.objective is not None:
            found.append((a.accuracy * b.accuracy, result.objective))
    return found


def exact(instance: Instance):
    return solve_exact(instance, Billing.WHOLE, Dispatch.TC)


def test_the_accuracy_frontier_is_that_of_the_brute_force():
    instance, variants = small_variants()
    points = all_choices()
    expected = sorted(
        {
            (accuracy, cost)
            for accuracy, cost in points
            if not any(a >= accuracy and c <= cost and (a, c) != (accuracy, cost) for a, c in points)
        }
    )
    found = accuracy_frontier(instance, variants, exact)
    assert [(point.accuracy, point.plan.cost) for point in found] == expected
    assert len(expected) > 2
