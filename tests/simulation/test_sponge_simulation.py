"""Sponge in time: the link, the queue, the scalers."""

from __future__ import annotations

import math
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harpagon.formulations.sponge.core_latency import SPONGE_REFIT
from harpagon.instances.cpu.profile import CoreProfile
from harpagon.instances.errors import InputError
from harpagon.simulation.flow.order import Order
from harpagon.simulation.sponge.bandwidth import (
    HIGHEST,
    LOWEST,
    MEAN,
    TRACE_SECONDS,
    BandwidthTrace,
    read_bandwidth_trace,
    synthetic_bandwidth,
)
from harpagon.simulation.sponge.planner import IntervalPlanner, Observation
from harpagon.simulation.sponge.registry import SCALERS, default_scalers, make_scaler
from harpagon.simulation.sponge.requests import Sending, SentRequest, send_requests
from harpagon.simulation.sponge.run import run_scaler
from harpagon.simulation.sponge.scalers import RestartScaler, SpongeScaler, StaticScaler
from harpagon.simulation.sponge.server import Containers, DurationTable

YOLO = SPONGE_REFIT.profile("yolo", range(1, 17), range(1, 17))
STEADY = BandwidthTrace((0.0,), (MEAN,))
NAMES = [*(name for name in SCALERS if name != "static-N"), "static-8"]


def test_the_synthetic_link_has_the_published_range_and_mean():
    for seed in range(3):
        rates = synthetic_bandwidth(seed).rates
        assert len(rates) == TRACE_SECONDS
        assert (min(rates), max(rates)) == pytest.approx((LOWEST, HIGHEST))
        assert fmean(rates) == pytest.approx(MEAN, rel=1e-6)
    assert synthetic_bandwidth(1) == synthetic_bandwidth(1)
    assert synthetic_bandwidth(1) != synthetic_bandwidth(2)


@pytest.mark.parametrize(("size", "published"), [(100e3, 0.963), (200e3, 0.927), (500e3, 0.819)])
def test_the_synthetic_link_leaves_the_published_mean_slo(size, published):
    left = [
        1 - fmean(request.communication for request in send_requests(synthetic_bandwidth(seed), 10, size, 1.0, 600))
        for seed in range(10)
    ]
    assert fmean(left) == pytest.approx(published, abs=0.02)


def test_a_later_request_can_arrive_first():
    trace = BandwidthTrace((0.0, 1.0), (1e5, 1e7))
    requests = send_requests(trace, 1.0, 1.5e5, 2.0, 2.0)
    assert [request.sent for request in requests] == [1.0, 0.0]
    assert requests[0].arrived == pytest.approx(1.015)


def test_poisson_sending_keeps_its_rate_and_its_seed():
    requests = send_requests(STEADY, 50.0, 1e5, 1.0, 200.0, Sending.POISSON, seed=3)
    assert len(requests) == pytest.approx(10_000, rel=0.05)
    assert requests == send_requests(STEADY, 50.0, 1e5, 1.0, 200.0, Sending.POISSON, seed=3)


def test_an_incomplete_batch_costs_the_next_profiled_size():
    table = DurationTable(CoreProfile("sparse", {(2, 1): 0.1, (2, 4): 0.3}))
    assert table.durations(2, 4) == [0.0, 0.1, 0.3, 0.3, 0.3]


def served(requests, profile, order, drop_late):
    """When one container that takes one request at a time is done with each; infinity where it is dropped."""
    containers = Containers(DurationTable(profile), order, drop_late, requests)
    containers.start(1, 1)
    containers.server.arrive(np.array([request.arrived for request in requests]), np.arange(len(requests)))
    outcome = containers.server.run(9.0)
    done = np.full(len(requests), np.inf)
    done[outcome.roots] = outcome.finished
    return done.tolist()


def is_late(request, done):
    return done > request.deadline


@pytest.mark.parametrize(("order", "late"), [(Order.DEADLINE, 0), (Order.ARRIVAL, 1)])
def test_earliest_deadline_first_saves_who_arrives_last(order, late):
    """Two wait while a batch of one runs: the one that came second is due first."""
    profile = CoreProfile("unit", {(1, 1): 1.0})
    arrivals = [SentRequest(0, 0.0, 1.0), SentRequest(0, 0.1, 9.0), SentRequest(0, 0.2, 2.0)]
    done = served(arrivals, profile, order, drop_late=False)
    assert sorted(done) == [1.0, 2.0, 3.0]
    assert sum(map(is_late, arrivals, done)) == late


def test_dropping_gives_up_only_what_is_late_anyway():
    profile = CoreProfile("unit", {(1, 1): 1.0})
    arrivals = [SentRequest(0, 0.0, 1.0), SentRequest(0, 0.0, 1.5), SentRequest(0, 0.0, 2.0)]
    for drop_late, late in ((True, 1), (False, 2)):
        assert sum(map(is_late, arrivals, served(arrivals, profile, Order.DEADLINE, drop_late))) == late


