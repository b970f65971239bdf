"""Streams of the class that a paced plan claims its latency for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harpagon.instances.instance import Pipeline
    from harpagon.instances.plan import PipelinePlan


def class_streams(pipeline: Pipeline, plan: PipelinePlan, requests: int, seed: int) -> dict[str, NDArray[np.float64]]:
    """Streams that the plan claims its latency for, each of at most so many root requests."""
    generator = np.random.default_rng(seed)
    rate, count = pipeline.rate, requests
    close_after = [wait for module in plan.modules.values() if module.pace for wait in module.pace.close_after]
    beyond = np.array([1 / rate, *(max(1 / rate, wait + 1e-7) for wait in close_after)])
    gaps = {
        "even": np.full(count, 1.0),
        "slow by 0.1 %": np.full(count, 1.001),
        "slow by 30 %": np.full(count, 1.3),
        "random gaps": 1 + generator.exponential(0.3, count),
        "long gaps": np.where(generator.random(count) < 0.05, generator.uniform(2, 30, count), 1.0),
        "gaps just beyond the time-outs": rate * generator.choice(beyond, count),
        "gaps of whole intervals": generator.choice((1.0, 1.0, 1.0, 2.0, 3.0), count),
    }
    streams = {name: np.cumsum(gap) / rate for name, gap in gaps.items()}
    grid = np.arange(count) / rate
    streams["2 % dropped"] = grid[generator.random(count) >= 0.02]
    streams["bursts"] = bursts(rate, pipeline.burst, generator, count)
    return {name: times - times[0] for name, times in streams.items()}


def bursts(rate: float, burst: int, generator: np.random.Generator, count: int) -> NDArray[np.float64]:
    """All that a token bucket of ``burst`` allows, after pauses that fill it more or less."""
    times: list[float] = []
    now, tokens = 0.0, float(burst)
    while len(times) < count:
        now, tokens = _spend(times, now, tokens, rate, int(generator.integers(1, 3 * burst + 3)))
        pause = float(generator.choice((0.3, 1.0, burst, 2.5 * burst))) / rate
        now, tokens = now + pause, min(float(burst), tokens + rate * pause)
    return np.array(times[:count])


def _spend(times: list[float], now: float, tokens: float, rate: float, requests: int) -> tuple[float, float]:
    """Send as soon as there is a token."""
    for _ in range(requests):
        if tokens < 1:
            now, tokens = now + (1 - tokens) / rate, 1.0
        times.append(now)
        tokens -= 1
    return now, tokens
