"""The physics of ``shared`` billing: what one machine keeps that several modules take turns on.

A *group* is a module on a shared machine: its whole stream, one configuration (batch b, duration d), and c, the seconds
after which its batches close. A batch opens with a request that finds none open, takes what comes before it closes,
closes exactly c after it opened, full or not, and then joins the machine's one queue: first come, first served, no
preemption. A *mix* is the groups of one machine. With P the least time between two openings of a group

    sum over the groups of d / P <= 1    implies    every request is done within  H = c + sum of d  of its arrival.

docs/shared.md has the proof. For roots at least 1 / R apart that bring at most M(k) requests with any k in a row,

    P = max(c, p / R),    p the fewest roots from one that brings something to the next,

and a batch holds what comes where M(k) <= b, k = ceil(c R), at least 1. Groups are planned *at once*, c = 0, and *after
k roots*, c = k / R: k the multiples of q = max(p, floor of 1 / the requests per root), as far as M(k) <= b, and the
largest k with M(k) <= b.

Memory: the models of a mix, each counted once, must fit the machine; a model or a machine without ``memory_gb`` does
not count.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING

from harpagon.formulations.paced import batch_wave, exact
from harpagon.formulations.physics import RATE_TOLERANCE, TIME_TOLERANCE
from harpagon.instances.plan import DispatchTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harpagon.formulations.paced import Stream
    from harpagon.formulations.problem import ModuleProblem
    from harpagon.formulations.waves import Wave
    from harpagon.instances.instance import Configuration, Hardware

LONGEST = 1e6
"""Seconds that no batch is kept open for."""
DISPATCHER = "turns"
"""Word of plans for the dispatcher of a group."""


@dataclass(frozen=True, slots=True)
class Group:
    """How one module uses a shared machine.

    Attributes
    ----------
    configuration
        What it runs.
    close_after
        Seconds from the opening of a batch to its closing, c.
    spacing
        Seconds between two openings at least, P.
    """

    configuration: Configuration
    close_after: float
    spacing: float

    @property
    def duration(self) -> float:
        """Seconds of one batch at most, d."""
        return self.configuration.duration

    @property
    def share(self) -> float:
        """Share of the machine's time, d / P."""
        return self.configuration.duration / self.spacing


@dataclass(frozen=True, slots=True)
class Mix:
    """The groups of one machine.

    Attributes
    ----------
    members
        Numbers of the modules, those of all pipelines in one list, ascending.
    groups
        Their groups, all on one hardware type.
    """

    members: tuple[int, ...]
    groups: tuple[Group, ...]

    @property
    def hardware(self) -> str:
        """Type of the machine."""
        return self.groups[0].configuration.hardware

    @property
    def price(self) -> float:
        """Dollars per hour of the machine."""
        return self.groups[0].configuration.price


def group(configuration: Configuration, stream: Stream, close_after: float) -> Group | None:
    """Group that closes its batches so many seconds after they open; None where a batch does not hold what comes."""
    roots = max(1, ceil(close_after * stream.rate * (1 - RATE_TOLERANCE)))
    if configuration.is_capacity or stream.wave.most(roots) > configuration.batch:
        return None
    least = roots_apart(stream.wave, configuration.batch) / exact(stream.rate)
    return Group(configuration, close_after, max(close_after, float(least)))


def groups(module: ModuleProblem, latest: float) -> tuple[Group, ...]:
    """Groups that a module can be, none of them beaten by another on the same hardware in c, d and d / P.

    Parameters
    ----------
    module
        A module with its stream.
    latest
        Seconds within which it must be done.
    """
    found = every_group(module, latest)
    return tuple(one for one in found if not any(_beats(other, one) for other in found))


def every_group(module: ModuleProblem, latest: float = LONGEST) -> list[Group]:
    """Groups of every configuration that a machine can serve, done within ``latest`` seconds if they are alone."""
    assert module.stream is not None, "compiled from a pipeline"
    made = [
        group(configuration, module.stream, close_after)
        for configuration in module.configurations
        for close_after in _closings(configuration, module.stream, latest - configuration.duration)
    ]
    return [one for one in made if one is not None and one.share <= 1 + RATE_TOLERANCE]


def _closings(configuration: Configuration, stream: Stream, room: float) -> Iterator[float]:
    """Times after which batches may close, of those that there is room for: 0, and k / R for the k of a group."""
    if configuration.is_capacity or room < -TIME_TOLERANCE or stream.wave.most(1) > configuration.batch:
        return
    yield 0.0
    wave, clock = stream.wave, exact(stream.rate)
    apart, allowed = roots_apart(wave, configuration.batch), floor((room + TIME_TOLERANCE) * stream.rate)
    fits = roots_that_fit(wave, configuration.batch, allowed + 1)
    step = max(apart, floor(1 / wave.rate))
    for roots in range(step, min(fits, allowed) + 1, step):
        if roots > apart:
            yield float(roots / clock)
    if apart < fits <= allowed and fits % step:
        yield float(fits / clock)


def _beats(left: Group, right: Group) -> bool:
    """Whether ``left`` is no worse in any respect and comes first among equals."""
    if left.configuration.hardware != right.configuration.hardware or left is right:
        return False
    mine = (left.close_after, left.duration, left.share)
    theirs = (right.close_after, right.duration, right.share)
    no_worse = all(a <= b for a, b in zip(mine, theirs, strict=True))
    return no_worse and (mine != theirs or left.configuration.batch < right.configuration.batch)


def roots_that_fit(wave: Wave, batch: int, most: int) -> int:
    """The most roots in a row, up to ``most``, that never bring more than ``batch`` requests: M(s) <= b < M(s + 1)."""
    roots = 0
    while roots < most and wave.most(roots + 1) <= batch:
        roots += 1
    return roots


def roots_apart(wave: Wave, batch: int) -> int:
    """The fewest roots from one that brings something to the next such: 1 where the pattern is not written out."""
    batches = batch_wave(wave, batch)
    roots = 1
    while batches.most(roots + 1) <= 1:
        roots += 1
    return roots


def cycle(mix: Iterable[Group]) -> float:
    """Seconds of one batch of every group: what a batch waits and runs after it closed, at most."""
    return float(sum((exact(one.duration) for one in mix), Fraction(0)))


def busy(mix: Iterable[Group]) -> float:
    """Share of the machine's time that the groups may take together."""
    return sum(one.share for one in mix)


def latencies(mix: Sequence[Group]) -> tuple[float, ...]:
    """H of every group of a mix, seconds."""
    whole = cycle(mix)
    return tuple(one.close_after + whole for one in mix)


def memory(models: Iterable[tuple[str, Configuration]]) -> float:
    """Gigabytes of the models of a mix, each counted once."""
    return sum({model: configuration.memory_gb or 0.0 for model, configuration in models}.values())


def fits_memory(models: Iterable[tuple[str, Configuration]], hardware: Hardware) -> bool:
    """Whether the models of a mix fit the machine."""
    return hardware.memory_gb is None or memory(models) <= hardware.memory_gb * (1 + RATE_TOLERANCE)


def parts(mix: Sequence[Group]) -> tuple[DispatchTuple, ...]:
    """Tuple of every group: its part of the machine, by the time it takes; the parts of one machine sum to 1."""
    whole = busy(mix)
    shares = [one.share / whole for one in mix]
    return tuple(
        DispatchTuple(one.configuration, share, share * one.configuration.throughput)
        for one, share in zip(mix, shares, strict=True)
    )