@pytest.mark.parametrize("name", NAMES)
def test_every_request_is_accounted_for_once(name):
    requests = send_requests(synthetic_bandwidth(4), 40.0, 500e3, 1.0, 60.0)
    run = run_scaler(make_scaler(name, YOLO, 1.0), requests, YOLO, 60.0, 40.0)
    assert sorted(id(outcome.request) for outcome in run.served) == sorted(map(id, requests))
    assert run.violations >= run.unavoidable
    assert len(run.records) == 60
    assert sum(record.violations for record in run.records) == run.violations
    assert all(outcome.done >= outcome.request.arrived for outcome in run.served)


@pytest.mark.parametrize("name", NAMES)
def test_a_steady_link_is_served_without_violations(name):
    requests = send_requests(STEADY, 40.0, 200e3, 1.0, 30.0)
    run = run_scaler(make_scaler(name, YOLO, 1.0), requests, YOLO, 30.0, 40.0)
    assert run.violations == 0


def test_static_cores_are_paid_every_second():
    requests = send_requests(STEADY, 5.0, 1e5, 1.0, 20.0)
    run = run_scaler(make_scaler("static-8", YOLO, 1.0), requests, YOLO, 20.0, 5.0)
    assert run.core_seconds == 8 * 20
    assert run.changes == 0


def dip() -> BandwidthTrace:
    """A link that is slow from second 20 to second 40."""
    return BandwidthTrace((0.0, 20.0, 40.0), (5e6, 0.75e6, 5e6))


def test_sponge_grows_in_the_dip_and_shrinks_after_it():
    requests = send_requests(dip(), 60.0, 500e3, 1.0, 60.0)
    run = run_scaler(make_scaler("sponge", YOLO, 1.0), requests, YOLO, 60.0, 60.0)
    cores = [record.cores for record in run.records]
    assert max(cores[22:40]) > cores[10]
    assert cores[50] == cores[10]


def test_a_restart_serves_nothing_while_it_lasts():
    """The same decisions in place and by restart: the restart loses what comes during its start-up."""
    requests = send_requests(dip(), 60.0, 500e3, 1.0, 60.0)
    planner = IntervalPlanner(YOLO, 1.0)
    in_place = run_scaler(SpongeScaler(planner), requests, YOLO, 60.0, 60.0)
    restart = run_scaler(RestartScaler(planner), requests, YOLO, 60.0, 60.0)
    assert restart.changes >= 1
    assert restart.violations >= 0.9 * 60.0 * 9.0 > 9 * max(1, in_place.violations - in_place.unavoidable)


def test_new_replicas_serve_after_their_start_up_only():
    """Replicas asked for in the dip wait ten seconds, cores are paid from the start."""
    requests = send_requests(dip(), 60.0, 500e3, 1.0, 60.0)
    run = run_scaler(make_scaler("fa2-informed", YOLO, 1.0), requests, YOLO, 60.0, 60.0)
    late = [record.time for record in run.records if record.violations]
    assert max(record.cores for record in run.records[21:30]) > run.records[10].cores
    assert all(19.0 <= time <= 32.0 for time in late)


@pytest.mark.parametrize("lost", [0.0, 0.3, 0.6])
def test_fa2_takes_the_fewest_replicas_that_the_published_condition_allows(lost):
    """ceil(rate / (n b)) l(b, 1) + cl_max <= 0.9 SLO, whatever waits; the blind one keeps its count."""
    seen = Observation(0.0, 20.0, (lost,) * 20, (0.05,) * 30)
    allowed = [
        count
        for count in range(1, 17)
        if any(math.ceil(20 / count / b) * YOLO.durations[1, b] + lost <= 0.9 for b in range(1, 17))
    ]
    fleets = {}
    for name in ("fa2", "fa2-blind"):
        fleets[name] = Containers(DurationTable(YOLO), Order.ARRIVAL, True, [])
        make_scaler(name, YOLO, 1.0).start(fleets[name], seen)
    assert len(fleets["fa2"].fleet) == allowed[0]
    assert len(fleets["fa2-blind"].fleet) == 1


def test_an_autoscaler_blind_to_the_link_does_not_move_in_the_dip():
    seen = Observation(5.0, 20.0, (0.6,) * 20, (0.05,))
    clear = Observation(5.0, 20.0, (0.0,) * 20, ())
    blind = IntervalPlanner(YOLO, 1.0, sees_link=False)
    assert blind.choose(seen) == blind.choose(clear)
    informed = IntervalPlanner(YOLO, 1.0)
    seeing, calm = informed.choose(seen), informed.choose(clear)
    assert seeing is None or (calm is not None and seeing.cores > calm.cores)


