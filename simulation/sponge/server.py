"""Equal containers behind one queue, whose cores, number and batch size a scaler changes while they run."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from harpagon.simulation.flow.drop import Drop, DropHopeless
from harpagon.simulation.flow.fleet import Fleet
from harpagon.simulation.flow.server import Server

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.instances.cpu.profile import CoreProfile
    from harpagon.simulation.flow.order import Order
    from harpagon.simulation.sponge.requests import SentRequest


class DurationTable:
    """Seconds for a batch of k requests on c cores; k between two profiled sizes costs what the larger one does."""

    def __init__(self, profile: CoreProfile) -> None:
        self._rows: dict[int, list[float]] = {}
        for cores in profile.cores:
            batches = sorted(batch for c, batch in profile.durations if c == cores)
            every = range(1, batches[-1] + 1)
            self._rows[cores] = [0.0, *(profile.durations[cores, batches[bisect_left(batches, k)]] for k in every)]

    def durations(self, cores: int, batch: int) -> list[float]:
        """Seconds for 0, 1, ..., ``batch`` requests; entry 0 is 0."""
        return self._rows[cores][: batch + 1]


class Containers:
    """Containers that share one queue and take the next batch when they are free and anyone waits.

    Parameters
    ----------
    table
        Batch durations.
    order
        Who is served first.
    drop_late
        Whether a request that even a batch of one cannot bring in on time is given up when its turn comes.
    requests
        All that will come, in order of arrival.
    """

    def __init__(self, table: DurationTable, order: Order, drop_late: bool, requests: Sequence[SentRequest]) -> None:
        drop = DropHopeless() if drop_late else Drop.NONE
        deadlines = [request.deadline for request in requests]
        self.cores = 0
        """Of each container."""
        self.fleet = Fleet(0, 0.0)
        self.server = Server(self.fleet, (0.0,), drop, deadlines, order, patient=False)
        self._table = table

    @property
    def batch(self) -> int:
        """Largest batch a container takes; it takes fewer when fewer wait."""
        return len(self.server.durations) - 1

    def start(self, cores: int, batch: int, replicas: int = 1, start_up: float = 0.0) -> None:
        """Have ``replicas`` containers ready at time 0; others take ``start_up`` seconds to start."""
        self.fleet = self.server.fleet = Fleet(replicas, start_up)
        self.resize(cores, batch)

    def resize(self, cores: int, batch: int) -> None:
        """Change cores in place: a batch that runs ends as it began."""
        self.cores = cores
        self.server.durations = self._table.durations(cores, batch)
