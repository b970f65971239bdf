"""Bounds that need no search."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harpagon.formulations import bounds
from harpagon.formulations.bounds import cheapest_single, largest_stretch, smallest_latency
from harpagon.formulations.problem import pipeline_problems
from harpagon.graphs import PathNetwork
from harpagon.instances.generate import random_instance
from harpagon.instances.policies import Dispatch


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


@given(st.integers(0, 10**6))
def test_the_largest_stretch_fills_the_slo_and_passes_it_no_more_than_rounding_does(seed: int) -> None:
    rng = random.Random(seed)
    (problem,) = pipeline_problems(random_instance(rng, modules=(1, 9)))
    latencies = [problem.slo / 20 * 10 ** rng.uniform(-3, 0) for _ in problem.modules]
    held = [rng.choice([0.0, latency]) for latency in latencies]

    def length(factor: float) -> float:
        return problem.network.length([own or factor * one for one, own in zip(latencies, held, strict=True)])

    stretch, most = largest_stretch(problem, latencies, held), max(problem.slo, length(1.0))
    assert stretch >= 1 and length(stretch) <= most
    assert all(held) or length(stretch * (1 + 1e-9)) > most


def test_a_stretch_takes_few_looks_at_the_longest_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bisection to the last digit takes fifty, each as long as the pipeline."""
    looks, length = [], PathNetwork.length
    monkeypatch.setattr(PathNetwork, "length", lambda *given: looks.append(1) or length(*given))
    (problem,) = pipeline_problems(random_instance(random.Random(4), shape="random", modules=(40, 40)))
    latencies = [problem.slo / (100 + 3 * m) for m in range(40)]
    largest_stretch(problem, latencies, [latency if m % 2 else 0.0 for m, latency in enumerate(latencies)])
    assert len(looks) < 10


@pytest.mark.parametrize("spare", [0, 2])
@pytest.mark.parametrize("dispatch", [Dispatch.TC, Dispatch.ROUND_ROBIN, Dispatch.PACED])
def test_the_cheapest_of_one_configuration_is_found_without_sizing_all(
    dispatch: Dispatch, spare: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sized, alone = [], bounds._machines_alone
    monkeypatch.setattr(bounds, "_machines_alone", lambda *given: sized.append(1) or alone(*given))
    configurations = 0
    for seed in range(60):
        (problem,) = pipeline_problems(random_instance(random.Random(seed), modules=(1, 1), configurations=(4, 4)))
        module = replace(problem.modules[0], spare=spare)
        budget = smallest_latency(module, dispatch) * random.Random(seed).uniform(0.9, 3)
        found = [alone(c, module, budget, dispatch) for c in module.configurations]
        costs = [(n + spare) * c.price for c, n in zip(module.configurations, found, strict=True) if n is not None]
        single = cheapest_single(module, budget, dispatch)
        assert (None if single is None else single[0].cost) == (min(costs) if costs else None)
        configurations += len(module.configurations)
    assert len(sized) < configurations