@settings(max_examples=15, deadline=None)
@given(st.sampled_from([2, 4, 8]), st.integers(0, 100))
def test_more_static_cores_never_serve_fewer_in_time_at_even_load(cores, seed):
    requests = send_requests(synthetic_bandwidth(seed, 60), 15.0, 200e3, 1.0, 30.0)
    planner = IntervalPlanner(YOLO, 1.0)
    few = run_scaler(StaticScaler(planner, cores), requests, YOLO, 30.0, 15.0)
    many = run_scaler(StaticScaler(planner, 2 * cores), requests, YOLO, 30.0, 15.0)
    assert many.violations <= few.violations


def test_a_cost_of_change_changes_less_often():
    requests = send_requests(synthetic_bandwidth(0), 100.0, 500e3, 1.0, 120.0)
    changes = [
        run_scaler(make_scaler("sponge", YOLO, 1.0, cost), requests, YOLO, 120.0, 100.0).changes
        for cost in (0.0, 2.0, 100.0)
    ]
    assert changes[0] > changes[1] > changes[2]


def test_no_requests_cost_what_stands_ready():
    run = run_scaler(make_scaler("static-16", YOLO, 1.0), [], YOLO, 5.0, 10.0)
    assert (run.violations, run.core_seconds) == (0, 80.0)
    assert not math.isnan(run.records[0].remaining)


def test_scalers_need_the_cores_they_name():
    two = YOLO.within(2, 16)
    assert default_scalers(two) == ("sponge", "sponge-code", "fa2", "fa2-blind", "fa2-informed", "vpa", "static-2")
    with pytest.raises(InputError, match="needs 8 cores"):
        make_scaler("static-8", two, 1.0)
    with pytest.raises(InputError, match="is no scaler"):
        make_scaler("static-x", YOLO, 1.0)


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        ("time_s,bytes\n0,1\n", "line 1", "no column bytes_per_second"),
        ("time_s,bytes_per_second\n1,5\n", "line 2", "the first time_s is 1"),
        ("time_s,bytes_per_second\n0,5\n0,6\n", "line 3", "time_s is 0 after 0"),
        ("time_s,bytes_per_second\n0,5\n1,0\n", "line 3", "bytes_per_second is 0"),
        ("time_s,bytes_per_second\n0,1e-320\n", "line 2", "bytes_per_second is"),
        ("time_s,bytes_per_second\n0,inf\n", "line 2", 'bytes_per_second is "inf"'),
    ],
)
def test_a_faulty_trace_is_named_with_its_line(tmp_path, text, place, problem):
    path = tmp_path / "link.csv"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_bandwidth_trace(path)
    assert caught.value.place == place
    assert problem in caught.value.problem


def test_a_4g_log_is_bytes_over_milliseconds_from_the_start_of_its_first_interval(tmp_path):
    path = tmp_path / "report_bus.log"
    path.write_text(
        "1453121790686 39287 51.0386528885778 3.73220785642186 2493100 1000\n"
        "1453121791687 40288 51.0386532820580 3.73222847166054 2763504 1001\n"
        "1453121792686 41287 51.0386553301824 3.73225142858955 2728896 0999\n"
    )
    trace = read_bandwidth_trace(path)
    assert trace.times == pytest.approx((0.0, 1.0, 2.001))
    assert trace.rates == pytest.approx((2493100.0, 2763504 / 1.001, 2728896 / 0.999))


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        ("", "", "is empty"),
        ("1 1000 51 3 5 1000\n1 2000 51 3 5\n", "line 2", "is not 6 numbers"),
        ("1 1000 51 3 x 1000\n", "line 1", "is not 6 numbers"),
        ("1 1000 51 3 5 0\n", "line 1", "0 milliseconds have passed"),
        ("1 1000 51 3 5 1000\n1 2000 51 3 0 1000\n", "line 2", "bytes_per_second is 0"),
        ("1 2000 51 3 5 1000\n1 1000 51 3 5 1000\n", "line 2", "time_s is -1 after 0"),
    ],
)
def test_a_faulty_4g_log_is_named_with_its_line(tmp_path, text, place, problem):
    path = tmp_path / "report_bus.log"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_bandwidth_trace(path)
    assert caught.value.place == place
    assert problem in caught.value.problem


def test_a_trace_file_is_a_step_function(tmp_path):
    path = tmp_path / "link.csv"
    path.write_text("time_s,bytes_per_second\n0,100\n2.5,200\n")
    trace = read_bandwidth_trace(path)
    assert [trace.at(time) for time in (0.0, 2.4, 2.5, 99.0)] == [100, 100, 200, 200]
