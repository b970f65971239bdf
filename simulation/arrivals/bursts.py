"""How bursty a stream is: the token bucket that it passes."""

from __future__ import annotations

import numpy as np

ROUNDING = 1e-6
"""Requests by which a measured burst may pass a promised one: sums of clock times round."""


class BurstMeter:
    """Smallest n such that no closed window of x seconds holds more than n + ``rate`` x requests.

    With requests at t_0 <= t_1 <= ... it is 1 + max over i <= j of ((j - i) - rate (t_j - t_i)): one pass.

    Parameters
    ----------
    rate
        Requests per second.

    Examples
    --------
    >>> meter = BurstMeter(10.0)
    >>> meter.add(np.array([0.0, 0.1, 0.1, 0.5]))
    >>> meter.burst
    2.0
    """

    def __init__(self, rate: float) -> None:
        self.burst = 0.0
        self._rate = rate
        self._count = 0
        self._lowest = np.inf

    def add(self, times: np.ndarray) -> None:
        """Take the next requests, sorted."""
        if not times.size:
            return
        ahead = np.arange(self._count, self._count + times.size) - self._rate * times
        lowest = np.minimum(np.minimum.accumulate(ahead), self._lowest)
        self.burst = max(self.burst, 1.0 + float((ahead - lowest).max()))
        self._count += times.size
        self._lowest = float(lowest[-1])

    def keeps(self, burst: float) -> bool:
        """Whether the stream so far keeps a promised burst."""
        return self.burst <= burst + ROUNDING
