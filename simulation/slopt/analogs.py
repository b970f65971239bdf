"""Forecasts by analogy: quantiles of what followed the most similar windows of the past.

Nearest-neighbour (analog) forecasting (Lorenz 1969; Yakowitz 1987): among all windows of W periods of other days, take
the K whose values are closest to those of the last W periods in the Euclidean norm, and read the quantile of what came
h periods after them. No shape of the load and no distribution of errors is assumed. What came in period t is read as
(x_{t-1} + 2 x_t + x_{t+1}) / 4, the mean over the period and half a period on either side, as the hindsight optimum
measures the demand that capacity must meet.

The closest windows differ from the present one, most where other days are few. Adjusted, what followed each is moved by
what a linear regression over the neighbours makes of the difference (regression adjustment: Beaumont, Zhang and
Balding 2002): y_i - B (x_i - x), with x the last W periods and B from ridge regression with the windows' own variance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

WINDOW = 6
"""Periods that are compared."""
NEIGHBOURS, ADJUSTED_NEIGHBOURS = 40, 60
"""Past windows whose continuations are read, as they are and, at least, adjusted."""
SHARE = 20
"""Of a long history, one in so many of the windows is read adjusted: a quantile of few neighbours is mostly noise."""


class AnalogForecast:
    """Conditional quantiles of one series.

    Parameters
    ----------
    days
        Series of other days, period by period.
    ahead
        Periods that are looked ahead at most.
    adjusted
        Whether what followed is adjusted to the present.
    """

    def __init__(self, days: Sequence[np.ndarray], ahead: int, adjusted: bool = True) -> None:
        self._ahead = ahead
        self._adjusted = adjusted
        parts = [self._split(day) for day in days]
        self._past = np.concatenate([np.empty((0, WINDOW)), *(past for past, _ in parts)])
        self._following = np.concatenate([np.empty((0, ahead)), *(following for _, following in parts)])
        self._neighbours = max(ADJUSTED_NEIGHBOURS, len(self._past) // SHARE) if adjusted else NEIGHBOURS

    @property
    def ready(self) -> bool:
        """Whether other days hold enough windows to compare with."""
        return len(self._past) >= self._neighbours

    def quantiles(self, recent: Sequence[float], share: float | Sequence[float]) -> np.ndarray:
        """Quantile ``share`` of the values 0, 1, ... periods after the last of ``recent``, shape (..., ahead + 1).

        Entry 0 is the last value itself; several shares come in rows. Only where the forecast is `ready`.
        """
        seen = np.asarray(recent[-WINDOW:], dtype=float)
        differences = self._past[:, -seen.size :] - seen
        nearest = np.argpartition((differences**2).sum(axis=1), self._neighbours - 1)[: self._neighbours]
        following = self._following[nearest]
        if self._adjusted:
            following = following - differences[nearest] @ _slopes(differences[nearest], following)
        followed = np.maximum(0.0, np.quantile(following, share, axis=0))
        return np.concatenate([np.full((*np.shape(share), 1), seen[-1]), followed], axis=-1)

    def _split(self, series: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Windows of a series and what followed each: shapes (n, WINDOW) and (n, ahead)."""
        length = WINDOW + self._ahead
        if series.size < length:
            return np.empty((0, WINDOW)), np.empty((0, self._ahead))
        padded = np.pad(series, 1, mode="edge")
        smooth = (padded[:-2] + 2 * series + padded[2:]) / 4
        past = np.lib.stride_tricks.sliding_window_view(series, length)[:, :WINDOW]
        return past, np.lib.stride_tricks.sliding_window_view(smooth, length)[:, WINDOW:]


def _slopes(windows: np.ndarray, following: np.ndarray) -> np.ndarray:
    """Ridge regression of what followed (n, ahead) on windows (n, W): slopes (W, ahead); 0 where windows are equal."""
    centred = windows - windows.mean(axis=0)
    penalty = len(windows) * max(float(centred.var()), _LEAST_VARIANCE) * np.eye(centred.shape[1])
    slopes: np.ndarray = np.linalg.solve(
        centred.T @ centred + penalty, centred.T @ (following - following.mean(axis=0))
    )
    return slopes


_LEAST_VARIANCE = 1e-12
