"""Sponge for pipelines: one container a module, whose cores change in place, and requests with their own deadlines.

Every module serves its queue earliest deadline first, by the deadline of the request as a whole. A fan-out makes
several tasks of one request. At ``join: all`` a module works on a request once the results of all modules before it
have come, at ``join: any`` on what each of them brings when it comes; it is done with a request once all tasks are.
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from harpagon.formulations.problem import pipeline_problem
from harpagon.instances.cpu.instance import core_profile_of, cores_of
from harpagon.simulation.flow.fanout import round_fanout
from harpagon.simulation.sponge.server import DurationTable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from harpagon.instances.instance import Instance
    from harpagon.simulation.sponge.pipeline_scaler import PipelineScaler
    from harpagon.simulation.sponge.requests import SentRequest


@dataclass(frozen=True, slots=True)
class PipelineRun:
    """Outcome of one scaler on one pipeline.

    Attributes
    ----------
    cores
        Per second, the cores of all modules.
    done
        Per request, in order of arrival, the second at which its last module was done.
    violations
        Requests that missed their deadline.
    """

    cores: tuple[int, ...]
    done: tuple[float, ...]
    violations: int

    @property
    def core_seconds(self) -> float:
        """Cores summed over time."""
        return float(sum(self.cores))

    @property
    def changes(self) -> int:
        """Seconds whose cores differ from those of the second before."""
        return sum(before != after for before, after in pairwise(self.cores))


@dataclass(slots=True)
class _Station:
    """One module's container and its queue of (deadline, request)."""

    table: DurationTable
    cores: int = 0
    batch: int = 1
    busy: bool = False
    queue: list[tuple[float, int]] = field(default_factory=list)


def run_pipeline(
    instance: Instance, scaler: PipelineScaler, requests: Sequence[SentRequest], duration: float, seed: int = 0
) -> PipelineRun:
    """Serve ``requests`` (in order of arrival) through the instance's only pipeline, deciding every second.

    Parameters
    ----------
    instance
        As `harpagon.instances.cpu.instance` builds it.
    scaler
        Chooses each module's configuration.
    requests
        With the deadlines of the whole pipeline.
    duration
        Seconds for which cores are counted.
    seed
        Of the fan-outs whose mean is no whole number.
    """
    return _PipelineServer(instance, scaler, requests, duration, seed).run()


class _PipelineServer:
    """Event simulation: arrivals, batch completions, transfers and decisions on one time axis."""

    def __init__(
        self, instance: Instance, scaler: PipelineScaler, requests: Sequence[SentRequest], duration: float, seed: int
    ) -> None:
        import numpy as np

        (pipeline,) = instance.pipelines
        self._graph = pipeline.graph
        self._network = pipeline_problem(instance, pipeline).network
        self._scaler = scaler
        self._requests = requests
        self._duration = duration
        self._stations = [
            _Station(DurationTable(core_profile_of(instance, pipeline.graph.nodes[name]["model"])))
            for name in self._network.modules
        ]
        generator = np.random.default_rng(seed)
        names = self._network.modules
        self._gathers = [self._graph.nodes[name].get("join", "all") == "all" for name in names]
        self._sent = [self._draw_sent(generator) for _ in requests]
        self._left = [[self._tasks(sent, module) for module in range(len(names))] for sent in self._sent]
        self._waits_for = [[max(1, len(pairs)) for pairs in self._network.predecessors] for _ in requests]
        self._done = [math.inf] * len(requests)
        self._open = [len(self._network.modules)] * len(requests)
        self._events: list[tuple[float, int, str, tuple[int, ...]]] = []
        self._number = 0
        self._cores: list[int] = []

    def run(self) -> PipelineRun:
        """All events in order of time; at one time decisions come first."""
        last = max((request.deadline for request in self._requests), default=0.0)
        for second in range(math.ceil(max(self._duration, last)) + 1):
            self._schedule(float(second), "decide", ())
        sources = [i for i, pairs in enumerate(self._network.predecessors) if not pairs]
        for number, request in enumerate(self._requests):
            for source in sources:
                self._schedule(request.arrived, "enter", (number, source, 1))
        handlers = {"decide": self._decide, "enter": self._enter, "finish": self._finish}
        while self._events:
            now, _, kind, payload = heapq.heappop(self._events)
            handlers[kind](now, payload)
        late = sum(done > request.deadline for done, request in zip(self._done, self._requests, strict=True))
        return PipelineRun(tuple(self._cores[: math.ceil(self._duration)]), tuple(self._done), late)

    def _schedule(self, time: float, kind: str, payload: tuple[int, ...]) -> None:
        heapq.heappush(self._events, (time, self._number, kind, payload))
        self._number += 1

    def _draw_sent(self, generator: np.random.Generator) -> dict[tuple[int, int], int]:
        """Tasks that every edge (tail, head) carries of one request."""
        sent: dict[tuple[int, int], int] = {}
        names = self._network.modules
        for head, name in enumerate(names):
            for tail, _, data in self._graph.in_edges(name, data=True):
                number = names.index(tail)
                sent[number, head] = round_fanout(self._tasks(sent, number) * data.get("fanout", 1.0), generator)
        return sent

    def _tasks(self, sent: Mapping[tuple[int, int], int], module: int) -> int:
        """Tasks of one request at a module."""
        incoming = [sent[tail, module] for tail, _ in self._network.predecessors[module]]
        if not incoming:
            return 1
        return max(incoming) if self._gathers[module] else sum(incoming)

    def _decide(self, now: float, payload: tuple[int, ...]) -> None:
        """Take the scaler's choice for the coming second; a batch that runs ends as it began."""
        for station, configuration in zip(self._stations, self._scaler.choose(now, self._requests), strict=True):
            station.cores, station.batch = cores_of(configuration.hardware), configuration.batch
        self._cores.append(sum(station.cores for station in self._stations))

    def _enter(self, now: float, payload: tuple[int, ...]) -> None:
        """What one module before sends of a request has come; at ``join: all`` the last to come brings the tasks."""
        number, module, tasks = payload
        self._waits_for[number][module] -= 1
        last = not self._waits_for[number][module]
        if self._gathers[module]:
            tasks = self._left[number][module] if last else 0
        for _ in range(tasks):
            heapq.heappush(self._stations[module].queue, (self._requests[number].deadline, number))
        self._leave_if_done(now, number, module)
        self._start(now, module)

    def _start(self, now: float, module: int) -> None:
        """Start a batch where the container is idle and tasks wait."""
        station = self._stations[module]
        if station.busy or not station.queue:
            return
        size = min(station.batch, len(station.queue))
        batch = tuple(heapq.heappop(station.queue)[1] for _ in range(size))
        station.busy = True
        self._schedule(now + station.table.durations(station.cores, size)[-1], "finish", (module, *batch))

    def _finish(self, now: float, payload: tuple[int, ...]) -> None:
        """A batch is done; requests whose last task was in it move on."""
        module, *batch = payload
        self._stations[module].busy = False
        ended: defaultdict[int, int] = defaultdict(int)
        for number in batch:
            ended[number] += 1
        for number, tasks in ended.items():
            self._left[number][module] -= tasks
            self._leave_if_done(now, number, module)
        self._start(now, module)

    def _leave_if_done(self, now: float, number: int, module: int) -> None:
        """Send on a request that a module is done with: nothing of it is still to come or to do."""
        if self._left[number][module] or self._waits_for[number][module]:
            return
        self._open[number] -= 1
        if self._open[number] == 0:
            self._done[number] = now
        for head, transfer in self._network.successors[module]:
            self._schedule(now + transfer, "enter", (number, head, self._sent[number][module, head]))
