"""Smallest single tuples that keep a budget in a paced pipeline: closed forms and one bisection per configuration.

With one tuple H falls as machines are added, under each dispatcher: both lags do, and so does d / n.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

from harpagon.formulations.paced import at_once_rate, batch_wave, corners, exact, exact_throughput, lag, upward

if TYPE_CHECKING:
    from harpagon.formulations.paced import Stream
    from harpagon.instances.instance import Configuration


def fewest_machines(configuration: Configuration, stream: Stream, budget: float) -> int | None:
    """Fewest whole machines of one configuration whose H is at most ``budget`` seconds; None where none are enough."""
    room = exact(budget) - exact(configuration.duration)
    if room < 0:
        return None
    if configuration.is_capacity:
        return ceil(stream.wave.rate * exact(stream.rate) / Fraction(configuration.throughput))
    in_step = _fewest_in_step(configuration, stream, room)
    return _fewest_at_once(configuration, stream, room, in_step)


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
    return None if rate is None or rate >= exact_throughput(configuration) else rate


def _longest_step(configuration: Configuration, stream: Stream, room: Fraction) -> Fraction:
    """Largest b / rho with b / rho + lag <= ``room`` at which the tuple keeps up: (q + 1) step <= room + s / R."""
    clock = exact(stream.rate)
    batch = configuration.batch
    fits = min((room + s / clock) / (turn + 1) for s, turn in corners(stream.wave, batch))
    return min(fits, batch / (stream.wave.rate * clock))


def _fewest_in_step(configuration: Configuration, stream: Stream, room: Fraction) -> int | None:
    """Fewest n with d / n at most the longest step; None where there is no room for any."""
    if room == 0:
        return None
    return ceil(exact(configuration.duration) / _longest_step(configuration, stream, room))


def _fewest_at_once(configuration: Configuration, stream: Stream, room: Fraction, known: int | None) -> int:
    """Fewest machines of an at-once module, or the ``known`` number where that is no more.

    As many as roots can bring batches in one duration run every batch at once.
    """
    duration, clock = exact(configuration.duration), exact(stream.rate)
    batches = batch_wave(stream.wave, configuration.batch)
    low = max(1, ceil(batches.rate * clock * duration))
    high = batches.most(ceil(clock * duration))
    if known is not None:
        if known <= low or not _keeps(batches.most(1), known - 1, duration, room):
            return known
        high = min(high, known)
    while low < high:
        middle = (low + high) // 2
        late = lag(batches, middle, duration, stream.rate)
        low, high = (low, middle) if late is not None and late <= room else (middle + 1, high)
    return low


def _keeps(most: int, machines: int, duration: Fraction, room: Fraction) -> bool:
    """Whether the batches of one root alone find ``machines`` in time: those of more roots wait no less."""
    return (most - 1) // machines * duration <= room


def _residual_in_step(configuration: Configuration, stream: Stream, room: Fraction) -> Fraction | None:
    return configuration.batch / _longest_step(configuration, stream, room) if room > 0 else None


def _residual_at_once(configuration: Configuration, stream: Stream, room: Fraction) -> Fraction | None:
    known = at_once_rate(configuration, stream)
    return known[0] if known is not None and known[1] <= room else None
