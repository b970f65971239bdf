"""Theorem 8 of docs/dispatch.md: several tuples in turns, on streams of the class and on slotted ones."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import networkx as nx
import pytest

from harpagon.formulations.paced import Stream
from harpagon.formulations.waves import pipeline_waves
from harpagon.instances.instance import Configuration
from studies.dispatch.sequences import proven_gap, slotted_gap

if TYPE_CHECKING:
    from collections.abc import Callable

ROOTS = 400


def worst_over_claim(
    rng: random.Random, gap: Callable[[Configuration, Stream, float], float], slow: float, *, slotted: bool
) -> float:
    """Largest latency over max (d + c) of machines with one turn a cycle, their d ``slow`` times what is proven."""
    graph = nx.DiGraph()
    graph.add_edge("a", "b", fanout=rng.choice((0.5, 1.0, 1.0, 1.5, 2.0)))
    stream = Stream(10.0, pipeline_waves(graph)["b"])
    turns = []
    for _ in range(rng.randint(2, 6)):
        batch = rng.randint(stream.wave.most(1), 8)
        wait = 0.0 if rng.random() < 0.2 else rng.uniform(0.0, batch / float(stream.wave.rate) / stream.rate)
        turns.append((batch, wait, gap(Configuration("gpu", batch, 1.0, 1.0), stream, wait)))
    duration = slow * sum(apart for *_, apart in turns)
    arrivals, now = [], 0.0
    for root in range(ROOTS):
        arrivals += [now] * stream.wave.counts[root % stream.wave.period]
        close = rng.choice([wait for _, wait, _ in turns]) + 1e-7
        steps = (1, 1, 1, 2, 3) if slotted else (1.0, 1.0, 1.001, close * stream.rate, rng.uniform(1, 4))
        now += max(1.0, rng.choice(steps)) / stream.rate
    free, worst, first, turn = [0.0] * len(turns), 0.0, 0, 0
    while first < len(arrivals):
        batch, wait, _ = turns[turn]
        last = first + 1
        while last < min(first + batch, len(arrivals)) and arrivals[last] <= arrivals[first] + wait + 1e-12:
            last += 1
        closed = arrivals[last - 1] if last - first == batch else arrivals[first] + wait
        free[turn] = max(closed, free[turn]) + duration
        worst = max(worst, free[turn] - arrivals[first])
        first, turn = last, (turn + 1) % len(turns)
    return worst / (duration + max(wait for _, wait, _ in turns))


@pytest.mark.parametrize(("gap", "slotted"), [(proven_gap, False), (slotted_gap, True)])
def test_turns_keep_the_longest_duration_and_time_out(
    gap: Callable[[Configuration, Stream, float], float], slotted: bool
) -> None:
    rng = random.Random(8)
    assert max(worst_over_claim(rng, gap, 1.0, slotted=slotted) for _ in range(80)) <= 1 + 1e-9
    assert max(worst_over_claim(rng, gap, 1.2, slotted=slotted) for _ in range(40)) > 1.01
    if slotted:  # what holds on multiples of 1 / R is not enough for every stream
        assert max(worst_over_claim(rng, gap, 1.0, slotted=False) for _ in range(40)) > 1.01
