"""The physics of ``paced``: the smallest latency that a proven dispatcher keeps for a module, whatever the gaps.

Root requests are at least 1 / R apart, each reaches the module a fixed time after it entered, and what k roots in a
row bring is at most M(k) (`harpagon.formulations.waves`). H is the smallest of what the dispatchers keep for every
such stream; docs/dispatch.md has the proofs. With rho the rate that a tuple works at, W the sum of all rho:

================ ============================== ==============================================================
dispatcher       schedule                       H
================ ============================== ==============================================================
``at-once``      one tuple or one residual      d + lag of batches, n of which take d
``in-step``      one tuple or one residual      d + b / rho + lag of requests, b of which take b / rho
``open-batches`` several tuples                 L of ``edf`` + 1 / W + lag of requests, one of which takes 1 / W
``server``       points of a capacity profile   the largest stated latency
================ ============================== ==============================================================

    lag = max over q >= 0 of (q step - s_q / R),    s_q the fewest s with M(s + 1) > q x quantum:

the longest wait behind a server that needs ``step`` seconds for every ``quantum`` requests. M repeats after P roots
with Q requests, so s_q grows by P where q x quantum grows by Q, and no later q is worse where step R Q / P <= quantum.
For one tuple ``open-batches`` is behind ``in-step`` by 1 / W at least. Every batch is taken to need d, the largest
quantile that a profile states. All figures are fractions of the decimals that files say, rounded once.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import accumulate
from math import ceil, floor, gcd, inf, nextafter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harpagon.formulations.waves import Wave
    from harpagon.instances.instance import Configuration
    from harpagon.instances.plan import DispatchTuple

_LONGEST = 2_048
"""Roots up to which the lag follows a pattern root by root; behind them an upper bound takes its place."""
_LONGEST_BATCHES = 256
"""Roots of a pattern up to which its batches are counted root by root; else every root counts as bringing most."""


class Dispatcher(StrEnum):
    """How a module of a paced pipeline makes its batches."""

    AT_ONCE = "at-once"
    """The requests of each root make batches that go to the machines in rotation immediately."""
    IN_STEP = "in-step"
    """A batch closes when it is full, or a fixed time after its first request; machines in rotation."""
    OPEN_BATCHES = "open-batches"
    """Behind a regulator at rate W each request joins the open batch that is due first."""
    SERVER = "server"
    """The model's own server makes the batches: points of a capacity profile."""


@dataclass(frozen=True, slots=True)
class Stream:
    """What reaches a module: ``rate`` roots a second at the most, each bringing its share of ``wave``."""

    rate: float
    wave: Wave


@dataclass(frozen=True, slots=True)
class Service:
    """How a schedule serves a stream.

    Attributes
    ----------
    dispatcher
        Who keeps the latency.
    latency
        Seconds within which every request of every stream of the class is done: H.
    close_after
        Per tuple, seconds after which a batch closes even if it is not full: counted from its opening, which is its
        first request except under ``open-batches``.
    """

    dispatcher: Dispatcher
    latency: float
    close_after: tuple[float, ...]


def paced_service(tuples: Sequence[DispatchTuple], stream: Stream) -> Service | None:
    """Quickest service of a schedule for a stream; None where it has too little capacity.

    Parameters
    ----------
    tuples
        Schedule of one module in dispatch order, a residual last.
    stream
        What reaches it.
    """
    stated = [part.configuration.is_capacity for part in tuples]
    if any(stated):
        return stated_capacity(tuples, stream) if all(stated) else None
    if not all(part.working for part in tuples):  # rates that were planned with another profile
        return None
    if len(tuples) > 1:
        return open_batches(tuples, stream)
    known = (at_once(tuples[0], stream), in_step(tuples[0], stream))
    return min((service for service in known if service), key=lambda service: service.latency, default=None)


def stated_capacity(tuples: Sequence[DispatchTuple], stream: Stream) -> Service | None:
    """Service by points of a capacity profile: their latency is a measured one, taken at its word."""
    capacity = sum((Fraction(part.rate) for part in tuples), Fraction(0))
    if capacity < stream.wave.rate * exact(stream.rate):
        return None
    latency = max(part.configuration.duration for part in tuples)
    return Service(Dispatcher.SERVER, latency, (0.0,) * len(tuples))


