"""A second simulator of paced plans, written from the prose of the design alone, in exact fractions on SimPy.

It shares no code with ``harpagon.simulation`` and none with the waves or the leading edges of the planner: it takes
the graph of a pipeline, the figures of its plan, and the times of its root requests.

Order of events at one instant: batches are done; time-outs and openings of open batches; requests, in the order of
their roots; time-outs of batches that wait from their first request.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Any, TypeAlias

import networkx as nx
import simpy

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from harpagon.instances.instance import Pipeline
    from harpagon.instances.plan import DispatchTuple, ModulePlan, PipelinePlan

REQUESTS, WAITED = 2, 3
"""Priorities of events behind SimPy's own: all arrivals of an instant are in, and all requests are placed."""
NANOSECOND = Fraction(1, 10**9)
Clock: TypeAlias = Any
"""SimPy's environment, whose types know floating-point time alone; here it runs on fractions."""
Item = tuple[str, int]
"""Module and number of a request there, in the order of the roots."""


@dataclass(frozen=True)
class Request:
    """One request of a module: its root, and what it is made of."""

    root: int
    parts: tuple[Item, ...]


def figure(value: float) -> Fraction:
    """The number that a file says."""
    return Fraction(repr(float(value)))


class Family:
    """Which requests the roots bring to every module: no times yet."""

    def __init__(self, graph: nx.DiGraph, roots: int) -> None:
        self.graph = graph
        self.order = list(nx.lexicographical_topological_sort(graph))
        self.requests: dict[str, list[Request]] = {name: [] for name in self.order}
        self._leaders = self._find_leaders()
        self._newest: dict[tuple[str, str], Item] = {}
        for root in range(roots):
            self._bring(root)

    def _find_leaders(self) -> dict[str, str]:
        """Most requests per root, then fewest fan-outs rounded on the way, then the first name."""
        rates: dict[str, tuple[Fraction, int]] = {}
        leaders = {}
        for name in self.order:
            edges = {}
            for tail in self.graph.predecessors(name):
                fanout = figure(self.graph.edges[tail, name]["fanout"])
                edges[tail] = (rates[tail][0] * fanout, rates[tail][1] + (fanout != int(fanout)))
            if not edges:
                rates[name] = (Fraction(1), 0)
            elif self.graph.nodes[name]["join"] == "any" and len(edges) > 1:
                rates[name] = (sum((r for r, _ in edges.values()), Fraction(0)), sum(n for _, n in edges.values()))
            else:
                first = sorted(edges, key=lambda tail: (-edges[tail][0], edges[tail][1], tail))[0]
                rates[name] = edges[first]
                if len(edges) > 1:
                    leaders[name] = first
        return leaders

    def _bring(self, root: int) -> None:
        new: dict[str, list[Item]] = {}
        for name in self.order:
            tails = sorted(self.graph.predecessors(name), key=self.order.index)
            sent = {tail: self._sent(tail, name, new[tail]) for tail in tails}
            if not tails:
                made: list[tuple[Item, ...]] = [()]
            elif name in self._leaders:
                made = [self._taken(name, sent, k) for k in range(len(sent[self._leaders[name]]))]
            else:
                made = [(item,) for tail in tails for item in sent[tail]]
            self._newest.update({(tail, name): sent[tail][-1] for tail in tails if sent[tail]})
            first = len(self.requests[name])
            self.requests[name] += [Request(root, parts) for parts in made]
            new[name] = [(name, first + k) for k in range(len(made))]

    def _sent(self, tail: str, head: str, items: Sequence[Item]) -> list[Item]:
        """Of the first k requests of the tail ceil(k x fan-out) are sent on, as early as that allows."""
        fanout = figure(self.graph.edges[tail, head]["fanout"])
        return [item for item in items for _ in range(ceil((item[1] + 1) * fanout) - ceil(item[1] * fanout))]

    def _taken(self, name: str, sent: dict[str, list[Item]], k: int) -> tuple[Item, ...]:
        """The k-th item of every edge, its last where it has fewer, the newest of an earlier root where it has none."""
        return tuple(
            items[min(k, len(items) - 1)] if items else self._newest[tail, name] for tail, items in sent.items()
        )


