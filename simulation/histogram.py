"""Quantiles of a stream in bounded memory."""

from __future__ import annotations

import math

import numpy as np

RESOLUTION = 1e-3
"""Relative width of a bin: a quantile is reported at most this fraction above its true value."""
_SMALLEST, _LARGEST = 1e-6, 1e6
_LOG_WIDTH = math.log1p(RESOLUTION)
_BINS = math.ceil(math.log(_LARGEST / _SMALLEST) / _LOG_WIDTH) + 1


class LatencyHistogram:
    """Counts in bins that grow geometrically from 1 microsecond to 1e6 seconds; count, sum and maximum exact.

    Examples
    --------
    >>> histogram = LatencyHistogram()
    >>> histogram.add(np.array([0.1, 0.2, 0.3, 0.4]))
    >>> histogram.maximum, round(histogram.quantile(0.5), 3)
    (0.4, 0.2)
    """

    def __init__(self) -> None:
        self.count = 0
        self.total = 0.0
        self.maximum = 0.0
        self._bins = np.zeros(_BINS, dtype=np.int64)

    def add(self, latencies: np.ndarray) -> None:
        """Count latencies in seconds."""
        if latencies.size == 0:
            return
        self.count += latencies.size
        self.total += float(latencies.sum())
        self.maximum = max(self.maximum, float(latencies.max()))
        positions = np.ceil(np.log(np.clip(latencies, _SMALLEST, _LARGEST) / _SMALLEST) / _LOG_WIDTH - 1e-9)
        self._bins += np.bincount(positions.astype(np.int64), minlength=_BINS)

    @property
    def mean(self) -> float:
        """Mean in seconds; NaN where nothing was counted."""
        return self.total / self.count if self.count else math.nan

    def quantile(self, share: float) -> float:
        """Latency in seconds that ``share`` of the requests do not exceed, within `RESOLUTION`; NaN if empty."""
        if not self.count:
            return math.nan
        rank = max(1, math.ceil(share * self.count - 1e-9))
        position = int(np.searchsorted(np.cumsum(self._bins), rank))
        return min(self.maximum, _SMALLEST * math.exp(position * _LOG_WIDTH))
