"""One module served: requests become batches by the simulator's dispatcher, batches go to machines over HTTP."""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING

import numpy as np

from harpagon.simulation.serving.clock import sleep_until
from harpagon.simulation.serving.kserve import infer_path, infer_request

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.instances.plan import ModulePlan
    from harpagon.simulation.dispatch.served import Dispatcher
    from harpagon.simulation.serving.http import HttpClient


@dataclass(slots=True, eq=False)
class _Request:
    """One request: the instant at which it counts as arrived, and that at which it is answered."""

    arrival: float
    answered: asyncio.Future[float]
    started: bool = False


class LiveModule:
    """Batches and machines of one module.

    The dispatcher says which requests form a batch and, on a clock of profiled durations, when a machine starts it. A
    batch is sent at that instant to the machine of its tuple that has been idle longest, or to the first to be idle.

    Parameters
    ----------
    name
        Of the module, which its machines serve as a model.
    plan
        Its schedule.
    dispatcher
        What makes its batches.
    machines
        Of each tuple.
    """

    def __init__(
        self, name: str, plan: ModulePlan, dispatcher: Dispatcher, machines: Sequence[Sequence[HttpClient]]
    ) -> None:
        self.name = name
        self.latencies: list[float] = []
        self.batches = 0
        self.longest_share = 0.0
        """Largest share of its profiled duration that a batch took, the way to the machine and back included."""
        self._tuples = plan.tuples
        self._dispatcher = dispatcher
        self._is_guest = plan.pace is not None and bool(plan.pace.machine)
        self._idle: list[asyncio.Queue[HttpClient]] = [asyncio.Queue() for _ in plan.tuples]
        for queue, clients in zip(self._idle, machines, strict=True):
            for client in clients:
                queue.put_nowait(client)
        self._coming: list[tuple[float, int, _Request]] = []
        self._taken = 0
        self._until = -math.inf
        self._requests: list[_Request] = []
        self._running: set[asyncio.Task[None]] = set()

    async def serve(self, count: int, instant: float) -> float:
        """Take ``count`` requests that count as arrived at ``instant``; when the last of them is answered.

        What is told late counts as arrived as soon as the dispatcher's clock allows.
        """
        loop = asyncio.get_running_loop()
        requests = [_Request(max(instant, self._until), loop.create_future()) for _ in range(count)]
        for request in requests:
            heappush(self._coming, (request.arrival, self._taken, request))
            self._taken += 1
        return max([await request.answered for request in requests], default=loop.time())

    def tick(self) -> None:
        """Let happen what is due by now: requests arrive, batches fill or time out."""
        now = asyncio.get_running_loop().time()
        first = len(self._requests)
        while self._coming and self._coming[0][0] < now:
            self._requests.append(heappop(self._coming)[2])
        # Modules that take turns on its machine wait to hear that it closes nothing before theirs.
        if self._is_guest or any(not request.started for request in self._requests):
            self._advance(np.array([request.arrival for request in self._requests[first:]]), now)

    def _advance(self, times: np.ndarray, now: float) -> None:
        self._until = now
        handed = self._dispatcher.feed(times, now)
        left = self._dispatcher.outstanding()
        finish = np.concatenate([handed.finish, left.finish])
        tuples = np.concatenate([handed.tuples, left.tuples])
        closed: dict[tuple[int, float], list[_Request]] = defaultdict(list)
        for request, done, index in zip(self._requests, finish.tolist(), tuples.tolist(), strict=True):
            if not (request.started or math.isnan(done)):
                request.started = True
                closed[index, done].append(request)
        del self._requests[: handed.finish.size]
        for (index, done), requests in closed.items():
            size = self._tuples[index].configuration.batch
            for first in range(0, len(requests), size):
                task = asyncio.create_task(self._run(index, done, requests[first : first + size]))
                self._running.add(task)
                task.add_done_callback(self._running.discard)

    async def _run(self, index: int, done: float, requests: list[_Request]) -> None:
        """Send one batch to a machine of tuple ``index``, which on the plan's clock is ``done`` with it then."""
        loop, configuration = asyncio.get_running_loop(), self._tuples[index].configuration
        await sleep_until(done - configuration.mean)
        machine = await self._idle[index].get()
        started = loop.time()
        try:
            await machine.post(infer_path(self.name), infer_request(len(requests)))
        except ConnectionError as error:
            for request in requests:
                request.answered.set_exception(error)
            return
        finally:
            self._idle[index].put_nowait(machine)
        now = loop.time()
        self.batches += 1
        self.longest_share = max(self.longest_share, (now - started) / configuration.duration)
        for request in requests:
            self.latencies.append(now - request.arrival)
            request.answered.set_result(now)
