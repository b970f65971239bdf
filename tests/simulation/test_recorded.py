"""Plans for recorded traces: in time for every request, as cheap as any rate allows, late where the burst is larger."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np
import pytest

import harpagon
from harpagon.formulations.checker import check
from harpagon.instances.errors import InputError
from harpagon.instances.files.plans import plan_document, plan_from_document
from harpagon.instances.instance import Configuration, Hardware, Instance, Pipeline
from harpagon.instances.library.shipped import resolve
from harpagon.instances.policies import Billing, Dispatch
from harpagon.simulation.arrivals.processes import CountArrivals, GammaArrivals, ModulatedArrivals, TraceArrivals
from harpagon.simulation.recorded import plan_for_trace, trace_burst
from harpagon.solvers.capabilities import UnsupportedError
from harpagon.solvers.certificates import certificate
from harpagon.solvers.methods import solve
from harpagon.solvers.result import Termination

if TYPE_CHECKING:
    from harpagon.simulation.arrivals.processes import Arrivals
    from harpagon.simulation.report import PipelineReport
    from harpagon.solvers.result import Result


def chain(limit: int | None = None, slo: float = 0.9) -> Instance:
    """Two modules, two types; ``limit`` machines of the quick one."""
    graph = nx.DiGraph()
    graph.add_node("a", model="m")
    graph.add_node("b", model="m")
    graph.add_edge("a", "b", fanout=1.5)
    hardware = {"fast": Hardware("fast", 3.0, limit), "slow": Hardware("slow", 1.0)}
    profile = [Configuration("fast", b, d, 3.0) for b, d in ((1, 0.02), (8, 0.08))]
    profile += [Configuration("slow", b, d, 1.0) for b, d in ((1, 0.07), (8, 0.3))]
    return Instance("chain", Billing.WHOLE, hardware, {"m": profile}, [Pipeline("p", 30.0, slo, graph)])


def recorded(process: Arrivals, seed: int, rate: float = 30.0, seconds: float = 20.0) -> TraceArrivals:
    times = np.concatenate(list(process.times(rate, seconds, np.random.default_rng(seed))))
    return TraceArrivals(f"trace {seed}", times)


def run(instance: Instance, result: Result, trace: Arrivals) -> PipelineReport:
    assert result.plan is not None
    return harpagon.simulate(instance, result.plan, trace, duration=30.0).pipelines[0]


def at_rate(instance: Instance, trace: Arrivals, rate: float) -> float:
    """Least cost where one plans for this rate and the burst that the trace has at it."""
    (pipeline,) = instance.pipelines
    slo = pipeline.slo - (trace_burst(trace, rate) - 1) / rate
    if slo <= 0:
        return float("inf")
    steady = replace(instance, pipelines=(replace(pipeline, rate=rate, slo=slo),))
    plan = solve(steady, "exact", Billing.WHOLE, Dispatch.PACED).plan
    return float("inf") if plan is None else plan.cost


@pytest.mark.parametrize(
    ("process", "limit"),
    [(GammaArrivals(), None), (GammaArrivals(2.0), None), (ModulatedArrivals(3, 0.2, 2), None), (GammaArrivals(), 3)],
    ids=str,
)
def test_no_request_of_the_trace_is_late_and_no_rate_is_cheaper(process: Arrivals, limit: int | None) -> None:
    instance, trace = chain(limit), recorded(process, 1)
    result = plan_for_trace(instance, trace)
    assert result.termination is Termination.OPTIMAL
    assert result.plan is not None
    assert check(instance, result.plan).ok
    report = run(instance, result, trace)
    assert report.promised
    assert report.late == report.violations == 0
    assert report.latency.count > 0
    costs = [at_rate(instance, trace, rate) for rate in np.geomspace(10, 300, 40)]
    assert result.plan.cost <= min(costs) * (1 + 1e-9)


def test_a_trace_beyond_the_burst_is_late() -> None:
    instance = chain()
    result = plan_for_trace(instance, recorded(GammaArrivals(), 1))
    report = run(instance, result, recorded(ModulatedArrivals(6, 0.1, 3), 2))
    assert not report.promised
    assert report.violations > 0


def test_even_requests_are_planned_for_their_rate() -> None:
    """A trace without bursts costs what its rate costs."""
    instance = resolve("traffic-198rps")
    result = plan_for_trace(instance, CountArrivals("steady", np.full(20, 198)))
    steady = solve(instance, "exact", Billing.WHOLE, Dispatch.PACED)
    assert result.plan is not None and steady.plan is not None
    assert result.plan.cost == pytest.approx(steady.plan.cost)


def test_more_requests_at_once_never_cost_less() -> None:
    instance = chain()
    costs = []
    for together in (1, 4, 12):
        result = plan_for_trace(instance, TraceArrivals("pulses", np.repeat(np.arange(20.0), together)))
        assert result.plan is not None
        assert run(instance, result, TraceArrivals("pulses", np.repeat(np.arange(20.0), together))).violations == 0
        costs.append(result.plan.cost)
    assert costs == sorted(costs)
    assert costs[0] < costs[-1]


def test_an_objective_that_no_machine_meets_has_no_plan() -> None:
    result = plan_for_trace(chain(slo=0.03), recorded(GammaArrivals(), 1))
    assert (result.plan, result.termination) == (None, Termination.INFEASIBLE)


def test_the_promise_goes_through_plan_files_and_is_checked() -> None:
    instance = chain()
    result = plan_for_trace(instance, recorded(GammaArrivals(), 1))
    assert result.plan is not None
    document = plan_document(result.plan, certificate(result))
    assert document["pipelines"][0]["promise"]["arrivals"] == "trace 1"
    read = plan_from_document(document, instance, "plan")
    assert read.pipelines[0].promise == result.plan.pipelines[0].promise
    assert check(instance, read).ok
    document["pipelines"][0]["promise"]["burst"] *= 2
    assert not check(instance, plan_from_document(document, instance, "plan")).ok


def test_what_is_no_trace_of_one_pipeline_is_refused() -> None:
    instance = chain()
    with pytest.raises(InputError, match="has no end"):
        plan_for_trace(instance, GammaArrivals())
    twin = replace(instance.pipelines[0], name="q")
    with pytest.raises(InputError, match="2 pipelines"):
        plan_for_trace(replace(instance, pipelines=(*instance.pipelines, twin)), recorded(GammaArrivals(), 1))
    with pytest.raises(UnsupportedError):
        plan_for_trace(instance, recorded(GammaArrivals(), 1), "harpagon")
    with pytest.raises(UnsupportedError, match="under edf dispatch"):
        harpagon.solve(instance, dispatch="edf", arrivals=recorded(GammaArrivals(), 1))
    with pytest.raises(InputError, match="plan to start from"):
        harpagon.solve(instance, arrivals=recorded(GammaArrivals(), 1), start=harpagon.solve(instance).plan)
