"""Plans in time: pacing, fan-out, joins, conservation."""

from __future__ import annotations

import json
import math
import tracemalloc
from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulation_cases import (
    LARGE,
    MIDDLE,
    ROUNDING,
    WORKED_SCHEDULE,
    covering_schedules,
    pipeline_plan,
)

from harpagon.graphs import propagate_rates
from harpagon.instances.errors import InputError
from harpagon.instances.instance import Instance
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Dispatch
from harpagon.simulation import simulate
from harpagon.simulation.arrivals.processes import CountArrivals, GammaArrivals, TraceArrivals
from harpagon.simulation.document import simulation_document
from harpagon.solvers.methods import solve

SAFE = (Dispatch.TC_SAFE, Dispatch.EDF)


def chain(*fanouts: float) -> nx.DiGraph:
    graph = nx.DiGraph()
    graph.add_node("m0")
    for number, fanout in enumerate(fanouts):
        graph.add_edge(f"m{number}", f"m{number + 1}", fanout=fanout, transfer=0.01)
    return graph


def diamond(left: float, right: float, join: str) -> nx.DiGraph:
    graph = nx.DiGraph()
    graph.add_node("sink", join=join)
    graph.add_edge("source", "left", fanout=left, transfer=0.0)
    graph.add_edge("source", "right", fanout=right, transfer=0.002)
    graph.add_edge("left", "sink", fanout=1.0, transfer=0.0)
    graph.add_edge("right", "sink", fanout=1.0, transfer=0.0)
    return graph


def test_a_plan_that_cannot_be_run_is_refused(worked_example: Instance) -> None:
    plan = solve(worked_example, dispatch=Dispatch.TC).plan
    assert plan is not None
    (pipeline,) = plan.pipelines
    (name,) = pipeline.modules
    module = pipeline.modules[name]
    faster = tuple(replace(part, rate=part.rate * 10) for part in module.tuples)
    for pipelines, message in (
        ((), "leaves pipeline example out"),
        ((replace(pipeline, modules={}),), "gives this module no machines"),
        ((replace(pipeline, modules={name: replace(module, tuples=(), tuple_latencies=())}),), "no machines"),
        (
            (replace(pipeline, modules={name: replace(module, tuples=faster)}),),
            "claims 2000 req/s, its machines do 200",
        ),
    ):
        with pytest.raises(InputError, match=message):
            simulate(worked_example, replace(plan, pipelines=pipelines), duration=1.0)


@settings(max_examples=40, deadline=None)
@given(st.data(), st.sampled_from(SAFE), st.floats(20.0, 400.0), st.booleans())
def test_paced_pipelines_keep_the_sum_of_their_bounds(
    data: st.DataObject, dispatch: Dispatch, rate: float, exact: bool
) -> None:
    fanouts = st.sampled_from([1.0, 1.0, 0.5, 0.3, 1.4, 2.0])
    graph = data.draw(
        st.one_of(
            st.builds(chain, fanouts),
            st.builds(chain, fanouts, fanouts),
            st.builds(diamond, fanouts, fanouts, st.sampled_from(["all", "any"])),
        )
    )
    schedules = {name: data.draw(covering_schedules(r, exact)) for name, r in propagate_rates(graph, rate).items()}
    instance, plan = pipeline_plan(graph, rate, schedules, dispatch)
    report = simulate(instance, plan, duration=4_000 / rate).pipelines[0]
    for module in report.modules:
        for part in module.tuples:
            assert part.maximum <= part.bound + part.allowance + ROUNDING
    assert report.latency.maximum <= report.bound + report.allowance + ROUNDING


def test_exact_chains_need_no_allowance() -> None:
    """Evenly spaced arrivals that fill every batch: no interval term, through one module after the other."""
    instance, plan = pipeline_plan(
        chain(1.0, 1.0), 198.0, dict.fromkeys(("m0", "m1", "m2"), WORKED_SCHEDULE), Dispatch.EDF
    )
    report = simulate(instance, plan, duration=500.0).pipelines[0]
    assert report.allowance == pytest.approx(0.0, abs=1e-12)
    assert report.latency.maximum <= report.bound + ROUNDING


def test_unpaced_chains_break_the_bound() -> None:
    """Bursts of whole batches: what pacing is for."""
    schedules = {"m0": (DispatchTuple.full(LARGE, 5),), "m1": WORKED_SCHEDULE, "m2": WORKED_SCHEDULE}
    instance, plan = pipeline_plan(chain(1.0, 1.0), 198.0, schedules, Dispatch.TC)
    unpaced = simulate(instance, plan, duration=500.0, paced=False).pipelines[0]
    assert max(module.latency.maximum - module.bound for module in unpaced.modules[1:]) > 0.2


