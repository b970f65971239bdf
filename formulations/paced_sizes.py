"""Smallest single tuples that keep a budget in a paced pipeline: closed forms and one bisection per configuration.

With one tuple H falls as machines are added, under each dispatcher: both lags do, and so does d / n.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property, lru_cache
from math import ceil
from typing import TYPE_CHECKING

from harpagon.formulations.paced import at_once_rate, batch_wave, corners, exact, exact_throughput, lag, upward

if TYPE_CHECKING:
    from harpagon.formulations.paced import Stream
    from harpagon.instances.instance import Configuration

_CLEAR = 1e-10
"""Relative: figures further apart than this are told apart without fractions; rounding is a ten-thousandth of it."""


def fewest_machines(configuration: Configuration, stream: Stream, budget: float) -> int | None:
    """Fewest whole machines of one configuration whose H is at most ``budget`` seconds; None where none are enough."""
    return _size(configuration, stream).fewest(budget)


def least_residual(configuration: Configuration, stream: Stream, budget: float) -> float | None:
    """Least rate of one partly used machine, alone, whose H is at most ``budget`` seconds.

    None where it would have to be a whole machine.
    """
    room = exact(budget) - exact(configuration.duration)
    if room < 0:
        return None
    if configuration.is_capacity:
        load = upward(stream.wave.rate * exact(stream.rate))
        return load if load < configuration.throughput else None
    known = [_residual_in_step(configuration, stream, room), _residual_at_once(configuration, stream, room)]
    rate = min((upward(rate) for rate in known if rate is not None), default=None)
    if rate is None or rate >= exact_throughput(configuration) or rate >= configuration.throughput:
        return None  # a whole machine, in fractions or in a plan file
    return rate


class _Size:
    """What no budget changes about one tuple of whole machines.

    Floating-point figures decide wherever they are clear; fractions decide the rest.
    """

    def __init__(self, configuration: Configuration, stream: Stream) -> None:
        self.configuration = configuration
        self.stream = stream
        self.duration, clock = exact(configuration.duration), exact(stream.rate)
        if configuration.is_capacity:
            return
        self.batches = batch_wave(stream.wave, configuration.batch)
        self.least = max(1, ceil(self.batches.rate * clock * self.duration))
        self.once = self.batches.most(1)
        self.corners = [(s / stream.rate, float(turn + 1)) for s, turn in corners(stream.wave, configuration.batch)]
        self.longest = float(configuration.batch / (stream.wave.rate * clock))

    @cached_property
    def enough(self) -> int:
        """Machines that run every batch at once."""
        return self.batches.most(ceil(exact(self.stream.rate) * self.duration))

    def fewest(self, budget: float) -> int | None:
        """As `fewest_machines`."""
        room = budget - self.configuration.duration
        if room < 0 and exact(budget) < self.duration:
            return None
        if self.configuration.is_capacity:
            return ceil(self.stream.wave.rate * exact(self.stream.rate) / Fraction(self.configuration.throughput))
        return self._at_once(budget, self._in_step(budget, room))

    def _in_step(self, budget: float, room: float) -> int | None:
        """Fewest n with d / n at most the longest step; None where there is no room for any."""
        if room > _CLEAR * budget:
            step = min(self.longest, *((room + seconds) / turns for seconds, turns in self.corners))
            machines = self.configuration.duration / step
            if abs(machines - round(machines)) > machines * _CLEAR * (1 + budget / room):
                return ceil(machines)
        exactly = exact(budget) - self.duration
        if exactly == 0:
            return None
        return ceil(self.duration / _longest_step(self.configuration, self.stream, exactly))

    def _at_once(self, budget: float, known: int | None) -> int:
        """Fewest machines of an at-once module, or the ``known`` number where that is no more.

        As many as roots can bring batches in one duration run every batch at once.
        """
        low, high = self.least, self.enough
        if known is not None:
            if known <= low or not self._keep(known - 1, budget):
                return known
            high = min(high, known)
        room = exact(budget) - self.duration
        while low < high:
            middle = (low + high) // 2
            late = lag(self.batches, middle, self.duration, self.stream.rate)
            low, high = (low, middle) if late is not None and late <= room else (middle + 1, high)
        return low

    def _keep(self, machines: int, budget: float) -> bool:
        """Whether the batches of one root alone find ``machines`` in time: those of more roots wait no less."""
        turns = 1 + (self.once - 1) // machines
        left = budget - turns * self.configuration.duration
        if abs(left) > _CLEAR * budget:
            return left > 0
        return turns * self.duration <= exact(budget)


@lru_cache(maxsize=32_768)
def _size(configuration: Configuration, stream: Stream) -> _Size:
    return _Size(configuration, stream)


def _longest_step(configuration: Configuration, stream: Stream, room: Fraction) -> Fraction:
    """Largest b / rho with b / rho + lag <= ``room`` at which the tuple keeps up: (q + 1) step <= room + s / R."""
    clock = exact(stream.rate)
    batch = configuration.batch
    fits = min((room + s / clock) / (turn + 1) for s, turn in corners(stream.wave, batch))
    return min(fits, batch / (stream.wave.rate * clock))


def _residual_in_step(configuration: Configuration, stream: Stream, room: Fraction) -> Fraction | None:
    return configuration.batch / _longest_step(configuration, stream, room) if room > 0 else None


def _residual_at_once(configuration: Configuration, stream: Stream, room: Fraction) -> Fraction | None:
    known = at_once_rate(configuration, stream)
    return known[0] if known is not None and known[1] <= room else None