class Machines:
    """Machines that take batches in rotation."""

    def __init__(self, env: Clock, part: DispatchTuple) -> None:
        self.batch = part.configuration.batch
        self.duration = figure(part.configuration.duration)
        self.rate = (
            figure(part.rate) if part.machines < 1 else int(part.machines) * Fraction(self.batch) / self.duration
        )
        self._env = env
        self._free = [Fraction(-1)] * ceil(part.machines)
        self._turn = 0

    def run(self, requests: Sequence[simpy.Event]) -> None:
        """Start a batch on the next machine, and tell when its requests are done."""
        start = max(self._env.now, self._free[self._turn])
        self._free[self._turn] = start + self.duration
        self._turn = (self._turn + 1) % len(self._free)
        self._env.process(self._finish(requests, start + self.duration))

    def _finish(self, requests: Sequence[simpy.Event], at: Fraction) -> Iterator[simpy.Event]:
        yield self._env.timeout(at - self._env.now)
        for done in requests:
            done.succeed(at)


class Later(simpy.Event):
    """Acts in the present instant, after all of its events of a lower priority."""

    def __init__(self, env: Clock, priority: int, action: Callable[[], None]) -> None:
        super().__init__(env)
        self._ok, self._value = True, None
        self.callbacks.append(lambda _: action())
        env.schedule(self, priority=priority)


class Dispatcher:
    """Puts the requests of one instant in order, then hands them out."""

    def __init__(self, env: Clock) -> None:
        self.env = env
        self._arrived: list[tuple[int, simpy.Event]] = []

    def arrive(self, number: int, done: simpy.Event) -> None:
        """A request is there."""
        if not self._arrived:
            Later(self.env, REQUESTS, self._place_all)
        self._arrived.append((number, done))

    def _place_all(self) -> None:
        arrived, self._arrived = self._arrived, []
        for _, done in sorted(arrived, key=lambda pair: pair[0]):
            self.place(done)

    def place(self, done: simpy.Event) -> None:
        """Hand out one request."""
        raise NotImplementedError


class FullOrTimeOut(Dispatcher):
    """A batch closes at b requests, or a fixed time after its first: 0 for batches that start at once."""

    def __init__(self, env: Clock, machines: Machines, close_after: Fraction) -> None:
        super().__init__(env)
        self._machines = machines
        self._close_after = close_after
        self._filling: list[simpy.Event] = []

    def place(self, done: simpy.Event) -> None:
        self._filling.append(done)
        if len(self._filling) == self._machines.batch:
            self._close(self._filling)
        elif len(self._filling) == 1:
            self.env.process(self._wait(self._filling))

    def _wait(self, batch: list[simpy.Event]) -> Iterator[simpy.Event]:
        yield self.env.timeout(self._close_after)
        Later(self.env, WAITED, lambda: self._close(batch))

    def _close(self, batch: list[simpy.Event]) -> None:
        if batch is self._filling:
            self._filling = []
            self._machines.run(batch)


class OpenBatch:
    """A batch that takes requests until it is full or times out."""

    def __init__(self, machines: Machines, due: Fraction) -> None:
        self.machines = machines
        self.due = due
        self.requests: list[simpy.Event] = []
        self.closed = False

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            if self.requests:
                self.machines.run(self.requests)


class OpenBatches(Dispatcher):
    """Behind a regulator at W, each request joins the open batch that is due first.

    Group g opens a batch every b / rho on a clock that starts 1 / W before the first request; it closes when it is
    full or times out. It is due 1 / W before its time-out, to the nanosecond; of equal ones the first that opened.
    """

    def __init__(self, env: Clock, groups: Sequence[tuple[Machines, Fraction]]) -> None:
        super().__init__(env)
        self._groups = groups
        self._interval = 1 / sum((machines.rate for machines, _ in groups), Fraction(0))
        self._passed: Fraction | None = None
        self._open: list[OpenBatch] = []
        self._waiting: list[simpy.Event] = []

    def place(self, done: simpy.Event) -> None:
        if self._passed is None:
            passes: Fraction = self.env.now
            for machines, close_after in self._groups:
                self.env.process(self._openings(machines, close_after, passes - self._interval))
        else:
            passes = max(self.env.now, self._passed + self._interval)
        self._passed = passes
        self.env.process(self._pass(done, passes))

    def _pass(self, done: simpy.Event, at: Fraction) -> Iterator[simpy.Event]:
        yield self.env.timeout(at - self.env.now)
        self._waiting.append(done)
        Later(self.env, REQUESTS, self._join)

    def _openings(self, machines: Machines, close_after: Fraction, start: Fraction) -> Iterator[simpy.Event]:
        number = 0
        while True:
            opening = start + number * machines.batch / machines.rate
            yield self.env.timeout(max(Fraction(0), opening - self.env.now))
            due: Any = round(opening + close_after - self._interval, 9)
            batch = OpenBatch(machines, due)
            self._open.append(batch)
            self.env.process(self._expire(batch, opening + close_after))
            Later(self.env, REQUESTS, self._join)
            number += 1

    def _expire(self, batch: OpenBatch, at: Fraction) -> Iterator[simpy.Event]:
        yield self.env.timeout(max(Fraction(0), at - self.env.now))
        batch.close()

    def _join(self) -> None:
        while self._waiting:
            ready = [batch for batch in self._open if not batch.closed]
            self._open = ready
            if not ready:
                return
            batch = min(ready, key=lambda one: one.due)
            batch.requests.append(self._waiting.pop(0))
            if len(batch.requests) == batch.machines.batch:
                batch.close()


