"""Waves: requests of a paced pipeline reach a module only at instants of the root requests' even clock.

With even arrivals and fixed fan-out, a module that hands its results on at a fixed time after their root request sends
nothing between these instants. How many requests come at them is known exactly, so a module of one tuple can be served
in step with them, by a batch that closes after a fixed number of instants or of requests. docs/dispatch.md has the
proofs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import count
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from harpagon.instances.plan import DispatchTuple

_ROUNDING = 1e-9
"""Requests: products of whole numbers and fan-outs this near to a whole number are that number."""
_CLOCK_ROUNDING = 1e-9
"""Seconds by which equal times may differ: sums of clock times round."""
_LOADED = 1e-12
"""Relative: machines this near to their full load are fully loaded. More would add up over many batches."""
_LARGEST_DENOMINATOR = 1_000
"""Fan-outs are taken for fractions with denominators up to this."""
_LONGEST_PERIOD = 10_000
"""Instants after which a pattern that has not repeated counts as one that never does."""


class Waves(Protocol):
    """How many requests come at the instants of the root requests."""

    @property
    def mean(self) -> float:
        """Requests per instant."""

    @property
    def excess(self) -> float:
        """The first k instants bring at most k x mean + this."""

    @property
    def period(self) -> float:
        """Instants after which the pattern repeats, infinity where that is not known."""

    def most(self, instants: int) -> int:
        """Most requests of so many instants in a row."""

    def fewest(self, instants: int) -> int:
        """Fewest requests of so many instants in a row."""


@dataclass(frozen=True, slots=True)
class RootWaves:
    """The root requests themselves: one at every instant."""

    @property
    def mean(self) -> float:
        """One."""
        return 1.0

    @property
    def excess(self) -> float:
        """None."""
        return 0.0

    @property
    def period(self) -> float:
        """One instant."""
        return 1.0

    def most(self, instants: int) -> int:
        """As many as instants."""
        return instants

    def fewest(self, instants: int) -> int:
        """As many as instants."""
        return instants


@dataclass(frozen=True, slots=True)
class SentWaves:
    """What an edge makes of the waves of its tail: of the first k requests ceil(k x ``fanout``) are sent on."""

    tail: Waves
    fanout: float

    @property
    def mean(self) -> float:
        """Requests per instant."""
        return self.tail.mean * self.fanout

    @property
    def excess(self) -> float:
        """Rounding up adds less than one, and nothing to whole multiples."""
        return self.tail.excess * self.fanout + (0.0 if self.fanout.is_integer() else 1.0)

    @property
    def period(self) -> float:
        """The tail's period until its requests, times the fan-out, are whole."""
        ratio = Fraction(self.fanout).limit_denominator(_LARGEST_DENOMINATOR)
        if not math.isclose(ratio, self.fanout, rel_tol=_ROUNDING) or math.isinf(self.tail.period):
            return math.inf
        requests = round(self.tail.mean * self.tail.period)
        return self.tail.period * (requests * ratio).denominator

    def most(self, instants: int) -> int:
        """ceil(x + y) <= ceil(x) + ceil(y)."""
        return math.ceil(self.tail.most(instants) * self.fanout - _ROUNDING)

    def fewest(self, instants: int) -> int:
        """ceil(x + y) >= ceil(x) + floor(y)."""
        return math.floor(self.tail.fewest(instants) * self.fanout + _ROUNDING)


@dataclass(frozen=True, slots=True)
class UnitedWaves:
    """The requests of several edges."""

    parts: tuple[Waves, ...]

    @property
    def mean(self) -> float:
        """Requests per instant."""
        return sum(part.mean for part in self.parts)

    @property
    def excess(self) -> float:
        """That of all parts."""
        return sum(part.excess for part in self.parts)

    @property
    def period(self) -> float:
        """The least common multiple."""
        periods = [part.period for part in self.parts]
        return math.inf if math.inf in periods else float(math.lcm(*map(int, periods)))

    def most(self, instants: int) -> int:
        """All parts at their most."""
        return sum(part.most(instants) for part in self.parts)

    def fewest(self, instants: int) -> int:
        """All parts at their fewest."""
        return sum(part.fewest(instants) for part in self.parts)


