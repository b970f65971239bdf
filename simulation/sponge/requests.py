"""Requests that cross a link of changing bandwidth before they reach the server."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harpagon.simulation.sponge.bandwidth import BandwidthTrace


class Sending(StrEnum):
    """How clients space their requests."""

    EVEN = "even"
    POISSON = "poisson"


@dataclass(frozen=True, slots=True)
class SentRequest:
    """One request: seconds at which it is sent, reaches the server, and must be done."""

    sent: float
    arrived: float
    deadline: float

    @property
    def communication(self) -> float:
        """Seconds on the link."""
        return self.arrived - self.sent


def send_requests(
    trace: BandwidthTrace,
    rate: float,
    size: float,
    slo: float,
    duration: float,
    sending: Sending = Sending.EVEN,
    seed: int = 0,
) -> list[SentRequest]:
    """Requests of ``size`` bytes sent at ``rate`` per second for ``duration`` seconds, in order of arrival.

    Every request has the link to itself. One sent later over a faster link can arrive earlier, which is why a queue
    in order of deadlines differs from one in order of arrivals.
    """
    times = _times(sending, rate, duration, seed)
    requests = [SentRequest(sent, sent + trace.transfer_time(size, sent), sent + slo) for sent in times]
    return sorted(requests, key=lambda request: (request.arrived, request.sent))


def _times(sending: Sending, rate: float, duration: float, seed: int) -> list[float]:
    import numpy as np

    from harpagon.simulation.arrivals.processes import EvenArrivals, scattered

    generator = np.random.default_rng(seed)
    if sending is Sending.EVEN:
        return [time for piece in EvenArrivals().times(rate, duration, generator) for time in piece.tolist()]
    times: list[float] = scattered(generator.poisson([rate * duration]), duration, generator).tolist()
    return times
