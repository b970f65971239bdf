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

A module may also be dealt out: machines of its own take a share of its requests, the group takes the rest, and H is the
larger of both (`harpagon.formulations.deals`).

Memory: the models of a mix, each counted once, must fit the machine; a model or a machine without ``memory_gb`` does
not count. Machines in spare: a mix has as many beside its machine as any pipeline asks for.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor
from operator import le
from typing import TYPE_CHECKING

from harpagon.formulations.deals import deals, rest_of
from harpagon.formulations.paced import batch_wave, exact
from harpagon.formulations.physics import RATE_TOLERANCE, TIME_TOLERANCE
from harpagon.instances.plan import DispatchTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harpagon.formulations.deals import Deal
    from harpagon.formulations.paced import Stream
    from harpagon.formulations.problem import ModuleProblem
    from harpagon.formulations.waves import Wave
    from harpagon.instances.instance import Configuration, Hardware

LONGEST = 1e6
"""Seconds that no batch is kept open for."""
DISPATCHER = "turns"
"""Word of plans for the dispatcher of a group."""
DEALT = "dealt"
"""Word of plans for the dispatcher of a dealt module."""


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
    deal
        What machines of the module's own take; None where the group serves all of it.
    """

    configuration: Configuration
    close_after: float
    spacing: float
    deal: Deal | None = None

    @property
    def duration(self) -> float:
        """Seconds of one batch at most, d."""
        return self.configuration.duration

    @property
    def share(self) -> float:
        """Share of the machine's time, d / P."""
        return self.configuration.duration / self.spacing

    @property
    def own(self) -> tuple[DispatchTuple, ...]:
        """Machines of the module's own."""
        return () if self.deal is None else (self.deal.own,)

    @property
    def own_cost(self) -> float:
        """Dollars per hour of these."""
        return sum(part.cost for part in self.own)

    def latency(self, whole: float) -> float:
        """Seconds within which the module is done, H, where a batch of every group of the machine takes ``whole``."""
        on_machine = self.close_after + whole
        return on_machine if self.deal is None else max(on_machine, self.deal.service.latency)


@dataclass(frozen=True, slots=True)
class Mix:
    """The groups of one machine.

    Attributes
    ----------
    members
        Numbers of the modules, those of all pipelines in one list, ascending.
    groups
        Their groups, all on one hardware type.
    machines
        The machine and those in spare.
    """

    members: tuple[int, ...]
    groups: tuple[Group, ...]
    machines: int = 1

    @property
    def hardware(self) -> str:
        """Type of the machine."""
        return self.groups[0].configuration.hardware

    @property
    def cost(self) -> float:
        """Dollars per hour of its machines and of those of dealt modules' own."""
        return self.machines * self.groups[0].configuration.price + sum(one.own_cost for one in self.groups)

    def usage(self) -> Counter[str]:
        """Machines of every type that it takes."""
        used = Counter({self.hardware: self.machines})
        for one in self.groups:
            used.update({part.configuration.hardware: int(part.machines) for part in one.own})
        return used


def group(configuration: Configuration, stream: Stream, close_after: float) -> Group | None:
    """Group that closes its batches so many seconds after they open; None where a batch does not hold what comes."""
    roots = max(1, ceil(close_after * stream.rate * (1 - RATE_TOLERANCE)))
    if configuration.is_capacity or stream.wave.most(roots) > configuration.batch:
        return None
    least = roots_apart(stream.wave, configuration.batch) / exact(stream.rate)
    return Group(configuration, close_after, max(close_after, float(least)))


def groups(module: ModuleProblem, latest: float) -> tuple[Group, ...]:
    """Groups that a module can be, none of them beaten by another on the same hardware.

    One beats another that is no smaller in c, d, d / P, and in cost, latency and number of machines of its own.

    Parameters
    ----------
    module
        A module with its stream.
    latest
        Seconds within which it must be done.
    """
    found = [(one, _figures(one)) for one in every_group(module, latest)]
    return tuple(one for one, figures in found if not any(_beats(other, (one, figures)) for other in found))


def every_group(module: ModuleProblem, latest: float = LONGEST) -> list[Group]:
    """Groups that a machine can serve, of all of a module or dealt, done within ``latest`` s if they are alone."""
    found = whole_groups(module, latest)
    for deal in deals(module, latest):
        found += [replace(one, deal=deal) for one in whole_groups(rest_of(module, deal.share), latest)]
    return found


def whole_groups(module: ModuleProblem, latest: float = LONGEST) -> list[Group]:
    """Of `every_group` those that serve all of the module."""
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


def _figures(one: Group) -> tuple[float, ...]:
    waits = 0.0 if one.deal is None else one.deal.service.latency
    return one.close_after, one.duration, one.share, one.own_cost, waits


def _beats(left: tuple[Group, tuple[float, ...]], right: tuple[Group, tuple[float, ...]]) -> bool:
    """Whether ``left`` is no worse in any respect and comes first among equals; both with their figures."""
    (one, mine), (other, theirs) = left, right
    if one is other or not all(map(le, mine, theirs)) or one.configuration.hardware != other.configuration.hardware:
        return False
    return _takes_no_more(one, other) and (mine != theirs or one.configuration.batch < other.configuration.batch)


def _takes_no_more(left: Group, right: Group) -> bool:
    """Whether no type has more machines in ``left`` of the module's own."""
    taken = {part.configuration.hardware: part.machines for part in right.own}
    return all(part.machines <= taken.get(part.configuration.hardware, 0) for part in left.own)


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
    return tuple(one.latency(whole) for one in mix)


def memory(models: Iterable[tuple[str, Configuration]]) -> float:
    """Gigabytes of the models of a mix, each counted once."""
    return sum({model: configuration.memory_gb or 0.0 for model, configuration in models}.values())


def fits_memory(models: Iterable[tuple[str, Configuration]], hardware: Hardware) -> bool:
    """Whether the models of a mix fit the machine."""
    return hardware.memory_gb is None or memory(models) <= hardware.memory_gb * (1 + RATE_TOLERANCE)


def parts(mix: Sequence[Group], machines: int) -> tuple[DispatchTuple, ...]:
    """Tuple of every group: its part of the machines, by the time it takes; the parts of a mix sum to ``machines``."""
    whole = busy(mix)
    shares = [one.share / whole for one in mix]
    return tuple(
        DispatchTuple(one.configuration, machines * share, share * one.configuration.throughput)
        for one, share in zip(mix, shares, strict=True)
    )


def machines_of_a_mix(modules: Iterable[ModuleProblem]) -> int:
    """One, and as many in spare as the most careful pipeline asks for."""
    return 1 + max(module.spare for module in modules)
