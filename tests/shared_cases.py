"""Mixes, streams that use up the promised class, and a machine in exact figures: the referee of shared machines."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import networkx as nx

from harpagon.formulations.waves import pipeline_waves
from harpagon.instances.instance import Configuration, Hardware, Instance, Pipeline
from harpagon.instances.policies import Billing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harpagon.formulations.waves import Wave

FANOUTS = (0.25, 0.4, 0.5, 1.0, 1.0, 1.3, 2.0, 2.5)


@dataclass(frozen=True)
class Stream:
    """Root requests of one pipeline at least 1 / rate apart, and what each brings to a module."""

    rate: Fraction
    wave: Wave
    roots: tuple[Fraction, ...]

    def requests(self) -> list[Fraction]:
        counts = self.wave.counts
        return [time for k, time in enumerate(self.roots) for _ in range(counts[k % len(counts)])]


@dataclass(frozen=True)
class Turn:
    """A group in exact figures."""

    batch: int
    duration: Fraction
    close_after: Fraction
    stream: Stream


def wave_of(fanout: float) -> Wave:
    graph = nx.DiGraph()
    graph.add_edge("root", "module", fanout=fanout)
    return pipeline_waves(graph)["module"]


def roots(rng: random.Random, rate: Fraction, count: int) -> tuple[Fraction, ...]:
    """As dense as the promise allows for stretches, with gaps just beyond a whole number of intervals between."""
    time, found = Fraction(rng.randint(0, 50), 50) / rate, []
    for _ in range(count):
        found.append(time)
        gap = Fraction(1) if rng.random() < 0.8 else 1 + Fraction(rng.choice((1, 10, 500, 1000, 2001, 7000)), 1000)
        time += gap / rate
    return tuple(found)


def closings(turn: Turn, *, when_full: bool = False) -> list[tuple[Fraction, Fraction, int]]:
    """(closing, opening, requests) of every batch; ``when_full`` closes a full batch at once."""
    waiting, found, first = turn.stream.requests(), [], 0
    while first < len(waiting):
        opened = waiting[first]
        last = first
        while last < len(waiting) and (waiting[last] < opened + turn.close_after or waiting[last] == opened):
            last += 1
            if when_full and last - first == turn.batch:
                break
        full = when_full and last - first == turn.batch
        found.append((waiting[last - 1] if full else opened + turn.close_after, opened, last - first))
        first = last
    return found


def longest_stays(turns: Sequence[Turn], *, when_full: bool = False) -> list[Fraction]:
    """Per group the longest time from the opening of a batch to its end on one machine, first come first served."""
    queue = [
        (closed, g, opened, size)
        for g, turn in enumerate(turns)
        for closed, opened, size in closings(turn, when_full=when_full)
    ]
    free, longest = Fraction(-1), [Fraction(0)] * len(turns)
    for closed, g, opened, size in sorted(queue):
        assert size <= turns[g].batch, "a batch holds what comes"
        free = max(free, closed) + turns[g].duration
        longest[g] = max(longest[g], free - opened)
    return longest


def dealt_model() -> Instance:
    """One request of `b` takes 60 ms, so that one machine serves 20 of 24 at 20 req/s, and the rest joins `a`."""
    two = two_models((20.0, 20.0), slo=0.2)
    profiles = {
        "model-a": (Configuration("gpu", 1, 0.01, 1.0),),
        "model-b": (Configuration("gpu", 1, 0.06, 1.0),),
    }
    return replace(two, profiles=profiles)


def two_models(rates: Iterable[float] = (20.0, 20.0), slo: float = 0.4, memory: float | None = None) -> Instance:
    """Two pipelines of one module each, that each take a fifth of a machine at 20 req/s."""
    hardware = {"gpu": Hardware("gpu", 1.0, memory_gb=None if memory is None else 8.0)}
    profiles, pipelines = {}, []
    for name, rate in zip("ab", rates, strict=True):
        graph = nx.DiGraph()
        graph.add_node("m", model=f"model-{name}", join="all")
        pipelines.append(Pipeline(name, rate, slo, graph))
        pairs = ((1, 0.03), (4, 0.04), (8, 0.06))
        profiles[f"model-{name}"] = tuple(
            Configuration("gpu", batch, duration, 1.0, memory_gb=memory) for batch, duration in pairs
        )
    return Instance("two", Billing.SHARED, hardware, profiles, tuple(pipelines))
