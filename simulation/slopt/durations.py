"""How long a batch takes that is not full."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.instances.instance import Configuration


def batch_durations(configuration: Configuration, profile: Sequence[Configuration]) -> list[float]:
    """Seconds for 0, 1, ..., b requests on the configuration's hardware; entry 0 is 0.

    Linear between profiled batch sizes, constant below the smallest. Padding a batch is always possible, so no batch
    takes longer than a larger one, and ``configuration.duration`` stands for the full batch.
    """
    points = sorted((c.batch, c.duration) for c in profile if c.hardware == configuration.hardware)
    sizes, seconds = zip(*points, strict=True)
    every = np.interp(np.arange(1, configuration.batch + 1), sizes, seconds)
    every[-1] = configuration.duration
    return [0.0, *np.minimum.accumulate(every[::-1])[::-1].tolist()]
