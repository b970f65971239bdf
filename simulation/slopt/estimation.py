"""Workload estimation: how many requests will come to every module, and in what bursts.

A forecaster turns the rates seen so far into the rate some periods ahead. Cascade estimation pushes the root's
forecast through the schedules (`harpagon.formulations.slopt.cascade`); the model-independent estimates know rates only.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from harpagon.simulation.slopt.stages import Estimation

if TYPE_CHECKING:
    from collections.abc import Sequence


PEAK_PERIODS = 30
_EWMA_WEIGHT = 0.3
_LEVEL_WEIGHT, _TREND_WEIGHT, _DAMPING = 0.9, 0.3, 0.9
_ERROR_PERIODS = 60
_ERROR_QUANTILE = 0.9
_BINS_PER_SECOND = 10


def trend_forecast(rates: Sequence[float], ahead: float) -> float:
    """Rate ``ahead`` periods after the last, by Holt's damped trend; not below 0.

    level = w r + (1 - w)(level + f trend), trend = v (level - last level) + (1 - v) f trend, forecast = level +
    (f + f^2 + ... + f^ahead) trend, with weights w = 0.9, v = 0.3 and damping f = 0.9.
    """
    level, trend = rates[0], 0.0
    for rate in rates[1:]:
        last = level
        level = _LEVEL_WEIGHT * rate + (1 - _LEVEL_WEIGHT) * (level + _DAMPING * trend)
        trend = _TREND_WEIGHT * (level - last) + (1 - _TREND_WEIGHT) * _DAMPING * trend
    damped: float = _DAMPING * (1 - _DAMPING**ahead) / (1 - _DAMPING)
    return max(0.0, level + trend * damped)


class ForecastErrors:
    """How far a rate came out above its forecasts, learnt period by period.

    Parameters
    ----------
    ahead
        Periods from forecast to outcome.
    """

    def __init__(self, ahead: float) -> None:
        self._forecasts: deque[float] = deque(maxlen=max(1, round(ahead)))
        self._errors: deque[float] = deque(maxlen=_ERROR_PERIODS)
        self.margin = 0.0
        """Relative excess that `_ERROR_QUANTILE` of the last forecasts did not exceed; at least 0, 0 if none."""

    def observe(self, rate: float, forecast: float) -> None:
        """Compare ``rate`` with the forecast made for it, and note the ``forecast`` made now."""
        if len(self._forecasts) == self._forecasts.maxlen and self._forecasts[0] > 0:
            self._errors.append(rate / self._forecasts[0] - 1.0)
            rank = math.ceil(_ERROR_QUANTILE * len(self._errors)) - 1
            self.margin = max(0.0, sorted(self._errors)[rank])
        self._forecasts.append(forecast)


def own_estimate(estimation: Estimation, rates: Sequence[float]) -> float:
    """Model-independent estimate from a module's own rates; the last value for estimates that look at the root."""
    if estimation is Estimation.PEAK:
        return max(rates[-PEAK_PERIODS:])
    if estimation is Estimation.EWMA:
        value = rates[0]
        for rate in rates[1:]:
            value += _EWMA_WEIGHT * (rate - value)
        return value
    return rates[-1]


def dispersion(times: np.ndarray, begin: float, end: float) -> float:
    """Variance over mean of the counts in tenths of a second from ``begin`` to ``end``; at least 1.

    The trend is taken out by differences of neighbouring counts.
    """
    bins = np.arange(max(0.0, begin), end + 1e-9, 1 / _BINS_PER_SECOND)
    if bins.size < 2 * _BINS_PER_SECOND:
        return 1.0
    counts = np.histogram(times, bins)[0]
    mean = counts.mean()
    return max(1.0, float((np.diff(counts) ** 2).mean() / (2 * mean))) if mean > 0 else 1.0
