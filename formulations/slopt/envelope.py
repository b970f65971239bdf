"""Arrival envelopes: at most how many requests arrive in any window of a given length.

An envelope replaces the mean rate T of the physics. For a module with batch size b, batch duration d and capacity
R = n b / d, network calculus (horizontal deviation) bounds the latency of every request by

    L = d + max over x >= 0 of [(alpha(x) + b) / R - x] .

With alpha(x) = T x and R >= T this is d + b / R, the bound of `harpagon.formulations.physics`. The smallest capacity
for a budget L is max over x of (alpha(x) + b) / (x + L - d). docs/slopt.md has the proof and what it assumes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.instances.instance import Configuration

WINDOWS = np.concatenate([[0.0], np.geomspace(1e-3, 10.0, 41)])
"""Seconds: the window lengths at which an envelope is kept; linear between them."""
CONFIDENCE = 2.326
"""Standard deviations above the mean that 99 % of normally distributed counts do not exceed."""


@dataclass(frozen=True, slots=True, eq=False)
class Envelope:
    """Requests in any window, for the lengths of `WINDOWS`.

    Attributes
    ----------
    rate
        Requests per second in the long run.
    counts
        Requests in any window of each length, not decreasing, same shape as `WINDOWS`.
    """

    rate: float
    counts: np.ndarray

    @classmethod
    def of_rate(cls, rate: float) -> Envelope:
        """The mean alone: rate x length, what model-independent estimation knows."""
        return cls(rate, rate * WINDOWS)

    @classmethod
    def of_process(
        cls, rate: float, dispersion: float = 1.0, confidence: float = CONFIDENCE, period: float = math.inf
    ) -> Envelope:
        """Mean plus ``confidence`` standard deviations of a count whose variance is ``dispersion`` x its mean.

        A dispersion of 1 is a Poisson process, 0 even arrivals. Where ``rate`` counts what arrives in every ``period``
        seconds, only its place within the period is open: the variance of a window of x seconds is less by 1 - x /
        ``period``, as a binomial's is, and 0 from a whole period on.
        """
        mean = rate * WINDOWS
        deviation = np.sqrt(dispersion * mean * np.maximum(0.0, 1.0 - WINDOWS / period))
        return cls(rate, np.maximum.accumulate(1.0 + mean + confidence * deviation))

    @classmethod
    def measured(cls, times: np.ndarray, duration: float) -> Envelope:
        """Smallest envelope of recorded arrivals: sorted ``times`` within ``duration`` seconds."""
        order = np.arange(times.size)
        counts = [int((np.searchsorted(times, times + x, "right") - order).max(initial=0)) for x in WINDOWS]
        return cls(times.size / duration, np.array(counts, dtype=float))

    def at(self, windows: np.ndarray) -> np.ndarray:
        """Requests in windows of any lengths, in seconds; beyond the last of `WINDOWS` at the long-run rate."""
        inside = np.interp(windows, WINDOWS, self.counts)
        counts: np.ndarray = inside + self.rate * np.maximum(0.0, windows - WINDOWS[-1])
        return counts

    def scaled(self, factor: float) -> Envelope:
        """Every count times ``factor``."""
        return Envelope(self.rate * factor, self.counts * factor)

    def jittered(self, jitter: float) -> Envelope:
        """After a delay that varies by up to ``jitter`` seconds: alpha(x + jitter)."""
        return replace(self, counts=self.at(WINDOWS + jitter))

    def capped(self, ceiling: np.ndarray) -> Envelope:
        """No more than ``ceiling`` requests per window."""
        return replace(self, counts=np.minimum(self.counts, ceiling))

    def fanned_out(self, fanout: float, confidence: float = CONFIDENCE) -> Envelope:
        """After independent random fan-out: mean plus ``confidence`` standard deviations.

        Bernoulli up to a fan-out of 1, Poisson above, as in `harpagon.simulation.flow.fanout.RandomFanout`.
        """
        variance = fanout * (1 - fanout) if fanout <= 1 else fanout
        counts = fanout * self.counts + confidence * np.sqrt(variance * self.counts)
        return Envelope(self.rate * fanout, counts)


def summed(envelopes: Sequence[Envelope]) -> Envelope:
    """Of all streams together."""
    return Envelope(sum(e.rate for e in envelopes), np.sum([e.counts for e in envelopes], axis=0))


def largest(envelopes: Sequence[Envelope]) -> Envelope:
    """At least each of the streams."""
    return Envelope(max(e.rate for e in envelopes), np.max([e.counts for e in envelopes], axis=0))


def required_rate(envelope: Envelope, configuration: Configuration, budget: float) -> float:
    """Smallest capacity R in requests per second that meets ``budget``; infinity where none does.

    R = max(rate, max over x of (alpha(x) + b) / (x + budget - d)).
    """
    slack = budget - configuration.duration
    if slack <= 0:
        return float("inf")
    return max(envelope.rate, float(((envelope.counts + configuration.batch) / (WINDOWS + slack)).max()))


def envelope_latencies(envelope: Envelope, configuration: Configuration, machines: np.ndarray) -> np.ndarray:
    """Latency bound in seconds for each number of machines; infinity below the long-run rate.

    L = d + max over x of [(alpha(x) + b) / (n t) - x].
    """
    capacity = machines * configuration.throughput
    waits = ((envelope.counts + configuration.batch)[None, :] / capacity[:, None] - WINDOWS[None, :]).max(axis=1)
    latencies: np.ndarray = np.where(capacity >= envelope.rate, configuration.duration + waits, np.inf)
    return latencies
