"""The physics of paced pipelines: lags as they are defined, single tuples in closed form, streams run through them."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import count, pairwise
from math import nextafter

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harpagon.formulations.paced import Dispatcher, Stream, batch_wave, in_step, lag, open_batches, paced_service
from harpagon.formulations.paced_sizes import fewest_machines, least_residual
from harpagon.formulations.physics import module_latency
from harpagon.formulations.waves import Wave, pipeline_waves
from harpagon.instances.instance import Configuration
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Dispatch

FANOUTS = (0.25, 0.5, 0.75, 1.0, 1.1, 1.5, 2.0, 2.5, 3.0)
RATES = (0.03, 1.0, 7.0, 33.3, 250.0, 1e5)


@st.composite
def waves(draw: st.DrawFn) -> Wave:
    graph = nx.DiGraph()
    graph.add_node("a")
    names = "abc"[: draw(st.integers(1, 3))]
    for tail, head in pairwise(names):
        graph.add_edge(tail, head, fanout=draw(st.sampled_from(FANOUTS)))
    return pipeline_waves(graph)[names[-1]]


@st.composite
def cases(draw: st.DrawFn) -> tuple[Configuration, Stream, float]:
    """A configuration, a stream, and a budget near where it hurts."""
    rate = draw(st.sampled_from(RATES))
    load = draw(st.sampled_from((0.01, 0.3, 1.0, 2.5, 20.0)))
    duration = float(f"{load / rate * draw(st.floats(0.5, 2.0)):.4g}")
    configuration = Configuration("gpu", draw(st.sampled_from((1, 2, 3, 4, 8, 32))), duration, 1.0)
    budget = duration * draw(st.sampled_from((1.0, 1.001, 1.01, 1.1, 1.5, 2.0, 3.0)))
    return configuration, Stream(rate, draw(waves())), budget


def latency(configuration: Configuration, machines: int, stream: Stream) -> float:
    service = paced_service([DispatchTuple.full(configuration, machines)], stream)
    return float("inf") if service is None else service.latency


@settings(deadline=None, max_examples=40)
@given(waves(), st.integers(1, 9), st.fractions(Fraction(1, 50), Fraction(1)))
def test_lag_is_what_its_definition_says(wave: Wave, quantum: int, load: Fraction) -> None:
    step = load * quantum / wave.rate
    fewest = [next(s for s in count() if wave.most(s + 1) > q * quantum) for q in range(1, 60)]
    assert lag(wave, quantum, step, 1.0) == max(0, *(q * step - s for q, s in enumerate(fewest, 1)))


@settings(deadline=None, max_examples=40)
@given(cases())
def test_fewest_machines_are_the_fewest(case: tuple[Configuration, Stream, float]) -> None:
    configuration, stream, budget = case
    machines = fewest_machines(configuration, stream, budget)
    assert machines is not None
    assert latency(configuration, machines, stream) <= budget * (1 + 1e-12)
    assert machines == 1 or latency(configuration, machines - 1, stream) > budget * (1 - 1e-12)


@settings(deadline=None, max_examples=40)
@given(cases())
def test_one_tuple_is_quicker_with_more_machines(case: tuple[Configuration, Stream, float]) -> None:
    configuration, stream, _ = case
    latencies = [latency(configuration, machines, stream) for machines in range(1, 12)]
    assert latencies == sorted(latencies, reverse=True)


@settings(deadline=None, max_examples=40)
@given(cases())
def test_least_residual_keeps_the_budget_and_less_does_not(case: tuple[Configuration, Stream, float]) -> None:
    configuration, stream, budget = case
    rate = least_residual(configuration, stream, budget)
    if rate is None:
        return
    service = paced_service([DispatchTuple.residual(configuration, rate)], stream)
    less = paced_service([DispatchTuple.residual(configuration, rate * (1 - 1e-9))], stream)
    assert service is not None
    assert service.latency <= budget * (1 + 1e-12)
    assert less is None or less.latency > budget * (1 - 1e-9)


def test_a_residual_is_less_than_a_whole_machine_in_floating_point_too() -> None:
    """At a load of one machine up to rounding, what is above its throughput in fractions may be below it in floats."""
    generator = random.Random(1)
    graph = nx.DiGraph()
    graph.add_node("a")
    for _ in range(200):
        configuration = Configuration("gpu", 1, generator.uniform(1e-5, 1e-4), 1.0)
        for rate in (configuration.throughput, nextafter(configuration.throughput, 0.0)):
            stream = Stream(rate, pipeline_waves(graph)["a"])
            least = least_residual(configuration, stream, 3 * configuration.duration)
            assert least is None or DispatchTuple.residual(configuration, least).is_residual


@settings(deadline=None, max_examples=40)
@given(cases(), st.integers(1, 12))
def test_one_tuple_in_step_beats_open_batches(case: tuple[Configuration, Stream, float], machines: int) -> None:
    configuration, stream, _ = case
    part = DispatchTuple.full(configuration, machines)
    step, batches = in_step(part, stream), open_batches([part], stream)
    assert (step is None) == (batches is None)
    if step is not None and batches is not None:
        assert step.latency + 1 / part.rate <= batches.latency * (1 + 1e-12)


def test_worked_example_closes_after_what_five_machines_need() -> None:
    graph = nx.DiGraph()
    graph.add_node("detect")
    part = DispatchTuple.full(Configuration("gpu", 32, 0.8, 1.0), 5)
    service = paced_service([part], Stream(198.0, pipeline_waves(graph)["detect"]))
    assert service is not None
    assert service.dispatcher is Dispatcher.IN_STEP
    assert service.close_after == pytest.approx((0.16,))
    assert service.latency == pytest.approx(0.96)


def _arrivals(wave: Wave, clock: float, generator: random.Random, roots: int) -> list[float]:
    """Requests of roots at least 1 / ``clock`` apart: exact, slow, gappy, or gaps just beyond."""
    gaps = generator.choice(((1.0,), (1.0, 1.001), (1.0, 1.0, 1.0, 3.7), (1.0, 2.0), (1.0, 1.0, 40.0)))
    start, times = generator.randrange(wave.period), []
    now = 0.0
    for root in range(roots):
        times += [now] * wave.counts[(start + root) % wave.period]
        now += generator.choice(gaps) / clock
    return times


@pytest.mark.parametrize("seed", range(60))
def test_streams_of_the_class_are_served_in_time(seed: int) -> None:
    """One tuple, run request by request: batches close full or after c, machines in rotation, c = 0 being at once."""
    generator = random.Random(seed)
    graph = nx.DiGraph()
    graph.add_edge("a", "b", fanout=generator.choice(FANOUTS))
    graph.add_edge("b", "c", fanout=generator.choice(FANOUTS))
    stream = Stream(generator.choice(RATES), pipeline_waves(graph)["c"])
    duration = float(f"{generator.choice((0.3, 1.0, 2.5, 7.0)) / stream.rate * generator.uniform(0.5, 2):.5g}")
    configuration = Configuration("gpu", generator.choice((1, 2, 3, 8)), duration, 1.0)
    budget = duration * generator.choice((1.0, 1.2, 1.7, 2.5))
    machines = fewest_machines(configuration, stream, budget)
    assert machines is not None
    service = paced_service([DispatchTuple.full(configuration, machines)], stream)
    assert service is not None
    for _ in range(5):
        worst = _run(
            _arrivals(stream.wave, stream.rate, generator, 1_500), configuration, machines, service.close_after[0]
        )
        assert worst <= service.latency * (1 + 1e-9)


def _run(times: list[float], configuration: Configuration, machines: int, close_after: float) -> float:
    """Largest latency of a request."""
    free = [0.0] * machines
    worst, turn, first = 0.0, 0, 0
    while first < len(times):
        opened, last = times[first], first
        while (
            last + 1 < len(times) and last + 1 - first < configuration.batch and times[last + 1] <= opened + close_after
        ):
            last += 1
        full = last + 1 - first == configuration.batch
        closed = times[last] if full else opened + close_after
        done = max(closed, free[turn]) + configuration.duration
        free[turn] = done
        worst, turn, first = max(worst, done - opened), (turn + 1) % machines, last + 1
    return worst


@settings(deadline=None, max_examples=40)
@given(waves(), st.sampled_from(RATES), st.lists(st.sampled_from((1, 2, 3, 8)), min_size=2, max_size=3, unique=True))
def test_open_batches_take_the_demand_bound_one_request_and_a_lag(wave: Wave, rate: float, batches: list[int]) -> None:
    """H = L + 1 / W + lag, L the bound of `edf` on the same tuples, closing each batch early enough to be done by L."""
    durations = [float(f"{(1 + 0.3 * batch) / rate:.4g}") for batch in batches]
    tuples = [DispatchTuple.full(Configuration("gpu", *pair, 1.0), 40) for pair in zip(batches, durations, strict=True)]
    total = sum(part.rate for part in tuples)
    service = open_batches(tuples, Stream(rate, wave))
    late = lag(wave, 1, 1 / Fraction(total), rate)
    assert service is not None and late is not None
    due = module_latency(tuples, Dispatch.EDF) + 1 / total
    assert service.latency == pytest.approx(due + float(late))
    assert service.close_after == pytest.approx([due - duration for duration in durations])


def test_points_of_a_capacity_profile_are_taken_at_their_word() -> None:
    quick, slow = Configuration("gpu", 0, 0.2, 1.0, capacity=4.0), Configuration("gpu", 0, 0.3, 1.0, capacity=6.0)
    graph = nx.DiGraph()
    graph.add_node("a")
    wave = pipeline_waves(graph)["a"]
    tuples = [DispatchTuple.full(quick, 1), DispatchTuple.full(slow, 1)]
    service = paced_service(tuples, Stream(10.0, wave))
    assert service is not None
    assert (service.dispatcher, service.latency, service.close_after) == (Dispatcher.SERVER, 0.3, (0.0, 0.0))
    assert paced_service(tuples, Stream(10.1, wave)) is None
    batched = DispatchTuple.full(Configuration("gpu", 4, 0.1, 1.0), 1)
    assert paced_service([*tuples, batched], Stream(1.0, wave)) is None


def test_batches_of_a_wave_are_counted_root_by_root() -> None:
    graph = nx.DiGraph()
    graph.add_edge("a", "b", fanout=2.5)
    wave = pipeline_waves(graph)["b"]
    assert wave.counts == (3, 2)
    assert batch_wave(wave, 2).counts == (2, 1)
    assert batch_wave(wave, 3).counts == (1,)
    assert batch_wave(wave, 1) is wave
