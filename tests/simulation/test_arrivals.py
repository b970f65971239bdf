"""Arrival processes: means, shapes, and how bursty they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harpagon.instances.errors import InputError
from harpagon.simulation.arrivals.bursts import BurstMeter
from harpagon.simulation.arrivals.named import parse_arrivals
from harpagon.simulation.arrivals.processes import Arrivals, EvenArrivals, GammaArrivals, ModulatedArrivals


def times(arrivals: Arrivals, rate: float, duration: float, seed: int = 0) -> np.ndarray:
    return np.concatenate(list(arrivals.times(rate, duration, np.random.default_rng(seed))))


def test_slow_arrivals_are_further_apart() -> None:
    found = times(parse_arrivals("slow:30"), 10.0, 100.0)
    assert np.diff(found) == pytest.approx(0.13)
    assert found[-1] < 100.0 <= found[-1] + 0.13 + 1e-9


def test_modulated_arrivals_have_their_mean_and_come_in_peaks() -> None:
    arrivals = parse_arrivals("mmpp:4,0.2,20")
    found = times(arrivals, 50.0, 20_000.0)
    counts = np.bincount(found.astype(int))
    assert found.size / 20_000 == pytest.approx(50.0, rel=0.1)
    assert (np.diff(found) >= 0).all() and found[-1] < 20_000
    assert counts.var() / counts.mean() > 20
    peak = counts > 125
    assert peak.mean() == pytest.approx(0.2, abs=0.04)
    assert np.median(counts[peak]) == pytest.approx(200.0, rel=0.05)


@given(st.lists(st.floats(0.0, 10.0), min_size=1, max_size=12).map(sorted), st.floats(0.5, 5.0), st.integers(1, 11))
def test_the_burst_is_that_of_the_worst_window(found: list[float], rate: float, cut: int) -> None:
    meter = BurstMeter(rate)
    meter.add(np.array(found[:cut]))
    meter.add(np.array(found[cut:]))
    windows = [(j - i + 1) - rate * (found[j] - found[i]) for i in range(len(found)) for j in range(i, len(found))]
    assert meter.burst == pytest.approx(max(windows))
    assert meter.keeps(max(windows)) and not meter.keeps(max(windows) - 0.01)


def test_even_and_slow_streams_have_a_burst_of_one_and_random_ones_more() -> None:
    bursts = []
    for arrivals in (EvenArrivals(), EvenArrivals(0.001), GammaArrivals(), ModulatedArrivals(3.0, 0.2, 5.0)):
        meter = BurstMeter(100.0)
        for piece in arrivals.times(100.0, 1_000.0, np.random.default_rng(1)):
            meter.add(piece)
        bursts.append(meter)
    assert [meter.keeps(1) for meter in bursts] == [True, True, False, False]
    assert bursts[2].burst < bursts[3].burst


@pytest.mark.parametrize(
    "text", ["slow", "slow:", "slow:-1", "slow:x", "mmpp", "mmpp:3", "mmpp:3,0.5,1", "mmpp:1,0.2,1", "mmpp:3,0.2,0"]
)
def test_bad_figures_are_refused_with_an_example(text: str) -> None:
    with pytest.raises(InputError):
        parse_arrivals(text)


@pytest.mark.parametrize("text", ["even", "slow:0.1", "poisson", "gamma:2", "mmpp:3,0.2,5"])
def test_names_are_read_back(text: str) -> None:
    assert str(parse_arrivals(text)) == text