class Referee:
    """Runs a plan on one stream of root requests.

    Parameters
    ----------
    pipeline, plan
        What is run.
    times
        Seconds at which root requests arrive.
    paced
        Whether requests reach every module a fixed time after their root has entered.
    """

    def __init__(self, pipeline: Pipeline, plan: PipelinePlan, times: Sequence[float], *, paced: bool) -> None:
        self.family = Family(pipeline.graph, len(times))
        environment: Any = simpy.Environment
        self._env: Clock = environment(initial_time=Fraction(-10))
        self._plan = plan
        self._paced = paced
        self._entry = (pipeline.burst - 1) / figure(pipeline.rate)
        self._entered = self._enter([figure(time) for time in times], pipeline)
        self._dispatchers = {name: self._dispatcher(plan.modules[name]) for name in self.family.order}
        self._done: dict[Item, simpy.Event] = {}

    def _enter(self, times: list[Fraction], pipeline: Pipeline) -> list[Fraction]:
        """Roots of a burst enter 1 / R apart."""
        if self._paced and pipeline.burst > 1:
            for i in range(1, len(times)):
                times[i] = max(times[i], times[i - 1] + 1 / figure(pipeline.rate))
        return times

    def _dispatcher(self, module: ModulePlan) -> Dispatcher:
        pace = module.pace
        assert pace is not None
        machines = [Machines(self._env, part) for part in module.tuples]
        waits = [Fraction(wait) for wait in pace.close_after]
        if pace.dispatcher == "open-batches":
            return OpenBatches(self._env, list(zip(machines, waits, strict=True)))
        assert pace.dispatcher in ("at-once", "in-step")
        return FullOrTimeOut(self._env, machines[0], waits[0])

    def run(self) -> dict[str, list[float]]:
        """Seconds at which every request of every module is done, in the order of the roots."""
        for name, requests in self.family.requests.items():
            self._done.update({(name, number): self._env.event() for number in range(len(requests))})
        for name, requests in self.family.requests.items():
            for number, request in enumerate(requests):
                self._env.process(self._request(name, number, request))
        self._env.run(until=self._env.all_of(self._done.values()))
        found: defaultdict[str, list[float]] = defaultdict(list)
        for (name, _), done in self._done.items():
            at: Any = done.value
            found[name].append(float(at))
        return found

    def _request(self, name: str, number: int, request: Request) -> Iterator[simpy.Event]:
        """Wait for all that it is made of, then for its time, then for its batch."""
        for part in request.parts:
            yield self._env.process(self._carry(part, name))
        entered = self._entered[request.root]
        if self._paced or not request.parts:
            start = self._start(name) if self._paced else Fraction(0)
            late = self._env.now - entered - start
            assert late <= 0, f"{name}: a part came {float(late)} s after its time"
            yield self._env.timeout(max(Fraction(0), entered + start - self._env.now))
        self._dispatchers[name].arrive(number, self._done[name, number])

    def _carry(self, part: Item, head: str) -> Generator[simpy.Event, Any, None]:
        """Until a part is done and has been carried over."""
        finished = yield self._done[part]
        arrives = finished + figure(self.family.graph.edges[part[0], head]["transfer"])
        yield self._env.timeout(max(Fraction(0), arrives - self._env.now))

    def _start(self, name: str) -> Fraction:
        """A nanosecond more from module to module: the figures of a plan are rounded."""
        pace = self._plan.modules[name].pace
        assert pace is not None
        return figure(pace.start) - self._entry + self.family.order.index(name) * NANOSECOND
