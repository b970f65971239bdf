"""Is the theorem of docs/shared.md true? Written from its prose alone: nothing of the package is imported.

``python -m studies.shared.referee --mixes 4000`` draws pipelines with fan-outs, joins and transfers, hands some modules
of each to one machine, with shares of its time that sum to exactly 1, and runs it in exact fractions on streams of the
class: dense stretches, gaps just beyond the times after which batches close, bursts behind the regulator, shorter
batches, batches that join at one instant in any order. ``--load 1.02`` and ``--when-full`` break the condition and the
rule, to show that the referee can find what is late. It exits with 1 if a batch was.
"""

from __future__ import annotations

import argparse
import random
import sys
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_PATTERN = 240
"""Roots over which a pattern is looked at: several of its periods."""
_FANOUTS = tuple(map(Fraction, ("1/4", "2/5", "1/2", "1", "1", "1", "13/10", "3/2", "2", "5/2")))
_BEYOND = tuple(map(Fraction, ("1/1000000", "1/100", "1/2", "1", "2", "7")))


@dataclass(frozen=True)
class Guest:
    """One group: what comes, at which times, and how it is served."""

    arrivals: tuple[Fraction, ...]
    batch: int
    duration: Fraction
    close_after: Fraction


def counts(rng: random.Random) -> list[list[int]]:
    """Requests that every root brings to each module of a random pipeline: ceil(f k) of the first k go on."""
    modules = [[1] * _PATTERN]
    for _ in range(rng.randint(0, 3)):
        edges = [_sent(rng.choice(modules), rng.choice(_FANOUTS)) for _ in range(rng.choice((1, 1, 2)))]
        if rng.random() < 0.5:
            modules.append(max(edges, key=sum))  # join: all, one edge leads
        else:
            modules.append([sum(each) for each in zip(*edges, strict=True)])
    return modules


def _sent(tail: Sequence[int], fanout: Fraction) -> list[int]:
    sent, found, before = 0, [], 0
    for count in tail:
        before += count
        found.append(ceil(fanout * before) - sent)
        sent += found[-1]
    return found


def roots(rng: random.Random, rate: Fraction, closings: Sequence[Fraction]) -> list[Fraction]:
    """Entries of roots: at least 1 / rate apart, dense for stretches, some stretches a burst that was spaced."""
    dense, time, found = rng.choice((0.5, 0.85, 1.0)), Fraction(rng.randint(0, 40), 40) / rate, []
    for _ in range(_PATTERN):
        found.append(time)
        gap = 1 / rate
        if rng.random() > dense:
            gap = max(gap, rng.choice(closings) + rng.choice(_BEYOND) * rng.choice((1 / rate, Fraction(1, 1000))))
        time += gap
    return found


def mix(rng: random.Random, load: Fraction) -> tuple[list[Guest], list[Fraction]]:
    """Groups of two to five modules on one machine, and the latency that each is promised."""
    drawn: list[tuple[Fraction, list[int]]] = []
    alike = rng.random() < 0.3
    rate = Fraction(rng.choice((1, 3, 10, 40)))
    for _ in range(rng.randint(1, 3)):
        rate = rate if alike else Fraction(rng.choice((1, 3, 10, 40)))
        patterns = counts(rng)
        drawn += [(rate, pattern) for pattern in rng.sample(patterns, rng.randint(1, len(patterns)))]
    drawn = drawn[:5]
    shares = [Fraction(rng.choice((1, 1, 3, 9))) for _ in drawn]
    made = [(*_planned(rng, rate, pattern), rate, pattern) for rate, pattern in drawn]
    durations = [load * share / sum(shares) * one[2] for share, one in zip(shares, made, strict=True)]
    guests = []
    entered: dict[Fraction, list[Fraction]] = {}
    for (batch, closing, _, own_rate, pattern), duration in zip(made, durations, strict=True):
        times = entered.setdefault(own_rate, roots(rng, own_rate, [one[1] for one in made]))
        offset = Fraction(rng.randint(0, 30), 30) * rng.choice((Fraction(0), 1 / own_rate, closing, sum(durations)))
        arrivals = tuple(time + offset for time, count in zip(times, pattern, strict=True) for _ in range(count))
        guests.append(Guest(arrivals, batch, duration, closing))
    return guests, [guest.close_after + sum(durations) for guest in guests]


def _planned(rng: random.Random, rate: Fraction, pattern: Sequence[int]) -> tuple[int, Fraction, Fraction]:
    """Places of a batch, seconds after which it closes, seconds between two openings at least."""
    brings = [k for k, count in enumerate(pattern) if count]
    apart = min(b - a for a, b in pairwise(brings)) / rate
    closing = rng.choice((Fraction(0), Fraction(rng.randint(1, 8)), Fraction(rng.randint(1, 80), 10))) / rate
    window = max(1, ceil(closing * rate))
    batch = max(sum(pattern[k : k + window]) for k in range(_PATTERN - window))
    return batch, closing, max(closing, apart)


def longest_stays(rng: random.Random, guests: Sequence[Guest], when_full: bool) -> list[Fraction]:
    """Longest time from a request to its end on one machine, first come first served."""
    queue = [
        (joined, rng.random(), g, opened) for g, one in enumerate(guests) for joined, opened in _batches(one, when_full)
    ]
    free, longest = Fraction(0), [Fraction(0)] * len(guests)
    quick = rng.choice((0.0, 0.0, 0.3))
    for joined, _, g, opened in sorted(queue):
        duration = guests[g].duration * (Fraction(rng.randint(0, 9), 10) if rng.random() < quick else 1)
        free = max(free, joined) + duration
        longest[g] = max(longest[g], free - opened)
    return longest


def _batches(guest: Guest, when_full: bool) -> list[tuple[Fraction, Fraction]]:
    """When each batch joins the queue, and when it opened."""
    found, first, times = [], 0, guest.arrivals
    while first < len(times):
        opened = times[first]
        last = first + 1
        while last < len(times) and (times[last] < opened + guest.close_after or times[last] == opened):
            last += 1
        assert last - first <= guest.batch, "a batch holds what comes"
        if when_full and last - first == guest.batch:
            found.append((times[last - 1], opened))
        else:
            found.append((opened + guest.close_after, opened))
        first = last
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(description="Try to break the theorem of shared machines.")
    parser.add_argument("--mixes", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--load", type=Fraction, default=Fraction(1), help="share of the machine's time asked for")
    parser.add_argument("--when-full", action="store_true", help="batches join as soon as they are full")
    options = parser.parse_args(arguments)
    over, largest, requests = 0, Fraction(0), 0
    for number in range(options.mixes):
        rng = random.Random(f"{options.seed}/{number}")
        guests, promised = mix(rng, options.load)
        stays = longest_stays(rng, guests, options.when_full)
        ratio = max(stay / bound for stay, bound in zip(stays, promised, strict=True))
        over += ratio > 1
        largest = max(largest, ratio)
        requests += sum(len(guest.arrivals) for guest in guests)
    print(f"{options.mixes} mixes, {requests:,} requests: {over} over, largest stay / promise {float(largest):.6f}")
    return int(over > 0)


if __name__ == "__main__":
    sys.exit(main())
