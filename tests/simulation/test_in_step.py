"""Waves: counts at the root instants against the fan-out itself, services against the dispatcher that runs them."""

from __future__ import annotations

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from simulation_cases import LARGE, ROUNDING, module_plan, pipeline_plan

from harpagon.graphs import exact_fanout
from harpagon.instances.instance import Configuration
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Dispatch
from harpagon.simulation import simulate
from harpagon.simulation.arrivals.processes import GammaArrivals
from harpagon.simulation.dispatch.dispatchers import wave_dispatcher
from harpagon.simulation.flow.fanout import FixedFanout
from harpagon.simulation.flow.pieces import Flow
from harpagon.simulation.in_step import RootWaves, SentWaves, UnitedWaves, Waves, spacing_delay, wave_service
from harpagon.simulation.pacing import Regulator

INSTANTS = 600
fanouts = st.sampled_from([1.0, 0.5, 0.3, 1.2, 1.5, 2.0, 3.0])
patterns = st.recursive(
    st.just(RootWaves()),
    lambda inner: st.one_of(
        st.builds(SentWaves, inner, fanouts),
        st.lists(inner, min_size=2, max_size=2).map(lambda parts: UnitedWaves(tuple(parts))),
    ),
    max_leaves=3,
)


def counts(waves: Waves) -> np.ndarray:
    """Requests at each of the first instants, made as the simulator makes them."""
    if isinstance(waves, UnitedWaves):
        return sum((counts(part) for part in waves.parts), np.zeros(INSTANTS, dtype=np.int64))
    if isinstance(waves, SentWaves):
        of_tail = counts(waves.tail)
        sent = FixedFanout(exact_fanout(waves.fanout))(int(of_tail.sum()))
        ends = np.concatenate([[0], np.cumsum(of_tail)])
        return np.array([sent[a:b].sum() for a, b in pairwise(ends)])
    return np.ones(INSTANTS, dtype=np.int64)


def arrivals(waves: Waves, clock: float) -> np.ndarray:
    return np.repeat(np.arange(INSTANTS) / clock, counts(waves))


@settings(max_examples=80, deadline=None)
@given(patterns, st.integers(1, 40))
def test_no_window_brings_more_or_fewer(waves: Waves, instants: int) -> None:
    total = np.concatenate([[0], np.cumsum(counts(waves))])
    windows = total[instants:] - total[:-instants]
    assert waves.fewest(instants) <= windows.min() and windows.max() <= waves.most(instants)
    assert waves.most(instants) <= instants * waves.mean + waves.excess + 1e-9


@settings(max_examples=80, deadline=None)
@given(patterns)
def test_waves_repeat_after_their_period(waves: Waves) -> None:
    found, period = counts(waves), int(waves.period)
    assume(2 * period <= INSTANTS)
    assert (found[period:] == found[:-period]).all()
    assert found[:period].sum() == pytest.approx(waves.mean * period)


def test_a_fanout_without_a_period_is_known_by_its_excess() -> None:
    waves = SentWaves(RootWaves(), 0.1234567891)
    assert waves.period == float("inf")
    assert spacing_delay(waves, 10.0, 20.0) <= (waves.mean + waves.excess) / 20.0
    assert wave_service(waves, 10.0, DispatchTuple.residual(LARGE, 10 * waves.mean)) is None


@st.composite
def tuples(draw: st.DrawFn, rate: float) -> DispatchTuple:
    """Whole machines that hold ``rate``, or the residual that serves it."""
    configuration = Configuration(
        "gpu", draw(st.sampled_from([1, 2, 3, 4, 8, 16])), draw(st.floats(0.2, 4.0)) / rate, 1.0
    )
    if rate < configuration.throughput * 0.999 and draw(st.booleans()):
        return DispatchTuple.residual(configuration, rate)
    spare = draw(st.sampled_from([0, 0, 1, 3]))
    return DispatchTuple.full(configuration, int(np.ceil(rate / configuration.throughput - 1e-12)) + spare)


@settings(max_examples=150, deadline=None)
@given(st.data(), patterns, st.sampled_from([20.0, 70.0, 198.0]))
def test_every_request_is_done_within_the_service_latency(data: st.DataObject, waves: Waves, clock: float) -> None:
    part = data.draw(tuples(waves.mean * clock))
    service = wave_service(waves, clock, part)
    assume(service is not None)
    assert service is not None
    times = arrivals(waves, clock)
    dispatcher = wave_dispatcher(module_plan((part,), Dispatch.EDF, rate=waves.mean * clock), service)
    finish = dispatcher.feed(times, float(times[-1]) + 10.0).finish
    assert (finish - times[: finish.size] <= service.latency + ROUNDING).all()
    if part.is_residual:
        assert set(np.flatnonzero(dispatcher.tallies[0].sizes[:-1])) <= {times.size % service.batch}


def test_a_batch_of_one_does_not_wait() -> None:
    """20 req/s on one machine of d = 48 ms: done after 48 ms, where the bound of the policy is d + b/w = 96 ms."""
    part = DispatchTuple.full(Configuration("gpu", 2, 0.048, 1.0), 1)
    service = wave_service(RootWaves(), 20.0, part)
    assert service is not None
    assert service.latency == pytest.approx(0.048, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(patterns, st.sampled_from([20.0, 198.0]), st.floats(1.0, 3.0))
def test_a_regulator_adds_no_more_than_its_delay(waves: Waves, clock: float, spare: float) -> None:
    rate = waves.mean * clock * spare
    times = arrivals(waves, clock)
    flow = Flow(times, np.arange(times.size), times, 1e9, times.size, 1e9)
    added = Regulator(rate).pass_on(flow).ready - times
    assert added.max() <= spacing_delay(waves, clock, rate) + ROUNDING


def test_only_even_arrivals_are_served_in_step() -> None:
    """A step that suits even arrivals would leave random ones without batching."""
    graph = nx.DiGraph()
    graph.add_node("m")
    instance, plan = pipeline_plan(graph, 30.0, {"m": (DispatchTuple.full(LARGE, 1),)}, Dispatch.EDF)
    even, random = (simulate(instance, plan, kind, duration=200.0).pipelines[0] for kind in (None, GammaArrivals()))
    assert even.modules[0].tuples[0].mean_batch == pytest.approx(24.0, rel=0.01)
    assert even.latency.maximum == pytest.approx(0.8 + 23 / 30, abs=ROUNDING)
    assert random.latency.maximum > even.latency.maximum