def at_once(part: DispatchTuple, stream: Stream) -> Service | None:
    """Service of one tuple that starts batches as roots come; None where their rate is too high.

    With s_j the fewest s such that s + 1 roots in a row can bring more than j n batches, a batch waits for its machine
    for at most max over j of (j d - s_j / R).
    """
    duration = exact(part.configuration.duration)
    if part.is_residual:
        least = at_once_rate(part.configuration, stream)
        wait = least[1] if least is not None and least[0] <= Fraction(part.rate) else None
    else:
        wait = lag(batch_wave(stream.wave, part.configuration.batch), part.working, duration, stream.rate)
    return None if wait is None else Service(Dispatcher.AT_ONCE, float(duration + wait), (0.0,))


@lru_cache(maxsize=4_096)
def at_once_rate(configuration: Configuration, stream: Stream) -> tuple[Fraction, Fraction] | None:
    """Rate of the full batches that one machine starts as roots come, and how long a batch waits for it in seconds.

    None where it does not keep up.
    """
    batches = batch_wave(stream.wave, configuration.batch)
    wait = lag(batches, 1, exact(configuration.duration), stream.rate)
    return None if wait is None else (batches.rate * configuration.batch * exact(stream.rate), wait)


def in_step(part: DispatchTuple, stream: Stream) -> Service | None:
    """Service of one tuple by batches that close full or c = b / rho + lag after their first request.

    Batches open b / rho apart, up to the lag, and b / rho is at least d / n: each finds its machine by c.
    """
    duration, batch = exact(part.configuration.duration), part.configuration.batch
    step = batch / exact_rate(part) if part.is_residual else duration / part.working
    late = lag(stream.wave, batch, step, stream.rate)
    if late is None:
        return None
    return Service(Dispatcher.IN_STEP, float(duration + step + late), (float(step + late),))


def open_batches(tuples: Sequence[DispatchTuple], stream: Stream) -> Service | None:
    """Service of any tuples by earliest deadline first over open batches, behind a regulator.

    H = L + 1 / W + lag with L = max over k of (sum of b_g over {d_g >= d_k} + sum of rho_g max(d_g, d_k)) / W.
    """
    rates = [exact_rate(part) for part in tuples]
    durations = [exact(part.configuration.duration) for part in tuples]
    total = sum(rates, Fraction(0))
    late = lag(stream.wave, 1, 1 / total, stream.rate)
    if late is None:
        return None
    demand = max(
        sum(part.configuration.batch for part, other in zip(tuples, durations, strict=True) if other >= own)
        + sum(rate * max(own, other) for rate, other in zip(rates, durations, strict=True))
        for own in durations
    )
    due = (demand + 1) / total
    return Service(Dispatcher.OPEN_BATCHES, float(due + late), tuple(float(due - own) for own in durations))


def lag(wave: Wave | BatchWave, quantum: int, step: Fraction, clock: float) -> Fraction | None:
    """Longest wait behind a server that needs ``step`` seconds for every ``quantum`` requests.

    None where it does not keep up with ``clock`` roots a second.
    """
    needed, seconds = step.as_integer_ratio()
    per_second, unit = exact(clock).as_integer_ratio()
    requests, roots = wave.rate.as_integer_ratio()
    if requests * per_second * needed > quantum * roots * unit * seconds:
        return None
    gained, waited = needed * per_second, unit * seconds
    return Fraction(max(turn * gained - s * waited for s, turn in corners(wave, quantum)), seconds * per_second)