def spacing_delay(waves: Waves, clock: float, rate: float) -> float:
    """Seconds that a regulator which lets ``rate`` requests a second pass adds to waves at ``clock`` instants a second.

    Of s + 1 instants in a row the last request waits for the others: (most(s + 1) - 1) / rate - s / clock, for the
    worst s of a period. Where no period is known, most(s + 1) <= (s + 1) mean + excess.
    """
    if waves.period > _LONGEST_PERIOD:
        return max(0.0, waves.mean + waves.excess - 1.0) / rate
    return max((waves.most(s + 1) - 1) / rate - s / clock for s in range(int(waves.period)))


@dataclass(frozen=True, slots=True)
class WaveService:
    """How one tuple serves waves.

    Attributes
    ----------
    batch
        Requests at which a batch closes.
    patience
        Seconds after its first request at which it closes anyway.
    latency
        Seconds within which every request is done.
    """

    batch: int
    patience: float
    latency: float


def wave_service(waves: Waves, clock: float, part: DispatchTuple) -> WaveService | None:
    """Quickest way for one tuple to serve ``waves`` at ``clock`` instants per second, None where none is known.

    A residual is paid by the batch: it may run full batches only.
    """
    known = [service for service in (_by_instants(waves, clock, part), _by_requests(waves, clock, part)) if service]
    return min(known, key=lambda service: service.latency, default=None)


def _by_instants(waves: Waves, clock: float, part: DispatchTuple) -> WaveService | None:
    """A batch takes all requests of m instants, as few as leave the n machines time: m / clock >= d / n."""
    if part.is_residual:
        return None
    duration = part.configuration.duration
    instants = max(1, math.ceil(clock * duration / part.machines * (1 - _LOADED)))
    if waves.most(instants) > part.configuration.batch:
        return None
    patience = (instants - 1) / clock + _CLOCK_ROUNDING
    return WaveService(part.configuration.batch, patience, duration + patience)


def _by_requests(waves: Waves, clock: float, part: DispatchTuple) -> WaveService | None:
    """A batch takes a fixed number of requests; what it waits for them and for a machine is the worst of a period."""
    if waves.period > _LONGEST_PERIOD:
        return None
    duration, largest = part.configuration.duration, part.configuration.batch
    machines = max(1, math.floor(part.machines))
    fewest = math.ceil(waves.mean * clock * duration / machines * (1 - _LOADED))
    best: WaveService | None = None
    for batch in (largest,) if part.is_residual else range(max(1, fewest), largest + 1):
        filling = _span(waves, batch) / clock + _CLOCK_ROUNDING
        if best is not None and duration + filling >= best.latency:
            break
        latency = filling + duration + _lateness(waves, clock, batch * machines, duration)
        if best is None or latency < best.latency:
            best = WaveService(batch, filling, latency)
    return best


def _span(waves: Waves, requests: int) -> int:
    """Most steps from the first to the last of so many requests in a row: those between bring two fewer at most."""
    return 0 if requests < 2 else next(steps for steps in count(1) if waves.fewest(steps) > requests - 2)


def _lateness(waves: Waves, clock: float, rotation: int, duration: float) -> float:
    """Longest wait of a closed batch for its machine, which runs one batch of every ``rotation`` requests.

    The batch j turns earlier closed at least s / clock before, s being the fewest steps that so many requests take:
    most(s + 1) > j x rotation. It leaves its machine j durations later.
    """
    requests = round(waves.mean * waves.period)
    turns = requests // math.gcd(requests, rotation)
    separations = (_fewest_steps(waves, turn * rotation) / clock for turn in range(1, turns + 1))
    return max(0.0, *(turn * duration - apart for turn, apart in enumerate(separations, 1)))


def _fewest_steps(waves: Waves, requests: int) -> int:
    least = max(0, math.floor((requests + 1 - waves.excess) / waves.mean) - 2)
    return next(steps for steps in count(least) if waves.most(steps + 1) > requests)
