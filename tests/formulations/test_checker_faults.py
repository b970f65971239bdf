"""The checker: every rule that a plan can break, broken alone, and the words for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import networkx as nx
import pytest

from harpagon.formulations.assembly import assemble_plan, plan_pipeline
from harpagon.formulations.checker import check
from harpagon.formulations.problem import pipeline_problems
from harpagon.instances.instance import Configuration, Hardware, Instance, Pipeline
from harpagon.instances.plan import DispatchTuple, Plan
from harpagon.instances.policies import Billing, Dispatch

if TYPE_CHECKING:
    from collections.abc import Sequence

LARGE, SMALL, STRANGE = (Configuration("gpu", b, d, 1.0) for b, d in ((8, 0.1), (1, 0.05), (4, 0.1)))
SCHEDULES = ([DispatchTuple.full(LARGE, 1), DispatchTuple.full(SMALL, 1)], [DispatchTuple.full(LARGE, 1)])
FIRST, SECOND, PIPELINE = "pipelines.p.modules.a", "pipelines.p.modules.b", "pipelines.p"


def instance(limit: int = 3, slo: float = 0.5) -> Instance:
    """100 req/s through a, 75 of them through b."""
    graph = nx.DiGraph()
    graph.add_edge("a", "b", fanout=0.75, transfer=0.01)
    nx.set_node_attributes(graph, "model", "model")
    nx.set_node_attributes(graph, "all", "join")
    hardware = {"gpu": Hardware("gpu", 1.0, limit)}
    return Instance("i", Billing.WHOLE, hardware, {"model": (LARGE, SMALL)}, (Pipeline("p", 100.0, slo, graph),))


def plan(schedules: Sequence[Sequence[DispatchTuple]] = SCHEDULES, billing: Billing = Billing.WHOLE) -> Plan:
    """The plan with these schedules; all that it claims is true."""
    (problem,) = pipeline_problems(instance())
    return assemble_plan(instance(), billing, Dispatch.TC, [plan_pipeline(problem, schedules, Dispatch.TC)])


def of_module(name: str, **changes: Any) -> Callable[[Plan], Plan]:
    """What changes claims of one module."""

    def changed(found: Plan) -> Plan:
        (pipeline,) = found.pipelines
        modules = dict(pipeline.modules)
        modules[name] = replace(modules[name], **changes)
        return replace(found, pipelines=(replace(pipeline, modules=modules),))

    return changed


def without(name: str) -> Callable[[Plan], Plan]:
    """What leaves a module out."""

    def changed(found: Plan) -> Plan:
        (pipeline,) = found.pipelines
        modules = {key: module for key, module in pipeline.modules.items() if key != name}
        return replace(found, pipelines=(replace(pipeline, modules=modules),))

    return changed


def faults(found: Plan, given: Instance | None = None) -> list[str]:
    return [str(violation) for violation in check(given or instance(), found).violations]


def test_a_true_plan_has_no_fault_and_its_figures_are_recomputed() -> None:
    report = check(instance(), plan())
    assert report.ok
    assert report.cost == pytest.approx(3.0)
    assert report.latencies == {"p": pytest.approx(0.18 + 0.01 + 0.2)}
    assert check(instance(slo=0.39), plan()).ok
    assert faults(plan(), instance(slo=0.389)) == [
        f"{PIPELINE}: path a -> b takes 390 ms, the SLO is 389 ms",
    ]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda found: replace(found, cost=3.1), ["cost_per_hour: claims cost_per_hour 3.1, recomputed 3"]),
        (lambda found: replace(found, cost=2.9), ["cost_per_hour: claims cost_per_hour 2.9, recomputed 3"]),
        (
            lambda found: replace(found, instance_digest="sha256:0"),
            ["instance_digest: the plan was made for an instance with other figures"],
        ),
        (of_module("a", cost=1.9), [f"{FIRST}: claims cost_per_hour 1.9, recomputed 2"]),
        (of_module("a", rate=101.0), [f"{FIRST}: claims rate_rps 101, recomputed 100"]),
        (of_module("b", dummy_rate=6.0), [f"{SECOND}: claims dummy_rps 6, recomputed 5"]),
        (of_module("b", latency=0.21), [f"{SECOND}: claims latency_ms 210, recomputed 200"]),
        (of_module("b", tuple_latencies=(0.19,)), [f"{SECOND}: tuples[0]: claims latency_ms 190, recomputed 200"]),
        (
            lambda found: replace(found, pipelines=(replace(found.pipelines[0], latency=0.38),)),
            [f"{PIPELINE}: claims latency_ms 380, recomputed 390"],
        ),
        (
            lambda found: replace(found, pipelines=()),
            [f"{PIPELINE}: the plan leaves this pipeline out", "cost_per_hour: claims cost_per_hour 3, recomputed 0"],
        ),
        (
            lambda found: replace(found, pipelines=(*found.pipelines, replace(found.pipelines[0], name="q"))),
            [
                "pipelines.q: the instance has no pipeline of this name",
                "hardware.gpu: 6 machines in use, the limit is 3",
                "cost_per_hour: claims cost_per_hour 3, recomputed 6",
            ],
        ),
    ],
)
def test_one_false_claim_is_one_fault(change: Callable[[Plan], Plan], expected: list[str]) -> None:
    assert faults(change(plan())) == expected


@pytest.mark.parametrize("change", [without("b"), of_module("b", tuples=(), tuple_latencies=())])
def test_a_module_without_machines(change: Callable[[Plan], Plan]) -> None:
    found = faults(change(plan()))
    assert f"{SECOND}: the plan gives this module no machines" in found
    assert any("path a -> b takes inf ms" in fault for fault in found)


def test_a_module_that_the_pipeline_does_not_have() -> None:
    (pipeline,) = plan().pipelines
    modules = {**pipeline.modules, "c": pipeline.modules["b"]}
    found = faults(replace(plan(), pipelines=(replace(pipeline, modules=modules),)))
    assert "pipelines.p.modules.c: the pipeline has no module of this name" in found


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ([DispatchTuple.full(STRANGE, 3)], "gpu b=4 is not in the profile of this module's model"),
        ([DispatchTuple.full(LARGE, 1)], "too little capacity: 80 req/s for 100 that arrive"),
        ([DispatchTuple.full(LARGE, 1), DispatchTuple.full(LARGE, 1)], "gpu b=8 stands in 2 full tuples: join them"),
        ([DispatchTuple(LARGE, 1, 90.0), DispatchTuple.full(SMALL, 1)], "gpu b=8 claims 90 req/s, its machines do"),
        ([DispatchTuple(LARGE, 1.5, 120.0)], "gpu b=8 has 1.5 machines: a whole number, or a fraction below one"),
        ([DispatchTuple.full(LARGE, 1), DispatchTuple.residual(SMALL, 5.0)], "a fraction of a machine under whole"),
        ([DispatchTuple.residual(SMALL, 19.0), DispatchTuple.full(LARGE, 1)], "the residual does not stand last"),
        ([DispatchTuple.residual(SMALL, 10.0)] * 2, "more than one residual"),
    ],
)
def test_schedules_that_are_none(schedule: list[DispatchTuple], expected: str) -> None:
    found = faults(plan([schedule, SCHEDULES[1]]))
    assert any(fault.startswith(f"{FIRST}: {expected}") for fault in found), found


def test_a_residual_takes_the_rest_in_fractional_billing() -> None:
    schedule = [DispatchTuple.full(LARGE, 1), DispatchTuple.residual(SMALL, 20.0 * (1 - 1e-12))]
    assert faults(plan([schedule, SCHEDULES[1]], Billing.FRACTIONAL)) == []
    short = [DispatchTuple.full(LARGE, 1), DispatchTuple.residual(SMALL, 19.9)]
    assert faults(plan([short, SCHEDULES[1]], Billing.FRACTIONAL)) == [
        f"{FIRST}: too little capacity: 99.9 req/s for 100 that arrive"
    ]


def test_a_limit_binds_at_its_count() -> None:
    assert faults(plan(), instance(limit=2)) == ["hardware.gpu: 3 machines in use, the limit is 2"]


def test_headroom_is_in_the_rates() -> None:
    assert faults(replace(plan(), headroom=0.01))[0].startswith(f"{FIRST}: too little capacity: 100 req/s for 101")


def test_machines_much_faster_than_a_plan_was_made_with() -> None:
    """A rate of less than half a machine's rounds to no machine at work."""
    quick = Configuration("gpu", LARGE.batch, LARGE.duration / 1e3, 1.0)
    (problem,) = pipeline_problems(instance())
    schedules = [[DispatchTuple.full(LARGE, 2)], [DispatchTuple.full(LARGE, 1)]]
    slow = assemble_plan(instance(), Billing.WHOLE, Dispatch.PACED, [plan_pipeline(problem, schedules, Dispatch.PACED)])
    assert f"{FIRST}: {quick} claims 160 req/s, its machines do something else" in faults(
        of_module("a", tuples=(DispatchTuple(quick, 2, 160.0),))(slow)
    )
