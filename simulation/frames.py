"""Latency per root request: from its arrival to the last result that it brings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harpagon.simulation.histogram import LatencyHistogram
from harpagon.simulation.report import ROUNDING

if TYPE_CHECKING:
    from harpagon.simulation.flow.pieces import Flow


class FrameMeasure:
    """Root requests in flight, and the latencies of those that are through; roots that bring no result count not.

    Parameters
    ----------
    slo
        Seconds.
    sinks
        Number of modules that results leave from.
    """

    def __init__(self, slo: float, sinks: int) -> None:
        self.histogram = LatencyHistogram()
        self.violations = 0
        self._slo = slo
        self._first = 0
        self._arrivals = np.empty(0)
        self._latest = np.empty(0)
        self._following = [0] * sinks

    def enter(self, times: np.ndarray) -> None:
        """Take the next root requests, which arrive at ``times`` seconds."""
        self._arrivals = np.concatenate([self._arrivals, times])
        self._latest = np.concatenate([self._latest, np.full(times.size, -np.inf)])

    def arrivals(self, roots: np.ndarray) -> np.ndarray:
        """When root requests in flight arrived, seconds."""
        arrivals: np.ndarray = self._arrivals[roots - self._first]
        return arrivals

    def add(self, sink: int, leaving: Flow, finish: np.ndarray) -> None:
        """Take results of a sink, done at ``finish`` seconds; count root requests that all sinks are through with."""
        np.maximum.at(self._latest, leaving.root - self._first, finish)
        self._following[sink] = leaving.next_root
        through = min(self._following) - self._first
        latencies = self._latest[:through] - self._arrivals[:through]
        latencies = latencies[np.isfinite(latencies)]
        self.histogram.add(latencies)
        self.violations += int(np.count_nonzero(latencies > self._slo + ROUNDING))
        self._arrivals, self._latest = self._arrivals[through:], self._latest[through:]
        self._first += through