@settings(max_examples=25, deadline=None)
@given(st.data(), st.sampled_from(list(Dispatch)), st.booleans(), st.integers(0, 99))
def test_every_arrival_is_finished_or_in_flight(
    data: st.DataObject, dispatch: Dispatch, random_fanout: bool, seed: int
) -> None:
    fanouts = st.sampled_from([1.0, 0.5, 1.4])
    graph = data.draw(st.one_of(st.builds(chain, fanouts), st.builds(diamond, fanouts, fanouts, st.just("any"))))
    rates = propagate_rates(graph, 100.0)
    schedules = {name: data.draw(covering_schedules(1.2 * r, False)) for name, r in rates.items()}
    instance, plan = pipeline_plan(graph, 100.0, schedules, dispatch)
    report = simulate(instance, plan, GammaArrivals(), duration=20.0, seed=seed, random_fanout=random_fanout).pipelines[
        0
    ]
    for module in report.modules:
        assert module.finished == module.latency.count == sum(part.requests for part in module.tuples)
        assert 0 <= module.in_flight <= module.arrived
    source, sink = report.modules[0], report.modules[-1]
    assert source.arrived == report.arrived
    assert report.latency.count <= sink.finished


@pytest.mark.parametrize("random_fanout", [False, True])
@pytest.mark.parametrize("join", ["all", "any"])
def test_joins_bring_the_planned_rate(join: str, random_fanout: bool) -> None:
    graph = diamond(1.4, 0.7, join)
    rates = propagate_rates(graph, 100.0)
    schedules = {name: (DispatchTuple.full(MIDDLE, math.ceil(rate * 1.5 / 32)),) for name, rate in rates.items()}
    instance, plan = pipeline_plan(graph, 100.0, schedules, Dispatch.EDF)
    report = simulate(instance, plan, duration=400.0, random_fanout=random_fanout).pipelines[0]
    for module in report.modules:
        exact = rates[module.name] * 400
        if not random_fanout:
            assert module.arrived == pytest.approx(exact, rel=0.005)
        elif module.name != "sink" or join == "any":
            assert module.arrived == pytest.approx(exact, rel=0.03)
        else:
            assert exact * 0.97 < module.arrived < (1.4 + 0.7) * 100 * 400


def test_one_seed_one_run() -> None:
    schedules = dict.fromkeys(("m0", "m1"), WORKED_SCHEDULE)
    instance, plan = pipeline_plan(chain(1.0), 150.0, schedules, Dispatch.EDF)
    first, again, other = (simulate(instance, plan, GammaArrivals(), duration=50.0, seed=seed) for seed in (3, 3, 4))
    assert first == again
    assert first.pipelines[0].latency != other.pipelines[0].latency


def test_an_idle_tuple_is_reported() -> None:
    """The foremost tuple has a batch open at every full second, and only then requests come."""
    schedules = {"m0": (DispatchTuple.full(LARGE, 5), DispatchTuple.full(MIDDLE, 1))}
    instance, plan = pipeline_plan(chain(), 1.0, schedules, Dispatch.TC_SAFE)
    report = simulate(instance, plan, duration=60.0)
    idle = report.pipelines[0].modules[0].tuples[1]
    assert (idle.requests, idle.maximum, idle.utilisation) == (0, 0.0, 0.0)
    json.dumps(simulation_document(report), allow_nan=False)


def test_traces_are_replayed() -> None:
    schedules = {"m0": (DispatchTuple.full(MIDDLE, 4),)}
    instance, plan = pipeline_plan(chain(), 100.0, schedules, Dispatch.EDF)
    recorded = np.array([0.0, 0.0, 0.5, 3.25])
    report = simulate(instance, plan, TraceArrivals("trace", recorded), duration=10.0).pipelines[0]
    assert (report.arrived, report.latency.count) == (4, 4)
    counted = simulate(instance, plan, CountArrivals("counts", np.array([5, 0, 7])), duration=10.0).pipelines[0]
    assert (counted.arrived, counted.latency.count) == (12, 12)


def test_a_long_run_needs_no_more_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harpagon.simulation.arrivals.processes.CHUNK", 2_000)
    instance, plan = pipeline_plan(chain(1.0), 198.0, dict.fromkeys(("m0", "m1"), WORKED_SCHEDULE), Dispatch.EDF)
    peaks = []
    for duration in (100.0, 500.0):
        tracemalloc.start()
        simulate(instance, plan, duration=duration)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]
