"""Arrival envelopes: their laws, and the bound they give against a queue served request by request."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harpagon.formulations.physics import tuple_latencies
from harpagon.formulations.slopt.envelope import WINDOWS, Envelope, envelope_latencies, required_rate
from harpagon.instances.instance import Configuration
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Dispatch
from studies.slopt.parts import envelope_table


@given(st.integers(1, 32), st.floats(0.01, 0.5), st.integers(1, 40))
def test_the_mean_alone_gives_the_bound_of_the_physics(batch: int, duration: float, machines: int) -> None:
    configuration = Configuration("gpu", batch, duration, 1.0)
    capacity = machines * configuration.throughput
    bound = envelope_latencies(Envelope.of_rate(capacity), configuration, np.array([machines]))[0]
    (expected,) = tuple_latencies([DispatchTuple.full(configuration, machines)], Dispatch.TC)
    assert bound == pytest.approx(expected)


@given(st.floats(1.0, 2000.0), st.integers(1, 32), st.floats(0.01, 0.3), st.floats(1.05, 6.0))
def test_required_rate_meets_its_budget_and_nothing_smaller_does(
    rate: float, batch: int, duration: float, looseness: float
) -> None:
    configuration = Configuration("gpu", batch, duration, 1.0)
    envelope = Envelope.of_process(rate)
    budget = duration * looseness
    needed = required_rate(envelope, configuration, budget)
    least = needed / configuration.throughput
    machines = np.array([least * (1 + 1e-9), least * 0.999])
    enough, short = envelope_latencies(envelope, configuration, machines)
    assert enough <= budget * (1 + 1e-6)
    assert short > budget or needed == envelope.rate


def _largest_latency(times: np.ndarray, batch: int, duration: float, machines: int) -> float:
    """FIFO batches of exactly ``batch`` on identical machines: start = max(full, start of n batches before + d)."""
    full = times[batch - 1 :: batch]
    starts: list[float] = []
    for j, ready in enumerate(full):
        starts.append(max(ready, starts[j - machines] + duration) if j >= machines else ready)
    first = times[::batch][: full.size]
    return float((np.array(starts) + duration - first).max())


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 8), st.integers(1, 6), st.floats(0.5, 0.95))
def test_no_full_batch_is_later_than_the_bound_of_the_measured_envelope(
    seed: int, batch: int, machines: int, load: float
) -> None:
    generator = np.random.default_rng(seed)
    duration = 0.1
    rate = load * machines * batch / duration
    bursts = np.sort(generator.uniform(0.0, 8.0, max(1, int(rate * 8.0 / batch))))
    times = np.sort(np.concatenate([bursts + generator.uniform(0, 0.01) for _ in range(batch)]))
    waits = _largest_latency(times, batch, duration, machines)
    collecting = float((times[batch - 1 :: batch] - times[::batch][: times[batch - 1 :: batch].size]).max())
    envelope = Envelope.measured(times, 8.0)
    backlog = float((envelope.counts * duration / (machines * batch) - WINDOWS).max())
    interpolation = float(np.diff(WINDOWS).max())
    assert waits <= collecting + duration + backlog + interpolation


@given(st.floats(1.0, 500.0), st.floats(0.0, 0.5), st.floats(0.0, 0.5))
def test_delays_that_vary_more_never_make_bursts_smaller(rate: float, less: float, more: float) -> None:
    less, more = sorted((less, more))
    envelope = Envelope.of_process(rate)
    assert np.all(envelope.jittered(less).counts <= envelope.jittered(more).counts + 1e-9)
    assert np.all(envelope.counts <= envelope.jittered(less).counts + 1e-9)


@given(st.floats(1.0, 2000.0), st.floats(0.2, 5.0))
def test_where_a_period_is_counted_only_its_windows_are_open(rate: float, period: float) -> None:
    free, counted = Envelope.of_process(rate), Envelope.of_process(rate, period=period)
    assert np.all(np.diff(counted.counts) >= 0)
    assert np.all(counted.counts <= free.counts + 1e-9)
    assert np.all(counted.counts >= 1.0 + rate * WINDOWS - 1e-9)
    assert np.isclose(counted.counts[-1], 1.0 + rate * WINDOWS[-1])
    assert counted.counts[1] > 1.0 + rate * WINDOWS[1]


def test_a_measured_envelope_holds_for_its_own_arrivals_and_is_tight() -> None:
    times = np.sort(np.random.default_rng(3).uniform(0.0, 20.0, 4000))
    envelope = Envelope.measured(times, 20.0)
    for length in WINDOWS[5::9]:
        starts = np.linspace(0.0, 20.0, 997)
        counts = np.searchsorted(times, starts + length, "right") - np.searchsorted(times, starts)
        assert counts.max() <= envelope.at(np.array([length]))[0] + 1e-9
    assert envelope.counts[0] == 1.0


def test_cascade_envelopes_hold_where_rates_do_not() -> None:
    table = envelope_table(seeds=(5,)).set_index(["pipeline", "estimate"])
    for pipeline in ("video", "social"):
        assert table.loc[(pipeline, "cascade")].max() < 2.5
        assert table.loc[(pipeline, "Poisson")].min() > 1.0
        assert table.loc[(pipeline, "rate x fan-out")].min() > 20.0
