"""Forecasts by analogy, the closed loop, and what a tuner does with them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harpagon.instances.library.slopt_pipelines import slopt_instance
from harpagon.simulation.slopt.analogs import ADJUSTED_NEIGHBOURS, NEIGHBOURS, WINDOW, AnalogForecast
from harpagon.simulation.slopt.feedback import LEAST, MOST, QuantileLoop
from harpagon.simulation.slopt.report import SloptRun
from harpagon.simulation.slopt.run import SystemOptions, plan_reference, run_slopt
from harpagon.simulation.slopt.stages import Forecast
from harpagon.simulation.slopt.tuning import TuningOptions
from harpagon.simulation.slopt.workload import days_before, generate_workload

_on_any_machine = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_a_jump_that_always_follows_the_same_windows_is_foreseen() -> None:
    day = np.tile([10.0] * 8 + [50.0] * 8, 60)
    forecast = AnalogForecast([day], 3)
    assert forecast.quantiles([50.0, 10.0, 10.0, 10.0, 10.0, 10.0], 0.9).tolist() == [10.0, 10.0, 10.0, 20.0]
    assert forecast.quantiles([50.0, 50.0, 50.0, 50.0, 50.0, 10.0], 0.1).tolist() == [10.0] * 4
    assert forecast.quantiles([10.0] * 20, 0.5)[0] == 10.0


_BOTH = pytest.mark.parametrize(("adjusted", "neighbours"), [(False, NEIGHBOURS), (True, ADJUSTED_NEIGHBOURS)])


@_BOTH
def test_quantiles_are_those_of_all_continuations_where_all_windows_are_alike(adjusted: bool, neighbours: int) -> None:
    generator = np.random.default_rng(0)
    days = [np.concatenate([np.full(WINDOW, 5.0), generator.uniform(0, 1, 1), np.zeros(1)]) for _ in range(neighbours)]
    ends = np.array([(5.0 + 2 * day[WINDOW] + 0.0) / 4 for day in days])
    forecast = AnalogForecast(days, 2, adjusted)
    for share in (0.1, 0.5, 0.9):
        assert forecast.quantiles([5.0] * WINDOW, share)[1] == pytest.approx(np.quantile(ends, share))


def test_adjusted_continuations_follow_a_rise_that_no_other_day_had() -> None:
    days = [slope * np.arange(20.0) for slope in np.linspace(1.0, 2.0, 12)]
    steeper = 2.2 * np.arange(20.0)
    errors = [
        abs(AnalogForecast(days, 3, adjusted).quantiles(steeper[:15].tolist(), 0.5)[2] - steeper[16])
        for adjusted in (False, True)
    ]
    assert errors[1] < errors[0] / 2


def test_of_a_long_history_a_share_of_the_windows_is_read() -> None:
    same = [np.append(np.full(WINDOW, 5.0), [0.0, 0.0])] * 100
    near = [np.append(np.full(WINDOW, 5.0 + sign), [400.0, 400.0]) for sign in (-1, 1)] * 1500
    short, long = (
        AnalogForecast(days, 1).quantiles([5.0] * WINDOW, 0.9)[1] for days in (same + near[:900], same + near)
    )
    assert short < 100 < long


def test_no_adjusted_forecast_is_below_nothing() -> None:
    falling = [slope * np.arange(20.0)[::-1] for slope in np.linspace(1.0, 2.0, 12)]
    assert AnalogForecast(falling, 3).quantiles([40.0, 32.0, 24.0, 16.0, 8.0, 0.0], 0.1).min() == 0.0


def test_a_run_keeps_the_band_of_every_forecast_at_the_time_it_is_for() -> None:
    workload, history = (generate_workload("bursts", 150.0, 12, 1), days_before("bursts", 150.0, 12, 1))
    run = run_slopt(slopt_instance("video"), workload, SystemOptions(TuningOptions(fleet=64)), 1, history=history)
    bands = [record.band for record in run.periods[:11]]
    assert [band[0] - record.end for band, record in zip(bands, run.periods, strict=False) if band] == [3.0] * 11
    assert all(band is not None and 0 < band[1] < band[2] < 300 for band in bands)
    trend = SystemOptions(TuningOptions(fleet=64, forecast=Forecast.TREND))
    assert run_slopt(slopt_instance("video"), workload, trend, 1, history=history).periods[5].band is None


def test_several_quantiles_are_those_asked_for_one_by_one() -> None:
    forecast = AnalogForecast([np.random.default_rng(0).uniform(0, 1, 200)], 3)
    both = forecast.quantiles([0.4, 0.6], (0.1, 0.9))
    assert both.tolist() == [forecast.quantiles([0.4, 0.6], share).tolist() for share in (0.1, 0.9)]


@_on_any_machine
@given(st.lists(st.floats(0, 1e4), min_size=1, max_size=10), st.floats(0, 1), st.floats(0, 1), st.integers(0, 99))
def test_a_larger_share_is_never_a_smaller_forecast(recent: list[float], one: float, other: float, seed: int) -> None:
    forecast = AnalogForecast([np.random.default_rng(seed).uniform(0, 1e4, 100)], 3)
    low, high = (forecast.quantiles(recent, share) for share in sorted((one, other)))
    assert np.all(low <= high + 1e-6)
    assert low[0] == high[0] == recent[-1]


@_BOTH
def test_too_few_days_are_not_ready(adjusted: bool, neighbours: int) -> None:
    assert not AnalogForecast((), 3, adjusted).ready
    assert not AnalogForecast([np.ones(WINDOW + 2)] * 90, 3, adjusted).ready
    assert not AnalogForecast([np.ones(WINDOW + 3)] * (neighbours - 1), 3, adjusted).ready
    assert AnalogForecast([np.ones(WINDOW + 3)] * neighbours, 3, adjusted).ready


@_on_any_machine
@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), max_size=200))
def test_the_loop_widens_on_misses_narrows_without_and_keeps_its_bounds(periods: list[tuple[int, int]]) -> None:
    loop, still = QuantileLoop(0.9, closed=True), QuantileLoop(0.9, closed=False)
    for ended, missed in periods:
        before = loop.quantile
        loop.observe(ended, min(missed, ended))
        still.observe(ended, min(missed, ended))
        assert LEAST <= loop.quantile <= MOST
        if ended:
            assert (loop.quantile >= before) == (min(missed, ended) > 0.01 * ended or before == LEAST)
    assert still.quantile == 0.9


@pytest.mark.parametrize(("startup", "periods"), [(0.0, 1), (0.5, 1), (2.0, 2), (2.5, 3)])
def test_patience_is_as_long_as_a_start_up(startup: float, periods: int) -> None:
    assert TuningOptions(startup=startup).patience_periods == periods
    assert TuningOptions(startup=startup, patience=7).patience_periods == 7


def _run(options: TuningOptions, days: int = 20, peak: float = 300.0) -> SloptRun:
    instance = slopt_instance("video")
    workload = generate_workload("bursts", peak, 30, 7)
    step = plan_reference(instance, 0.8 * peak, SystemOptions(options))
    return run_slopt(instance, workload, SystemOptions(options), 7, step, days_before("bursts", peak, 30, 7, days))


def test_every_part_of_the_forecast_can_be_switched_off_and_changes_the_run() -> None:
    full = TuningOptions(fleet=64)
    systems = [
        full,
        replace(full, closed_loop=True),
        replace(full, counted=False),
        replace(full, forecast=Forecast.ANALOGS),
        replace(full, patience=6),
        replace(full, forecast=Forecast.TREND),
    ]
    runs = [_run(options, peak=1500.0) for options in systems]
    assert len({run.cost for run in runs}) == len(runs)
    for run in runs:
        assert run.arrived == run.finished + run.dropped + run.in_flight


def test_without_other_days_the_trend_is_followed() -> None:
    *by_analogy, trend = (_run(TuningOptions(forecast=forecast), days=0) for forecast in Forecast)
    assert len(by_analogy) == 2
    for run in by_analogy:
        assert run.cost == trend.cost
        assert np.array_equal(run.finish, trend.finish)


def test_a_tuner_stays_within_its_fleet() -> None:
    least = max(sum(record.machines) for record in _run(TuningOptions(fleet=64)).periods)
    run = _run(TuningOptions(fleet=least - 3))
    assert max(sum(record.machines) for record in run.periods) <= least - 3


def test_days_before_hold_counts_and_do_not_overlap_with_the_day_itself() -> None:
    days = days_before("steps", 100.0, 40, 3)
    assert len(days) == 20
    assert all(np.array_equal(day.rates, np.round(day.rates)) for day in days)
    today = generate_workload("steps", 100.0, 40, 3)
    assert not any(math.isclose(float(np.corrcoef(day.rates, today.rates)[0, 1]), 1.0) for day in days)
