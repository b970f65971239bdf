"""Whether measured batches can be trusted: too few of them, too far apart, or drifting."""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harpagon.instances.cpu.measure import MeasuredPoint

SPREAD = 1.25
"""Times the median that the quantile of a quiet machine stays below."""
DRIFT = 1.1
"""Ratio of the medians of a point's two halves that still counts as none."""


def noise_warnings(points: Sequence[MeasuredPoint], quantile: float) -> list[str]:
    """What is wrong with measured points, in words; empty where nothing is."""
    return [*_too_few(points, quantile), *_spread(points, quantile), *_drift(points), *_falling(points, quantile)]


def _too_few(points: Sequence[MeasuredPoint], quantile: float) -> Iterator[str]:
    timed = min(len(point.seconds) for point in points)
    needed = math.ceil(1 / (1 - quantile) - 1e-9) if quantile < 1 else timed
    if timed < needed:
        yield f"the {quantile:g} quantile of {timed} batches is their longest: time at least --repeats {needed}"


def _spread(points: Sequence[MeasuredPoint], quantile: float) -> Iterator[str]:
    """Points whose quantile is far above their median."""
    ratios = {point: point.quantile(quantile) / point.quantile(0.5) for point in points}
    noisy = [point for point, ratio in ratios.items() if ratio > SPREAD]
    if noisy:
        worst = max(noisy, key=ratios.__getitem__)
        yield (
            f"noise: at {len(noisy)} of {len(points)} points the {quantile:g} quantile is above {SPREAD:g} times the "
            f"median, most at {_place(worst)}, {ratios[worst]:.2g} times: stop other work on this machine"
        )


def _drift(points: Sequence[MeasuredPoint]) -> Iterator[str]:
    """Points whose later batches are slower or quicker than the earlier ones."""
    for point in points:
        half = len(point.seconds) // 2
        if half < 2:
            continue
        ratio = median(point.seconds[half:]) / median(point.seconds[:half])
        if not 1 / DRIFT <= ratio <= DRIFT:
            yield f"drift: at {_place(point)} the second half took {ratio:.2f} times the first: --warmup longer"


def _falling(points: Sequence[MeasuredPoint], quantile: float) -> Iterator[str]:
    """Larger batches that took less time on the same cores: noise, since they are more work."""
    ordered = sorted(points, key=lambda point: (point.cores, point.batch))
    for small, large in pairwise(ordered):
        if small.cores == large.cores and large.quantile(quantile) < small.quantile(quantile):
            yield f"noise: {_place(large)} took less time than batch {small.batch}"


def _place(point: MeasuredPoint) -> str:
    return f"{point.cores} core{'s' * (point.cores > 1)}, batch {point.batch}"
