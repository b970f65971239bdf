"""Streaming quantiles against exact ones."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harpagon.simulation.histogram import RESOLUTION, LatencyHistogram


@given(st.lists(st.floats(1e-5, 1e4), min_size=1, max_size=200), st.floats(0.0, 1.0), st.integers(1, 5))
def test_quantiles_are_never_below_and_within_the_resolution(values: list[float], share: float, pieces: int) -> None:
    histogram = LatencyHistogram()
    for piece in np.array_split(np.array(values), pieces):
        histogram.add(piece)
    exact = sorted(values)[max(1, math.ceil(share * len(values) - 1e-9)) - 1]
    assert exact * (1 - 1e-9) <= histogram.quantile(share) <= exact * (1 + RESOLUTION) * (1 + 1e-9)
    assert histogram.maximum == max(values)
    assert histogram.count == len(values)
    assert histogram.mean == pytest.approx(np.mean(values))


def test_nothing_has_no_quantile() -> None:
    assert math.isnan(LatencyHistogram().quantile(0.5))
    assert math.isnan(LatencyHistogram().mean)
