"""The closed loop: a forecast's quantile that follows what was measured.

Adaptive conformal inference (Gibbs and Candes, 2021, arXiv 2106.00170), with missed requests in place of missed
forecasts: with e_t = 1 where a period missed more than `MISSED` of its requests and 0 where it did not,

    q_{t+1} = q_t + gamma (e_t - alpha),   kept within [LEAST, MOST].

Where misses are rarer than a share alpha of the periods the quantile narrows, and machines are saved; else it widens.
"""

from __future__ import annotations

FIRST, LEAST, MOST = 0.93, 0.8, 0.98
"""Quantile at the start, and its bounds."""
MISSED = 0.01
"""Share of a period's requests, late or dropped, above which the period counts as missed."""
_GAMMA, _ALPHA = 0.05, 0.02


class QuantileLoop:
    """Keeps the quantile. Parameters: the ``quantile`` to begin with; whether it is ``closed``, else it stays."""

    def __init__(self, quantile: float, closed: bool) -> None:
        self.quantile = quantile
        self._closed = closed

    def observe(self, ended: int, missed: int) -> None:
        """Take in one period: requests ``ended``, finished or dropped, and those of them ``missed``."""
        if self._closed and ended:
            error = 1.0 if missed > MISSED * ended else 0.0
            self.quantile = min(MOST, max(LEAST, self.quantile + _GAMMA * (error - _ALPHA)))
