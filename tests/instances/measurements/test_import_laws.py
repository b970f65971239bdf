"""Laws that make a figure of a load test usable, and the naive rules that they replace shown wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harpagon.instances.measurements.capacity import ServerLoad, judge_server_load
from harpagon.instances.measurements.fragment import profile_entry
from harpagon.instances.measurements.laws import LoadRow, judge_loads
from harpagon.instances.measurements.verdicts import BatchPoint, CapacityPoint, RowVerdict


def load(throughput: float, concurrency: float | None, **more: object) -> LoadRow:
    given: dict[str, object] = {"batch": 1, "instances": 1, **more}
    return LoadRow("line 2", "", throughput=throughput, concurrency=concurrency, **given)  # type: ignore[arg-type]


def duration(verdict: RowVerdict) -> float | None:
    return verdict.point.duration if isinstance(verdict.point, BatchPoint) else None


def test_a_clock_says_nothing_about_durations() -> None:
    """32 requests a second answered within 1.5 ms: batch / throughput is 31 ms, twenty times the truth."""
    row = load(32.0, None, p99=1.5e-3)
    assert 1 / row.throughput == pytest.approx(31e-3, rel=0.01)
    (verdict,) = judge_loads([row])
    assert not verdict.used and "clock" in verdict.why
    (by_server,) = judge_loads([load(32.0, None, p99=1.5e-3, compute=1.2e-3)])
    assert duration(by_server) == 1.2e-3


def test_throughput_counts_where_it_is_flat() -> None:
    rows = [load(50.0, 1), load(99.0, 2, batch=1), load(100.0, 4)]
    first, second, third = judge_loads(rows)
    assert not first.used and "not saturated" in first.why
    assert duration(second) == pytest.approx(1 / 99.0)
    assert duration(third) == pytest.approx(1 / 100.0)


@pytest.mark.parametrize(("change", "used"), [(1.019, True), (0.981, True), (1.021, False), (0.97, False)])
def test_flat_is_two_percent_either_way(change: float, used: bool) -> None:
    assert judge_loads([load(100.0, 4), load(100.0 * change, 8)])[0].used is used


def test_a_single_load_is_not_known_to_be_saturated() -> None:
    (verdict,) = judge_loads([load(100.0, 8)])
    assert not verdict.used


def test_instances_share_the_load_and_batches_their_time() -> None:
    verdict = judge_loads([load(800.0, 4, batch=8, instances=2), load(800.0, 8, batch=8, instances=2)])[0]
    assert duration(verdict) == pytest.approx(8 * 2 / 800)


def test_a_server_that_batches_hides_its_batch() -> None:
    rows = [load(100.0, 4, server_batches=True), load(100.0, 8, server_batches=True)]
    assert not any(verdict.used for verdict in judge_loads(rows))


def test_a_duration_above_its_p99_is_refused() -> None:
    (verdict,) = judge_loads([load(10.0, 1, compute=31e-3, p99=1.5e-3)])
    assert not verdict.used and "31 ms" in verdict.why and "1.5 ms" in verdict.why
    rows = [load(100.0, 4, p99=9e-3), load(100.0, 8, p99=9e-3)]
    assert not any(verdict.used for verdict in judge_loads(rows)), "10 ms a batch, 99 % answered in 9 ms"


def test_more_work_than_time_means_larger_batches() -> None:
    """200 req/s of 10 ms each keep two instances busy; one instance did it, so batches of two ran."""
    (verdict,) = judge_loads([load(200.0, 4, compute=10e-3)])
    assert not verdict.used and "2.00 instances" in verdict.why
    (verdict,) = judge_loads([load(200.0, 4, compute=10e-3, instances=2)])
    assert verdict.used


@given(st.floats(1e-4, 1.0), st.integers(1, 64), st.integers(1, 8))
def test_a_saturated_server_gives_back_its_duration(seconds: float, batch: int, instances: int) -> None:
    throughput = batch * instances / seconds
    rows = [load(throughput, concurrency, batch=batch, instances=instances) for concurrency in (16, 32)]
    assert all(duration(verdict) == pytest.approx(seconds) for verdict in judge_loads(rows))


def server(**more: object) -> RowVerdict:
    given: dict[str, object] = {"machines": 1, "throughput": 4.0, "latency": 2.0, "offered": 4.0, **more}
    return judge_server_load(ServerLoad("line 1", "", **given), "no percentile")  # type: ignore[arg-type]


def test_capacity_is_a_share_of_steady_service() -> None:
    assert server(machines=2).point == CapacityPoint(2.0, 2.0)
    assert server(offered=None, concurrency=8.0).point == CapacityPoint(4.0, 2.0)


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"offered": None}, "at once"),
        ({"offered": 5.0}, "overloaded"),
        ({"failed": 3}, "failed"),
        ({"latency": None}, "no percentile"),
        ({"throughput": 0.0}, "answered"),
    ],
)
def test_unsteady_service_is_refused(more: dict[str, object], word: str) -> None:
    verdict = server(**more)
    assert not verdict.used and word in verdict.why


def test_the_worse_of_two_measurements_counts() -> None:
    batches = [RowVerdict("", "", "", BatchPoint(4, seconds)) for seconds in (0.010, 0.012, 0.011)]
    assert profile_entry(batches) == {"4": 12.0}
    rates = [RowVerdict("", "", "", CapacityPoint(*pair)) for pair in ((6.0, 1.0), (4.0, 1.5), (8.0, 2.0))]
    assert [point["latency_ms"] for point in profile_entry(rates)["capacity"]] == [1500.0, 1500.0, 2000.0]
    assert profile_entry([RowVerdict("", "", "refused")]) == {}
