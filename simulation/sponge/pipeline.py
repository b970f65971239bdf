"""Sponge for pipelines: one container a module, whose cores change in place, and requests with their own deadlines.

Every module serves its queue earliest deadline first, by the deadline of the request as a whole. A module works on a
request once all modules before it are done with it; a fan-out makes several tasks of one request.
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
from harpagon.simulation.sponge.server import DurationTable

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        self._counts = [self._draw_counts(generator) for _ in requests]
        self._left = [list(counts) for counts in self._counts]
        self._waits_for = [[len(pairs) for pairs in self._network.predecessors] for _ in requests]
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
                self._schedule(request.arrived, "enter", (number, source))
        handlers = {"decide": self._decide, "enter": self._enter, "finish": self._finish}
        while self._events:
            now, _, kind, payload = heapq.heappop(self._events)
            handlers[kind](now, payload)
        late = sum(done > request.deadline for done, request in zip(self._done, self._requests, strict=True))
        return PipelineRun(tuple(self._cores[: math.ceil(self._duration)]), tuple(self._done), late)

    def _schedule(self, time: float, kind: str, payload: tuple[int, ...]) -> None:
        heapq.heappush(self._events, (time, self._number, kind, payload))
        self._number += 1

    def _draw_counts(self, generator: np.random.Generator) -> list[int]:
        """Tasks of one request at every module."""
        counts: dict[str, int] = {}
        for name in self._network.modules:
            incoming = []
            for tail, _, data in self._graph.in_edges(name, data=True):
                mean = counts[tail] * data.get("fanout", 1.0)
                incoming.append(int(mean) + int(generator.random() < mean - int(mean)))
            joined = sum(incoming) if self._graph.nodes[name].get("join") == "any" else max(incoming, default=1)
            counts[name] = joined
        return list(counts.values())

    def _decide(self, now: float, payload: tuple[int, ...]) -> None:
        """Take the scaler's choice for the coming second; a batch that runs ends as it began."""
        for station, configuration in zip(self._stations, self._scaler.choose(now, self._requests), strict=True):
            station.cores, station.batch = cores_of(configuration.hardware), configuration.batch
        self._cores.append(sum(station.cores for station in self._stations))

    def _enter(self, now: float, payload: tuple[int, ...]) -> None:
        """A request reaches a module with all its tasks."""
        number, module = payload
        if self._counts[number][module] == 0:
            self._leave(now, number, module)
            return
        for _ in range(self._counts[number][module]):
            heapq.heappush(self._stations[module].queue, (self._requests[number].deadline, number))
        self._start(now, module)

    def _start(self, now: float, module: int) -> None:
        """Start a batch where the container is idle and tasks wait."""
        station = self._stations[module]
        if station.busy or not station.queue:
            return
        size = min(station.batch, len(station.queue))
        batch = tuple(heapq.heappop(station.queue)[1] for _ in range(size))
        station.busy = True
        self._schedule(now + station.table.duration(station.cores, size), "finish", (module, *batch))

    def _finish(self, now: float, payload: tuple[int, ...]) -> None:
        """A batch is done; requests whose last task was in it move on."""
        module, *batch = payload
        self._stations[module].busy = False
        ended: defaultdict[int, int] = defaultdict(int)
        for number in batch:
            ended[number] += 1
        for number, tasks in ended.items():
            self._left[number][module] -= tasks
            if self._left[number][module] == 0:
                self._leave(now, number, module)
        self._start(now, module)

    def _leave(self, now: float, number: int, module: int) -> None:
        """A module is done with a request: modules that waited for it last can begin."""
        self._open[number] -= 1
        if self._open[number] == 0:
            self._done[number] = now
        for head, transfer in self._network.successors[module]:
            self._waits_for[number][head] -= 1
            if self._waits_for[number][head] == 0:
                self._schedule(now + transfer, "enter", (number, head))
