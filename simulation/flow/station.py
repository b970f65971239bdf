"""One module in time: requests in sequence order in, results in sequence order out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from harpagon.simulation.dispatch.dealt import DealtDispatcher
from harpagon.simulation.dispatch.turns import TurnDispatcher
from harpagon.simulation.flow.pieces import Flow
from harpagon.simulation.histogram import LatencyHistogram

if TYPE_CHECKING:
    from harpagon.simulation.dispatch.served import Dispatcher


class Station:
    """Puts requests in order of time, dispatches them, and hands results on in sequence order.

    Parameters
    ----------
    dispatcher
        The module's dispatcher.
    tuples
        Number of tuples of its plan.
    departure
        Seconds after its root request before which no result leaves: pacing; 0 for none.
    """

    def __init__(self, dispatcher: Dispatcher, tuples: int, departure: float) -> None:
        self.arrived = 0
        self.finished = 0
        self.latencies = LatencyHistogram()
        self.tuple_maxima = np.zeros(tuples)
        self.tuple_requests = np.zeros(tuples, dtype=np.int64)
        self.tallies = dispatcher.tallies
        self._dispatcher = dispatcher
        self._departure = departure
        self._window = Flow.empty()
        self._finish = np.empty(0)
        self._base = 0
        self._early_times = np.empty(0)
        self._early_keys = np.empty(0, dtype=np.int64)
        self._fed_keys = np.empty(0, dtype=np.int64)
        self._known = 0.0

    def process(self, flow: Flow) -> tuple[Flow, np.ndarray]:
        """Serve what is known to have arrived.

        Returns
        -------
        Flow, numpy.ndarray
            Results that leave, with the times they may be used; and when they were done.
        """
        keys = self._base + self._finish.size + np.arange(flow.ready.size)
        self.arrived += flow.ready.size
        self._window = self._window.followed_by(flow)
        self._finish = np.concatenate([self._finish, np.full(flow.ready.size, np.nan)])
        self._dispatch(flow.ready, keys, flow.watermark)
        return self._leave()

    def onward(self, flow: Flow, leaving: Flow) -> Flow:
        """What the modules after this one are told: the results that are ``leaving``, of the ``flow`` that came."""
        return leaving

    def _dispatch(self, ready: np.ndarray, keys: np.ndarray, watermark: float) -> None:
        times, keys = np.concatenate([self._early_times, ready]), np.concatenate([self._early_keys, keys])
        order = np.argsort(times, kind="stable")
        times, keys = times[order], keys[order]
        known = int(np.searchsorted(times, watermark))
        self._early_times, self._early_keys = times[known:], keys[known:]
        self._known = watermark
        served = self._dispatcher.feed(times[:known], watermark)
        fed = np.concatenate([self._fed_keys, keys[:known]])
        done, self._fed_keys = fed[: served.finish.size] - self._base, fed[served.finish.size :]
        self._finish[done] = served.finish
        self._measure(served.finish - self._window.ready[done], served.tuples)

    def _measure(self, latencies: np.ndarray, tuples: np.ndarray) -> None:
        self.finished += latencies.size
        self.latencies.add(latencies)
        self.tuple_requests += np.bincount(tuples, minlength=self.tuple_requests.size)
        for index in range(self.tuple_maxima.size):
            own = latencies[tuples == index]
            if own.size:
                self.tuple_maxima[index] = max(self.tuple_maxima[index], own.max())

    def _leave(self) -> tuple[Flow, np.ndarray]:
        unknown = np.flatnonzero(np.isnan(self._finish))
        end = int(unknown[0]) if unknown.size else self._finish.size
        leaving, finish = self._window.taken(slice(end)), self._finish[:end]
        self._window, self._finish = self._window.taken(slice(end, None)), self._finish[end:]
        self._base += end
        watermark, following, origin = leaving.watermark, leaving.next_root, leaving.next_origin
        if self._finish.size:
            watermark = min(watermark, self._earliest())
            following, origin = int(self._window.root[0]), float(self._window.origin[0])
        done = Flow(finish, leaving.root, leaving.origin, watermark, following, origin)
        return done.held_until(self._departure) if self._departure else done, finish

    def _earliest(self) -> float:
        """Seconds on the clock before which no request that is not yet handed on is done: its arrival at the least."""
        return float(self._window.ready.min())


class LateError(Exception):
    """A result was not there when it was due."""


class PromptStation(Station):
    """A paced station that tells of results when they are due, before they are known, as if all were in time.

    Of modules that take turns on one machine, one may wait for what another is told. If every result is in time, what
    is told is what happens; the first that is not raises `LateError`.
    """

    def process(self, flow: Flow) -> tuple[Flow, np.ndarray]:
        """As `Station.process`."""
        leaving, finish = super().process(flow)
        if (leaving.ready > leaving.origin + self._departure).any():
            raise LateError
        return leaving, finish

    def onward(self, flow: Flow, leaving: Flow) -> Flow:
        """The requests that came, as results when these are due."""
        return replace(flow, ready=flow.origin + self._departure, watermark=flow.next_origin + self._departure)


class LinkedStation(Station):
    """A station of a plan whose modules share machines and are late: results must not wait for one another.

    A module further on may take turns on the machine that this module's results wait for. What the dispatcher has not
    finished yet is done no earlier than the next batch closes on a shared machine, or than its arrivals are known.
    """

    def _earliest(self) -> float:
        known = self._dispatcher.outstanding().finish
        unknown = self._known
        if isinstance(self._dispatcher, TurnDispatcher):
            unknown = self._dispatcher.next_closing()
        elif isinstance(self._dispatcher, DealtDispatcher):
            unknown = min(unknown, self._dispatcher.next_closing())
        return float(min(unknown, np.nanmin(known, initial=np.inf)))
