"""The engine: no request is lost, drop policies keep their word, machines are paid for as long as they live."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harpagon.instances.instance import Configuration, Pipeline
from harpagon.simulation.flow.drop import Drop
from harpagon.simulation.flow.fleet import Fleet
from harpagon.simulation.flow.order import Order
from harpagon.simulation.flow.server import Server
from harpagon.simulation.slopt.durations import batch_durations
from harpagon.simulation.slopt.engine import Assignment, Execution
from harpagon.simulation.slopt.estimation import ForecastErrors, dispersion, trend_forecast
from harpagon.simulation.slopt.workload import GENERATORS, generate_workload

_PROFILE = tuple(Configuration("gpu", b, d, 1.0) for b, d in ((1, 0.02), (4, 0.05), (8, 0.08)))


@st.composite
def _pipelines(draw: st.DrawFn) -> Pipeline:
    """Random DAGs of up to five modules, with joins of both kinds, fan-outs and transfer times."""
    size = draw(st.integers(1, 5))
    graph = nx.DiGraph()
    for head in range(size):
        graph.add_node(f"m{head}", model="model", join=draw(st.sampled_from(["all", "any"])))
        for tail in range(head):
            if draw(st.booleans()):
                fanout = draw(st.sampled_from([0.3, 1.0, 1.7]))
                graph.add_edge(f"m{tail}", f"m{head}", fanout=fanout, transfer=draw(st.sampled_from([0.0, 0.01])))
    return Pipeline("random", 50.0, draw(st.sampled_from([0.15, 0.4, 2.0])), graph)


def _execution(
    pipeline: Pipeline, seed: int, drop: Drop, paced: bool, rate: float = 60.0, order: Order = Order.ARRIVAL
) -> Execution:
    generator = np.random.default_rng(seed)
    arrivals = np.sort(generator.uniform(0.0, 3.0, generator.poisson(3.0 * rate)))
    size = len(pipeline.graph)
    assignments = [Assignment(_PROFILE[int(generator.integers(0, 3))], 1, 0.1) for _ in range(size)]
    fanouts = np.random.default_rng(seed)
    return Execution(pipeline, assignments, [_PROFILE] * size, arrivals, np.ones(3), drop, paced, 0.2, fanouts, order)


@settings(max_examples=60, deadline=None)
@given(
    _pipelines(), st.integers(0, 1000), st.sampled_from(list(Drop)), st.sampled_from(list(Order)), st.integers(1, 40)
)
def test_every_request_is_finished_dropped_or_in_flight(
    pipeline: Pipeline, seed: int, drop: Drop, order: Order, periods: int
) -> None:
    execution = _execution(pipeline, seed, drop, paced=bool(seed % 2), order=order)
    generator = np.random.default_rng(seed + 1)
    observed = []
    for k in range(1, periods + 1):
        observed.append(execution.step(k * 0.25))
        for server in execution.servers:
            server.fleet.resize(k * 0.25, int(generator.integers(1, 4)))
    finished, dropped = np.isfinite(execution.closings.finish), np.isfinite(execution.dropped_at)
    assert not np.any(finished & dropped)
    late = execution.closings.finish[finished] - execution.arrivals[finished] > pipeline.slo
    assert sum(observation.dropped for observation in observed) == dropped.sum()
    assert sum(observation.ended for observation in observed) == finished.sum() + dropped.sum()
    assert sum(observation.missed for observation in observed) == late.sum() + dropped.sum()
    assert not np.any(execution.closings.finish < execution.arrivals)
    for server in execution.servers:
        assert server.arrived == server.finished + server.dropped + server.waiting
        assert server.waiting >= 0
    if drop is Drop.NONE:
        assert not dropped.any()


@settings(max_examples=30, deadline=None)
@given(_pipelines(), st.integers(0, 1000), st.sampled_from(list(Drop)))
def test_nothing_is_left_in_flight_when_the_run_goes_on(pipeline: Pipeline, seed: int, drop: Drop) -> None:
    execution = _execution(pipeline, seed, drop, paced=False, rate=20.0)
    for k in range(1, 60):
        execution.step(float(k))
    assert np.all(np.isfinite(execution.closings.finish) | np.isfinite(execution.dropped_at))
    assert all(server.waiting == 0 for server in execution.servers)


def test_the_length_of_a_control_period_changes_nothing() -> None:
    graph = nx.DiGraph()
    graph.add_edge("a", "b", fanout=1.0, transfer=0.0)
    graph.add_edge("a", "c", fanout=1.0, transfer=0.01)
    graph.add_edge("b", "d", fanout=1.0, transfer=0.0)
    graph.add_edge("c", "d", fanout=1.0, transfer=0.0)
    nx.set_node_attributes(graph, "model", "model")
    pipeline = Pipeline("diamond", 50.0, 1.0, graph)
    coarse, fine = (_execution(pipeline, 4, Drop.NONE, paced=False) for _ in range(2))
    coarse.step(30.0)
    for k in range(1, 301):
        fine.step(k / 10)
    assert np.allclose(coarse.closings.finish, fine.closings.finish)


def test_a_changed_fan_out_is_that_of_the_sources_alone_and_is_measured_period_by_period() -> None:
    graph = nx.DiGraph([("a", "b"), ("b", "c")])
    nx.set_node_attributes(graph, "model", "model")
    arrivals = np.linspace(0.0, 3.9, 400)
    assignments = [Assignment(_PROFILE[0], 20, 0.1)] * 3
    pipeline, factors = Pipeline("chain", 100.0, 9.0, graph), np.array([3.0, 3.0, 1.0, 1.0])
    execution = Execution(
        pipeline, assignments, [_PROFILE] * 3, arrivals, factors, Drop.NONE, False, 0.2, np.random.default_rng(3)
    )
    observed = [execution.step(float(k)).fanouts for k in range(1, 5)]
    assert [fanouts["b", "c"] for fanouts in observed] == [1.0] * 4
    assert [fanouts["a", "b"] for fanouts in observed] == [pytest.approx(3, abs=0.6)] * 2 + [1.0] * 2


def _queue(times: list[float], machines: int = 1, drop: Drop = Drop.NONE, slo: float = 10.0) -> Server:
    deadlines = [time + slo for time in times]
    server = Server(Fleet(machines, 0.0), batch_durations(_PROFILE[1], _PROFILE), drop, deadlines)
    server.arrive(np.array(times), np.arange(len(times)))
    return server


@pytest.mark.parametrize("machines", [1, 2])
def test_a_full_batch_starts_at_once_and_a_due_one_when_its_time_is_up(machines: int) -> None:
    outcome = _queue([0.0, 0.001, 0.002, 0.003, 0.2], machines).run(10.0)
    assert outcome.finished[:4] == pytest.approx([0.053] * 4)
    assert outcome.finished[4] == pytest.approx(0.2 + 0.05 / machines + 0.02)


def test_requests_leave_the_queue_in_the_order_of_arrival() -> None:
    times = sorted(np.random.default_rng(1).uniform(0, 1, 200).tolist())
    outcome = _queue(times, machines=2).run(100.0)
    assert outcome.roots.tolist() == list(range(200))
    assert np.all(np.diff(outcome.finished) >= -0.05)


_slacks = st.lists(st.floats(-0.2, 1.0), min_size=1, max_size=16)


@given(_slacks, st.floats(0.0, 0.3))
def test_what_adaptive_drop_keeps_is_in_time_and_never_less_than_any_part_of_the_batch(
    slacks: list[float], ahead: float
) -> None:
    durations = batch_durations(_PROFILE[2], _PROFILE)
    kept, dropped = Drop.ADAPTIVE.choose(slacks, durations, ahead)
    assert all(slacks[i] >= durations[len(kept)] + ahead for i in kept)
    assert not set(kept) & set(dropped)
    seen = sorted(kept + dropped)
    assert seen == list(range(len(seen)))
    batch = [slacks[i] for i in seen if slacks[i] >= durations[1] + ahead]
    best = max((k for k in range(9) if sum(s >= durations[k] + ahead for s in batch) >= k), default=0)
    assert len(kept) == best


@given(_slacks, st.floats(0.0, 0.3))
def test_policies_drop_more_the_further_they_look(slacks: list[float], ahead: float) -> None:
    durations = batch_durations(_PROFILE[2], _PROFILE)
    slacks = slacks[:8]
    dropped = [set(policy.choose(slacks, durations, ahead)[1]) for policy in (Drop.LATE, Drop.EARLY, Drop.PROACTIVE)]
    assert dropped[0] <= dropped[1] <= dropped[2]
    assert Drop.NONE.choose(slacks, durations, ahead)[1] == []
    assert len(Drop.ADAPTIVE.choose(slacks, durations, ahead)[0]) >= len(slacks) - len(dropped[2])


@given(st.lists(st.tuples(st.floats(0.1, 3.0), st.integers(0, 6)), max_size=8), st.floats(0.0, 2.0))
def test_idle_machines_are_paid_from_start_to_retirement(changes: list[tuple[float, int]], startup: float) -> None:
    fleet, now, area, started = Fleet(3, 0.0), 0.0, 0.0, 0
    for wait, machines in changes:
        area += wait * len(fleet)
        now += wait
        started += max(0, machines - len(fleet))
        fleet.resize(now, machines)
        assert len(fleet) == machines
    assert fleet.paid_until(now) == pytest.approx(area)
    assert fleet.started == started
    waiting = Fleet(0, startup)
    waiting.resize(1.0, 1)
    assert waiting.free[0] == pytest.approx(1.0 + startup)


def test_the_machines_that_retire_are_those_with_the_least_or_the_most_left() -> None:
    for busiest, left in ((False, [5.0, 9.0]), (True, [1.0, 5.0])):
        fleet = Fleet(3, 0.0)
        for finish in (9.0, 1.0, 5.0):
            fleet.occupy(finish)
        fleet.resize(2.0, 2, busiest=busiest)
        assert sorted(fleet.free) == left
    assert fleet.paid == 9.0


def test_a_machine_restarts_once_its_batch_is_done() -> None:
    fleet = Fleet(1, 10.0)
    fleet.occupy(3.0)
    assert fleet.restart(2.0) == 13.0
    assert fleet.restart(20.0) == 30.0


def test_partial_batches_take_no_longer_than_larger_ones_and_the_full_one_its_profiled_time() -> None:
    uneven = (*_PROFILE[:2], Configuration("gpu", 8, 0.045, 1.0))
    durations = batch_durations(uneven[2], uneven)
    assert durations[-1] == 0.045
    assert durations == sorted(durations)


@pytest.mark.parametrize("name", sorted(GENERATORS))
def test_a_seed_gives_one_trace_and_another_seed_another(name: str) -> None:
    first, again, other = (generate_workload(name, 100.0, 60, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.rates, again.rates)
    assert not (np.array_equal(first.rates, other.rates) and np.array_equal(first.fanout_factors, other.fanout_factors))
    assert first.rates.min() >= 0
    arrivals = first.arrivals(np.random.default_rng(0))
    assert arrivals.size == pytest.approx(first.rates.sum(), rel=0.1)
    assert np.all(np.diff(arrivals) >= 0)
    assert arrivals[-1] < 60


def test_a_trend_is_followed_and_a_constant_is_kept() -> None:
    assert trend_forecast([5.0] * 20, 4.0) == pytest.approx(5.0)
    ramp = [float(10 * k) for k in range(40)]
    assert ramp[-1] < trend_forecast(ramp, 3.0) <= ramp[-1] + 30.0


def test_forecast_errors_become_a_margin_after_the_lead_has_passed() -> None:
    errors = ForecastErrors(2)
    errors.observe(100.0, 100.0)
    errors.observe(150.0, 100.0)
    assert errors.margin == 0.0
    errors.observe(150.0, 150.0)
    assert errors.margin == pytest.approx(0.5)


def test_dispersion_tells_bursts_from_a_poisson_process() -> None:
    generator = np.random.default_rng(0)
    poisson = np.sort(generator.uniform(0, 10, 5000))
    bursts = np.repeat(np.sort(generator.uniform(0, 10, 500)), 10)
    assert dispersion(poisson, 0.0, 10.0) < 2.0
    assert dispersion(bursts, 0.0, 10.0) > 5.0
