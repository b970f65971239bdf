"""Sponge's batch duration on c cores, l(b, c) = gamma b / c + delta b + epsilon / c + eta, and its fit.

The first and third terms shrink with the cores, the other two do not: Amdahl's law, once per request of the batch
and once per batch (Sponge, EuroMLSys 2024, arXiv 2404.00704).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from harpagon.instances.cpu.profile import CoreProfile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy import float64
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class CoreLatency:
    """Coefficients of l(b, c), all in seconds.

    Attributes
    ----------
    gamma, delta
        Per request of a batch: the part that parallelises over cores, and the part that does not.
    epsilon, eta
        Per batch: the part that parallelises over cores, and the part that does not.
    """

    gamma: float
    delta: float
    epsilon: float
    eta: float

    def duration(self, batch: int, cores: int) -> float:
        """Seconds that one batch takes, l(b, c)."""
        return self.gamma * batch / cores + self.delta * batch + self.epsilon / cores + self.eta

    def profile(self, name: str, cores: Iterable[int], batches: Iterable[int]) -> CoreProfile:
        """The fitted durations as a profile over every pair of ``cores`` and ``batches``."""
        batches = tuple(batches)
        return CoreProfile(name, {(c, b): self.duration(b, c) for c in cores for b in batches})


SPONGE_REFIT = CoreLatency(gamma=18.29e-3, delta=4.49e-3, epsilon=45.47e-3, eta=1.05e-3)
"""A rounded refit of the published YOLO profile: its root mean square error is 0.01 ms above that of our own fit."""


@dataclass(frozen=True, slots=True)
class LatencyFit:
    """A fitted l(b, c) beside the profile it was fitted to.

    Attributes
    ----------
    latency
        The coefficients.
    profile
        What was measured.
    residuals
        (cores, batch) to fitted minus measured seconds.
    """

    latency: CoreLatency
    profile: CoreProfile
    residuals: Mapping[tuple[int, int], float]

    @property
    def root_mean_square(self) -> float:
        """Seconds."""
        return math.sqrt(sum(r * r for r in self.residuals.values()) / len(self.residuals))

    @property
    def mean_relative(self) -> float:
        """Mean of |residual| / measured duration."""
        return sum(self._relative().values()) / len(self.residuals)

    @property
    def worst(self) -> tuple[tuple[int, int], float]:
        """The (cores, batch) with the largest |residual| / measured duration, and that ratio."""
        return max(self._relative().items(), key=lambda item: item[1])

    def _relative(self) -> dict[tuple[int, int], float]:
        return {pair: abs(r) / self.profile.durations[pair] for pair, r in self.residuals.items()}


def fit_core_latency(profile: CoreProfile) -> LatencyFit:
    """Least squares fit of l(b, c) with coefficients >= 0: more work on as many cores never takes less time.

    The best non-negative fit is an unconstrained fit of some subset of the four terms, so all 15 subsets are tried.

    Raises
    ------
    ValueError
        Where no subset of the terms gives a non-negative fit of the points.
    """
    import numpy as np

    pairs = list(profile.durations)
    terms = np.array([[b / c, b, 1 / c, 1.0] for c, b in pairs])
    measured = np.array([profile.durations[pair] for pair in pairs])
    fits = [fit for fit in _subset_fits(terms, measured) if (fit >= 0).all()]
    if not fits:
        raise ValueError(f"profile {profile.name}: no non-negative fit")
    best = min(fits, key=lambda fit: float(((terms @ fit - measured) ** 2).sum()))
    return evaluate_fit(CoreLatency(*map(float, best)), profile)


def evaluate_fit(latency: CoreLatency, profile: CoreProfile) -> LatencyFit:
    """Residuals of given coefficients against ``profile``."""
    residuals = {(c, b): latency.duration(b, c) - d for (c, b), d in profile.durations.items()}
    return LatencyFit(latency, profile, residuals)


def _subset_fits(terms: NDArray[float64], measured: NDArray[float64]) -> list[NDArray[float64]]:
    import numpy as np

    fits = []
    for size in range(1, terms.shape[1] + 1):
        for subset in combinations(range(terms.shape[1]), size):
            fit = np.zeros(terms.shape[1])
            fit[list(subset)] = np.linalg.lstsq(terms[:, subset], measured, rcond=None)[0]
            fits.append(fit)
    return fits
