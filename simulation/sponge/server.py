"""A fleet of replicas behind one queue: dynamic batching, and cores that change while it runs."""

from __future__ import annotations

import heapq
from bisect import bisect_left
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harpagon.instances.cpu.profile import CoreProfile
    from harpagon.simulation.sponge.requests import SentRequest


class QueueOrder(StrEnum):
    """Who is served first."""

    DEADLINE = "deadline"
    """Earliest deadline first: requests are reordered as they arrive."""
    ARRIVAL = "arrival"
    """First come, first served."""


class DurationTable:
    """Seconds for a batch of k requests on c cores; k between two profiled sizes costs what the larger one does."""

    def __init__(self, profile: CoreProfile) -> None:
        self._rows: dict[int, list[float]] = {}
        for cores in profile.cores:
            batches = sorted(batch for c, batch in profile.durations if c == cores)
            self._rows[cores] = [
                profile.durations[cores, batches[bisect_left(batches, k)]] for k in range(1, batches[-1] + 1)
            ]

    def duration(self, cores: int, requests: int) -> float:
        """Seconds for one batch of ``requests``."""
        return self._rows[cores][requests - 1]


@dataclass(slots=True)
class Replica:
    """One container: its cores, and the time from which it takes the next batch."""

    cores: int
    free_at: float


@dataclass(frozen=True, slots=True)
class Served:
    """A request and the second it was done; infinity where it was dropped or left over."""

    request: SentRequest
    done: float

    @property
    def violated(self) -> bool:
        """Whether it missed its deadline."""
        return self.done > self.request.deadline


@dataclass(slots=True)
class Fleet:
    """Replicas that share one queue.

    Attributes
    ----------
    table
        Batch durations.
    order
        Order of the queue.
    drop_late
        Whether a request that even a batch of one cannot bring in on time is given up when its turn comes.
    replicas
        Running or starting.
    batch
        Largest batch a replica takes; it takes fewer when fewer wait.
    queue
        Requests that wait.
    """

    table: DurationTable
    order: QueueOrder
    drop_late: bool
    replicas: list[Replica]
    batch: int
    queue: list[tuple[float, int, SentRequest]] = field(default_factory=list)

    def waiting(self) -> list[SentRequest]:
        """Requests in the queue, in no particular order."""
        return [request for _, _, request in self.queue]

    def admit(self, position: int, request: SentRequest) -> None:
        """Take in one request; ``position`` breaks ties by arrival."""
        key = request.deadline if self.order is QueueOrder.DEADLINE else request.arrived
        heapq.heappush(self.queue, (key, position, request))

    def serve(self, arrivals: Sequence[SentRequest], first: int, start: float, end: float) -> Iterator[Served]:
        """Serve from ``start`` to ``end``; ``arrivals`` reach the server in that span, numbered from ``first``."""
        pending = iter(enumerate(arrivals, first))
        coming = next(pending, None)
        while True:
            replica = min(self.replicas, key=lambda candidate: candidate.free_at)
            now = max(start, replica.free_at)
            if not self.queue and coming is not None:
                now = max(now, coming[1].arrived)
            while coming is not None and coming[1].arrived <= now:
                self.admit(*coming)
                coming = next(pending, None)
            if now >= end or not self.queue:
                break
            yield from self._serve_batch(replica, now)
        while coming is not None:
            self.admit(*coming)
            coming = next(pending, None)

    def _serve_batch(self, replica: Replica, now: float) -> Iterator[Served]:
        """Hand the first requests of the queue to ``replica``."""
        hopeless = now + self.table.duration(replica.cores, 1)
        batch: list[SentRequest] = []
        while self.queue and len(batch) < self.batch:
            request = heapq.heappop(self.queue)[2]
            if self.drop_late and hopeless > request.deadline:
                yield Served(request, float("inf"))
            else:
                batch.append(request)
        if batch:
            done = now + self.table.duration(replica.cores, len(batch))
            replica.free_at = done
            yield from (Served(request, done) for request in batch)