@lru_cache(maxsize=4_096)
def corners(wave: Wave | BatchWave, quantum: int) -> tuple[tuple[int, Fraction], ...]:
    """Pairs (s, q) that have the largest q step - s / R for some step and R: the upper hull of all pairs.

    s + 1 roots in a row bring more than q x ``quantum`` requests, so q = floor((M(s + 1) - 1) / quantum). Where the
    pattern of that is too long, M(k) <= k x rate + excess stands for the rest: it rises no faster than the server.
    """
    period = wave.period * (quantum // gcd(quantum, wave.total))
    hull: list[tuple[int, int]] = []
    for point in _first_roots(wave, quantum, min(period, _LONGEST)):
        while len(hull) > 1 and _is_below(hull[-1], hull[-2], point):
            hull.pop()
        hull.append(point)
    found = [(s, Fraction(turn)) for s, turn in hull]
    if period > _LONGEST:
        found.append((_LONGEST, ((_LONGEST + 1) * wave.rate + wave.excess - 1) / quantum))
    return tuple(found)


def _first_roots(wave: Wave | BatchWave, quantum: int, roots: int) -> Iterator[tuple[int, int]]:
    """The first s of every q, s below ``roots``; s is no smaller than M(k) <= k x rate + excess says."""
    rate, excess = float(wave.rate), float(wave.excess)
    s, turn = 0, (wave.most(1) - 1) // quantum
    while s < roots:
        yield s, turn
        above = (turn + 1) * quantum
        s = max(s + 1, floor((above - excess) / rate * (1 - 1e-12)) - 1)
        while s < roots and wave.most(s + 1) <= above:
            s += 1
        turn = (wave.most(s + 1) - 1) // quantum


def _is_below(middle: tuple[int, int], left: tuple[int, int], right: tuple[int, int]) -> bool:
    """Whether ``middle`` lies on or below the line from ``left`` to ``right``."""
    rise, run = right[1] - left[1], right[0] - left[0]
    return (middle[1] - left[1]) * run <= rise * (middle[0] - left[0])


@dataclass(frozen=True)
class BatchWave:
    """Batches that roots bring where each root's requests make batches of their own.

    Attributes
    ----------
    counts
        Batches of each root of one period.
    """

    counts: tuple[int, ...]

    @property
    def period(self) -> int:
        """Roots after which the counts repeat."""
        return len(self.counts)

    @cached_property
    def total(self) -> int:
        """Batches of one period."""
        return sum(self.counts)

    @cached_property
    def rate(self) -> Fraction:
        """Batches per root, in the mean."""
        return Fraction(self.total, self.period)

    @cached_property
    def excess(self) -> Fraction:
        """Batches by which k roots in a row may pass k x rate."""
        return max(most - k * self.rate for k, most in enumerate(self._most))

    def most(self, roots: int) -> int:
        """Most batches that so many roots in a row can bring."""
        periods, rest = divmod(roots, self.period)
        return periods * self.total + self._most[rest]

    @cached_property
    def _most(self) -> tuple[int, ...]:
        totals = list(accumulate(self.counts * 2, initial=0))
        return tuple(max(totals[i + k] - totals[i] for i in range(self.period)) for k in range(self.period))


@lru_cache(maxsize=4_096)
def batch_wave(wave: Wave, batch: int) -> Wave | BatchWave:
    """Batches of at most ``batch`` that the requests of each root make."""
    counts = tuple(ceil(count / batch) for count in wave.counts)
    if counts and counts == wave.counts:
        return wave
    if not counts or len(counts) > _LONGEST_BATCHES or min(counts) == max(counts):
        return BatchWave((ceil(wave.most(1) / batch),))
    return BatchWave(counts)


@lru_cache(maxsize=65_536)
def exact(figure: float) -> Fraction:
    """The decimal figure that a file meant, of at most 15 digits."""
    return Fraction(f"{figure:.15g}")


def exact_rate(part: DispatchTuple) -> Fraction:
    """Requests per second of a tuple: n b / d of whole machines; as it stands that of a residual, or where stated."""
    if part.is_residual or part.configuration.is_capacity:
        return Fraction(part.rate)
    return part.working * exact_throughput(part.configuration)


def exact_throughput(configuration: Configuration) -> Fraction:
    """Requests per second of one machine, b / d."""
    return configuration.batch / exact(configuration.duration)


def upward(figure: Fraction) -> float:
    """The smallest float that is not below ``figure``."""
    nearest = float(figure)
    return nearest if Fraction(nearest) >= figure else nextafter(nearest, inf)
