"""A module that is dealt out: machines of its own take a share of its requests, a shared machine the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harpagon.simulation.dispatch.served import Served

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from harpagon.simulation.dispatch.served import Dispatcher, GroupTally
    from harpagon.simulation.dispatch.turns import TurnDispatcher


class DealtDispatcher:
    """Deals requests to two dispatchers; of the first k requests ceil(share x k) go to the first.

    Parameters
    ----------
    own
        The machines of the module's own, its first tuple.
    turns
        Its part of a shared machine, its second tuple.
    share
        What the first gets, above 0 and below 1.
    """

    def __init__(self, own: Dispatcher, turns: TurnDispatcher, share: Fraction) -> None:
        self._parts: tuple[Dispatcher, TurnDispatcher] = (own, turns)
        self._share = share
        self._dealt = 0
        self._pending = np.empty(0, dtype=np.int64)
        self._done: list[list[float]] = [[], []]
        self.tallies: Sequence[GroupTally] = (*own.tallies, *turns.tallies)

    def feed(self, times: np.ndarray, until: float) -> Served:
        """Deal requests that arrive at ``times``, sorted; all others will arrive at ``until`` or later."""
        chosen = self._deal(times.size)
        self._pending = np.concatenate([self._pending, chosen])
        for part, dispatcher in enumerate(self._parts):
            self._done[part] += dispatcher.feed(times[chosen == part], until).finish.tolist()
        served = self._served([np.array(done) for done in self._done])
        unknown = np.flatnonzero(np.isnan(served.finish))
        end = int(unknown[0]) if unknown.size else served.finish.size
        for part, done in enumerate(self._done):
            del done[: int(np.count_nonzero(served.tuples[:end] == part))]
        self._pending = self._pending[end:]
        return Served(served.finish[:end], served.tuples[:end])

    def outstanding(self) -> Served:
        """Requests taken but not handed back, in order of arrival; NaN where completion is unknown."""
        pairs = zip(self._parts, self._done, strict=True)
        return self._served([np.concatenate([done, dispatcher.outstanding().finish]) for dispatcher, done in pairs])

    def next_closing(self) -> float:
        """Seconds on the clock before which no batch joins the queue of the shared machine that is not yet run."""
        return self._parts[1].next_closing()

    def _deal(self, count: int) -> np.ndarray:
        """Part of each of the next ``count`` requests."""
        numbers = np.arange(self._dealt, self._dealt + count + 1)
        self._dealt += count
        given = -(-numbers * self._share.numerator // self._share.denominator)
        return 1 - np.diff(given)

    def _served(self, known: Sequence[np.ndarray]) -> Served:
        """Requests not handed back, where of each part so many of the first are ``known``."""
        finish = np.full(self._pending.size, np.nan)
        for part, done in enumerate(known):
            finish[np.flatnonzero(self._pending == part)[: done.size]] = done
        return Served(finish, self._pending)
