"""Core profiles and the fit of l(b, c)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harpagon.formulations.sponge.core_latency import SPONGE_REFIT, CoreLatency, evaluate_fit, fit_core_latency
from harpagon.instances.cpu.profile import CoreProfile, published_yolo_profile, read_core_profile
from harpagon.instances.errors import InputError

SECONDS = st.floats(1e-4, 0.1)


@given(SECONDS, SECONDS, SECONDS, SECONDS)
def test_the_fit_recovers_its_own_curve(gamma, delta, epsilon, eta):
    latency = CoreLatency(gamma, delta, epsilon, eta)
    fit = fit_core_latency(latency.profile("curve", (1, 2, 5), (1, 3, 8)))
    for found, expected in zip(
        (fit.latency.gamma, fit.latency.delta, fit.latency.epsilon, fit.latency.eta),
        (gamma, delta, epsilon, eta),
        strict=True,
    ):
        assert found == pytest.approx(expected, abs=1e-7)


def test_the_published_profile_gives_the_refit_figures():
    """18.29, 4.49, 45.47, 1.05 ms: as good a fit as the least squares optimum, which lies in a flat valley."""
    profile = published_yolo_profile()
    fit = fit_core_latency(profile)
    assert len(profile.durations) == 30
    assert fit.latency.gamma == pytest.approx(SPONGE_REFIT.gamma, abs=0.01e-3)
    assert fit.latency.delta == pytest.approx(SPONGE_REFIT.delta, abs=0.05e-3)
    assert fit.latency.epsilon == pytest.approx(SPONGE_REFIT.epsilon, abs=0.5e-3)
    assert fit.latency.eta == pytest.approx(SPONGE_REFIT.eta, abs=0.5e-3)
    quoted = evaluate_fit(SPONGE_REFIT, profile)
    assert fit.root_mean_square <= quoted.root_mean_square <= fit.root_mean_square + 0.01e-3


def test_residuals_are_fitted_minus_measured():
    profile = CoreProfile("two", {(1, 1): 0.010, (2, 1): 0.010})
    fit = evaluate_fit(CoreLatency(0.010, 0.0, 0.0, 0.0), profile)
    assert fit.residuals == {(1, 1): 0.0, (2, 1): -0.005}
    assert fit.worst == ((2, 1), 0.5)
    assert fit.mean_relative == 0.25


def test_coefficients_are_never_negative():
    """More cores that take longer leave the terms in 1/c at zero."""
    fit = fit_core_latency(CoreProfile("slower", {(1, 1): 0.01, (1, 2): 0.02, (2, 1): 0.02, (2, 2): 0.03}))
    coefficients = (fit.latency.gamma, fit.latency.delta, fit.latency.epsilon, fit.latency.eta)
    assert min(coefficients) >= 0
    assert fit.latency.gamma == fit.latency.epsilon == 0


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        ("", "", "is empty"),
        ("# only a comment\n", "line 1", "the file is empty"),
        ("batch,cores\n1,1\n", "line 1", "no column latency_ms"),
        ("batch,cores,latency_ms\n", "line 1", "no data"),
        ("batch,cores,latency_ms\n1,1,fast\n", "line 2", 'latency_ms is "fast"'),
        ("batch,cores,latency_ms\n1,1,nan\n", "line 2", "latency_ms"),
        ("batch,cores,latency_ms\n1,1,-4\n", "line 2", "latency_ms is -4"),
        ("# why\nbatch,cores,latency_ms\n1.5,1,4\n", "line 3", "batch is 1.5"),
        ("batch,cores,latency_ms\n1,0,4\n", "line 2", "cores is 0"),
        ("batch,cores,latency_ms\n1,1\n", "line 2", 'latency_ms is ""'),
        ("batch,cores,latency_ms\n1,1,4\n1,1,5\n", "line 3", "stand twice"),
    ],
)
def test_a_faulty_table_is_named_with_its_line(tmp_path, text, place, problem):
    path = tmp_path / "profile.csv"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_core_profile(path)
    assert caught.value.file == str(path)
    assert caught.value.place == place
    assert problem in caught.value.problem


def test_a_missing_table_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_core_profile(tmp_path / "nowhere.csv")


def test_columns_stand_in_any_order_and_others_are_left_aside(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("cores, latency_ms, note, batch\n2,12.5,warm,4\n")
    profile = read_core_profile(path)
    assert profile == CoreProfile("mine", {(2, 4): 0.0125})
