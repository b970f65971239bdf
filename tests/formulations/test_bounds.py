"""Bounds that need no search."""

from __future__ import annotations

import random

import pytest

from harpagon.formulations.bounds import largest_stretch
from harpagon.formulations.problem import pipeline_problems
from harpagon.instances.generate import random_instance


@pytest.mark.parametrize("beyond", [-1e-3, 0.0, 5e-10])
def test_modules_that_fill_the_slo_leave_those_beside_them_their_time(beyond: float) -> None:
    """Also where they pass it by a tolerance, as searches grant it."""
    (problem,) = pipeline_problems(random_instance(random.Random(1), shape="fork", modules=(4, 4)))
    network = problem.network
    latencies = [problem.slo / 100] * len(network.modules)
    *_, filling, open_one = (m for m, following in enumerate(network.successors) if not following)
    held = [0.0] * len(latencies)
    held[filling] = problem.slo + beyond - (network.path_lengths(latencies)[filling] - latencies[filling])
    (first,) = (m for m, before in enumerate(network.predecessors) if not before)
    held[first] = latencies[first]
    latencies[filling] = held[filling]
    stretch = largest_stretch(problem, latencies, held)
    latencies[open_one] *= stretch
    assert network.path_lengths(latencies)[open_one] == pytest.approx(problem.slo, rel=1e-6)
