"""Which requests of a waiting batch are run and which are dropped.

A policy sees the waiting requests in the order of service when a machine is free for them. With now the start of the
batch, d(k) the duration of a batch of k, and a the estimated seconds from the end of this module to the end of the
pipeline, a request of deadline D has the slack D - now.

========== ==================================================================================================
none       drops nothing
late       drops what is late already: slack < 0
early      drops what the batch as it stands would finish late: slack < d(k)
proactive  drops what would be late at the end of the pipeline: slack < d(k) + a (PARD, arXiv 2602.08747)
adaptive   drops what cannot make it even alone, then the tightest i of the k left, with the smallest i for which
           all others make it in the batch of k - i: slack >= d(k - i) + a
========== ==================================================================================================
"""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Choice = tuple[list[int], list[int]]
"""Positions that are kept and positions that are dropped; what is behind the last of both stays in the queue."""


class DropRule(Protocol):
    """Chooses from the waiting requests, where not all of them can be in time in the batch as it stands."""

    @property
    def batches(self) -> int:
        """How many batches of waiting requests it sees at once."""

    def choose(self, slacks: Sequence[float], durations: Sequence[float], ahead: float) -> Choice:
        """Choose.

        Parameters
        ----------
        slacks
            Seconds to the deadline of each waiting request, in the order of service.
        durations
            Seconds of a batch of 0, 1, ..., b requests.
        ahead
            Estimated seconds after this module.
        """


class Drop(StrEnum):
    """Names of the policies, each a `DropRule`."""

    NONE = "none"
    LATE = "late"
    EARLY = "early"
    PROACTIVE = "proactive"
    ADAPTIVE = "adaptive"

    @property
    def batches(self) -> int:
        """Two."""
        return 2

    def choose(self, slacks: Sequence[float], durations: Sequence[float], ahead: float) -> Choice:
        """As `DropRule.choose`."""
        return _POLICIES[self](slacks, durations, ahead)


class DropHopeless:
    """Drops what cannot make it here even alone, slack < d(1), whoever else waits: what Sponge and its baselines do."""

    batches = sys.maxsize

    def choose(self, slacks: Sequence[float], durations: Sequence[float], ahead: float) -> Choice:
        """As `DropRule.choose`."""
        return _above(slacks, durations[1], len(durations) - 1)


def _none(slacks: Sequence[float], durations: Sequence[float], ahead: float) -> Choice:
    return list(range(min(len(slacks), len(durations) - 1))), []


def _late(slacks: Sequence[float], durations: Sequence[float], ahead: float) -> Choice:
    return _above(slacks, 0.0, len(durations) - 1)


def _early(slacks: Sequence[float], durations: Sequence[float], ahead: float) -> Choice:
    return _above(slacks, durations[min(len(slacks), len(durations) - 1)], len(durations) - 1)


def _proactive(slacks: Sequence[float], durations: Sequence[float], ahead: float) -> Choice:
    return _above(slacks, durations[min(len(slacks), len(durations) - 1)] + ahead, len(durations) - 1)


def _adaptive(slacks: Sequence[float], durations: Sequence[float], ahead: float) -> Choice:
    kept, dropped = _above(slacks, durations[1] + ahead, len(durations) - 1)
    tightest = sorted(kept, key=slacks.__getitem__)
    for i, position in enumerate(tightest):
        if slacks[position] >= durations[len(tightest) - i] + ahead:
            cut = set(tightest[:i])
            return [p for p in kept if p not in cut], dropped + tightest[:i]
    return [], dropped + kept


def _above(slacks: Sequence[float], least: float, places: int) -> Choice:
    """Fill the places in the order of service, dropping on the way what has less slack than ``least``."""
    kept: list[int] = []
    dropped: list[int] = []
    for position, slack in enumerate(slacks):
        if len(kept) == places:
            break
        (kept if slack >= least else dropped).append(position)
    return kept, dropped


_POLICIES: dict[Drop, Callable[[Sequence[float], Sequence[float], float], Choice]] = {
    Drop.NONE: _none,
    Drop.LATE: _late,
    Drop.EARLY: _early,
    Drop.PROACTIVE: _proactive,
    Drop.ADAPTIVE: _adaptive,
}
