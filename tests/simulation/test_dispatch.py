"""Dispatchers against figures worked out by hand, and bounds against measured maxima."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from simulation_cases import LARGE, ROUNDING, module_plan, schedules
from simulation_cases import WORKED_SCHEDULE as SCHEDULE

from harpagon.instances.instance import Configuration
from harpagon.instances.plan import DispatchTuple, ModulePlan
from harpagon.instances.policies import Dispatch
from harpagon.simulation.arrivals.processes import EvenArrivals, GammaArrivals
from harpagon.simulation.dispatch.dispatchers import graces, module_dispatcher
from harpagon.simulation.dispatch.padding import Padding

ONE_FAST_LANE_OF_EIGHT = tuple(
    DispatchTuple.full(Configuration("gpu", batch, duration, 1.0), machines)
    for batch, duration, machines in [(1, 1 / 16, 1), (3, 1.0, 3), (1, 0.5, 1), (1, 1.0, 3)]
)
"""Under round-robin the fast lane can get more than a request or two beyond its share of a short piece."""


def measured(module: ModulePlan, dispatch: Dispatch, times: np.ndarray, padding: Padding | None = None) -> np.ndarray:
    """Largest latency of each tuple, over the requests whose batches close before one more would arrive."""
    dispatcher = module_dispatcher(module, dispatch, padding)
    served = dispatcher.feed(times, float(times[-1]) + 1 / module.rate)
    latencies = served.finish - times[: served.finish.size]
    assert served.finish.size > 0
    return np.array([latencies[served.tuples == i].max(initial=0.0) for i in range(len(module.tuples))])


@pytest.mark.parametrize(
    ("dispatch", "expected"),
    [(Dispatch.TC, (0.961, 0.495, 0.285)), (Dispatch.EDF, (0.961, 0.533, 0.105))],
)
def test_worked_example_measures_what_the_prototype_measured(dispatch: Dispatch, expected: tuple[float, ...]) -> None:
    times = np.arange(100_000) / 198
    assert measured(module_plan(SCHEDULE, dispatch), dispatch, times) == pytest.approx(expected, abs=5e-4)


def test_priority_dispatch_breaks_the_fluid_bound_of_the_worked_example() -> None:
    module = module_plan(SCHEDULE, Dispatch.TC)
    maxima = measured(module, Dispatch.TC, np.arange(100_000) / 198)
    assert maxima[1] > module.tuple_latencies[1] + 0.03


@pytest.mark.parametrize("dispatch", list(Dispatch))
def test_one_full_tuple_is_exact(dispatch: Dispatch) -> None:
    """Five machines of b=32 at 200 req/s: the first request of a batch waits for 31 more; round-robin for 31 x 5."""
    module = module_plan((DispatchTuple.full(LARGE, 5),), dispatch)
    wait = 31 * 5 / 200 if dispatch is Dispatch.ROUND_ROBIN else 31 / 200
    assert measured(module, dispatch, np.arange(64_000) / 200)[0] == pytest.approx(wait + 0.8, abs=ROUNDING)


@settings(max_examples=60, deadline=None)
@given(schedules(), st.sampled_from([Dispatch.TC_SAFE, Dispatch.EDF]))
def test_safe_bounds_hold_at_full_load(schedule: tuple[DispatchTuple, ...], dispatch: Dispatch) -> None:
    module = module_plan(schedule, dispatch)
    maxima = measured(module, dispatch, np.arange(5_000) / module.rate)
    assert (maxima <= np.array(module.tuple_latencies) + ROUNDING).all()


@settings(max_examples=60, deadline=None)
@given(schedules(), st.sampled_from([Dispatch.TC_SAFE, Dispatch.EDF]), st.floats(0.3, 1.0))
def test_safe_bounds_hold_with_missing_requests(
    schedule: tuple[DispatchTuple, ...], dispatch: Dispatch, load: float
) -> None:
    full = module_plan(schedule, dispatch)
    module = module_plan(schedule, dispatch, rate=load * sum(part.rate for part in schedule))
    assert module.tuple_latencies == full.tuple_latencies
    maxima = measured(module, dispatch, np.arange(5_000) / module.rate)
    assert (maxima <= np.array(module.tuple_latencies) + np.array(graces(module, dispatch)) + ROUNDING).all()


@settings(max_examples=40, deadline=None)
@given(schedules(), st.sampled_from(list(Dispatch)), st.sampled_from(list(Padding)), st.integers(0, 99))
@example(ONE_FAST_LANE_OF_EIGHT, Dispatch.ROUND_ROBIN, Padding.DUMMIES, 1)
def test_pieces_change_nothing(
    schedule: tuple[DispatchTuple, ...], dispatch: Dispatch, padding: Padding, seed: int
) -> None:
    module = module_plan(schedule, dispatch, rate=0.8 * sum(part.rate for part in schedule))
    generator = np.random.default_rng(seed)
    times = np.cumsum(generator.exponential(1 / module.rate, 400))
    cuts = np.sort(generator.integers(0, 400, 5))
    whole = module_dispatcher(module, dispatch, padding).feed(times, times[-1])
    pieces = np.split(times, cuts)
    dispatcher = module_dispatcher(module, dispatch, padding)
    ends = [*(float(times[cut]) for cut in cuts), float(times[-1])]
    served = [dispatcher.feed(piece, end) for piece, end in zip(pieces, ends, strict=True)]
    assert np.array_equal(np.concatenate([part.finish for part in served]), whole.finish)
    assert np.array_equal(np.concatenate([part.tuples for part in served]), whole.tuples)


@pytest.mark.parametrize("dispatch", list(Dispatch))
def test_every_request_gets_one_place_of_one_batch(dispatch: Dispatch) -> None:
    module = module_plan(SCHEDULE, dispatch, rate=180.0)
    dispatcher = module_dispatcher(module, dispatch, Padding.TIME_OUT)
    times = np.concatenate(list(GammaArrivals(2.0).times(180.0, 50.0, np.random.default_rng(1))))
    served = dispatcher.feed(times, 1e3)
    places = sum(size * count for tally in dispatcher.tallies for size, count in enumerate(tally.sizes))
    assert served.finish.size == times.size == places
    assert (served.finish > times).all()


def test_even_arrivals_are_exact() -> None:
    pieces = list(EvenArrivals().times(198.0, 1000.0, np.random.default_rng(0)))
    times = np.concatenate(pieces)
    assert times.size == 198_000
    assert len(pieces) == 4
    assert times == pytest.approx(np.arange(198_000) / 198, abs=0)
