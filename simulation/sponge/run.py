"""A trace served second by second: what every scaler is measured by."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from harpagon.simulation.sponge.planner import Observation
from harpagon.simulation.sponge.server import Containers, DurationTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.instances.cpu.profile import CoreProfile
    from harpagon.simulation.sponge.requests import SentRequest
    from harpagon.simulation.sponge.scalers import Scaler

INTERVAL = 1.0
"""Seconds between two decisions."""


@dataclass(frozen=True, slots=True)
class IntervalRecord:
    """One interval: what ran, what waited, and what was late.

    Attributes
    ----------
    time
        Start, seconds.
    cores
        Cores that are paid for, starting containers included.
    batch
        Largest batch.
    waiting
        Requests in the queue at the start.
    remaining
        Smallest number of seconds left on arrival among the requests that arrive in the interval; the SLO where
        none does.
    violations
        Requests sent in this interval that missed their deadline.
    """

    time: float
    cores: int
    batch: int
    waiting: int
    remaining: float
    violations: int


@dataclass(frozen=True, slots=True)
class Served:
    """A request and the second it was done; infinity where it was dropped or left over."""

    request: SentRequest
    done: float

    @property
    def violated(self) -> bool:
        """Whether it missed its deadline."""
        return self.done > self.request.deadline


@dataclass(frozen=True, slots=True)
class SpongeRun:
    """Outcome of one scaler on one list of requests.

    Attributes
    ----------
    records
        One per interval of the trace.
    served
        Every request with the second it was done, in order of arrival.
    unavoidable
        Requests that reached the server with less time left than the fastest batch of the profile takes.
    """

    records: tuple[IntervalRecord, ...]
    served: tuple[Served, ...]
    unavoidable: int

    @property
    def violations(self) -> int:
        """Requests that missed their deadline, the unavoidable ones included."""
        return sum(served.violated for served in self.served)

    @property
    def core_seconds(self) -> float:
        """Cores paid for, summed over time."""
        return sum(record.cores for record in self.records) * INTERVAL

    @property
    def changes(self) -> int:
        """Intervals whose cores differ from those of the interval before."""
        cores = [record.cores for record in self.records]
        return sum(before != after for before, after in pairwise(cores))


def run_scaler(
    scaler: Scaler,
    requests: Sequence[SentRequest],
    profile: CoreProfile,
    duration: float,
    rate: float,
    drop_late: bool = True,
) -> SpongeRun:
    """Serve ``requests`` (in order of arrival) with ``scaler``, which decides every second.

    Parameters
    ----------
    scaler
        Decides from the last interval; before the first it sees ``rate`` and the first request's link.
    requests
        As `harpagon.simulation.sponge.requests.send_requests` makes them.
    profile
        The batch durations that really pass.
    duration
        Seconds for which cores are paid; requests still open then are served to their deadlines.
    rate
        Requests per second announced at the start.
    drop_late
        As in `Containers`; it holds for every scaler alike.
    """
    containers = Containers(DurationTable(profile), scaler.order, drop_late, requests)
    scaler.start(containers, Observation(0.0, rate, (requests[0].communication,) if requests else (), ()))
    arrivals = np.array([request.arrived for request in requests])
    last = max((request.deadline for request in requests), default=0.0)
    done = np.full(len(requests), np.inf)
    states: list[tuple[int, int, int]] = []
    before = first = 0
    for step in range(math.ceil(max(duration, last) / INTERVAL) + 1):
        now = step * INTERVAL
        if step:
            scaler.adapt(containers, _observe(now, requests, range(before, first), containers))
        server = containers.server
        states.append((containers.cores * len(containers.fleet), containers.batch, server.waiting))
        before, first = first, int(np.searchsorted(arrivals, now + INTERVAL))
        server.arrive(arrivals[before:first], np.arange(before, first))
        outcome = server.run(now + INTERVAL)
        done[outcome.roots] = outcome.finished
    served = tuple(map(Served, requests, done.tolist()))
    fastest = min(profile.durations.values())
    unavoidable = sum(request.arrived + fastest > request.deadline for request in requests)
    return SpongeRun(_records(states[: math.ceil(duration / INTERVAL)], requests, served), served, unavoidable)


def _observe(now: float, requests: Sequence[SentRequest], arrived: range, containers: Containers) -> Observation:
    communications = tuple(requests[number].communication for number in arrived)
    remaining = tuple(requests[number].deadline - now for number in containers.server.queue())
    return Observation(now, len(arrived) / INTERVAL, communications, remaining)


def _records(
    states: Sequence[tuple[int, int, int]], requests: Sequence[SentRequest], served: Sequence[Served]
) -> tuple[IntervalRecord, ...]:
    violations = [0] * len(states)
    remaining = [math.inf] * len(states)
    slo = max((request.deadline - request.sent for request in requests), default=math.inf)
    for outcome in served:
        step = int(outcome.request.sent / INTERVAL)
        if outcome.violated and step < len(states):
            violations[step] += 1
    for request in requests:
        step = int(request.arrived / INTERVAL)
        if step < len(states):
            remaining[step] = min(remaining[step], request.deadline - request.arrived)
    return tuple(
        IntervalRecord(step * INTERVAL, *state, min(slo, remaining[step]), violations[step])
        for step, state in enumerate(states)
    )
