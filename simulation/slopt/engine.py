"""The pipeline in time, one control period at a time, modules in topological order.

Within a period every module runs up to the period's end before the next one in topological order does: what a
module hands on only depends on what came before it, so no event is missed. Machine counts change between periods;
the time ahead that proactive dropping needs is what the modules reported for the period before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harpagon.formulations.slopt.cascade import graph_fanouts
from harpagon.graphs import PathNetwork
from harpagon.simulation.flow.fleet import Fleet
from harpagon.simulation.flow.order import Order
from harpagon.simulation.flow.server import Server
from harpagon.simulation.slopt.durations import batch_durations
from harpagon.simulation.slopt.requests import RequestBook

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harpagon.instances.instance import Configuration, Pipeline
    from harpagon.simulation.flow.drop import DropRule
    from harpagon.simulation.flow.server import Outcome


@dataclass(frozen=True, slots=True)
class Assignment:
    """What one module runs: its configuration, the machines ready at time 0, and its latency budget in seconds."""

    configuration: Configuration
    machines: int
    budget: float


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """One control period as the modules report it; sequences in topological order of the modules.

    Attributes
    ----------
    end
        Seconds on the clock.
    arrivals
        Times of the items that came to every module.
    fanouts
        Items sent along every edge per item finished at its tail; missing where none finished.
    latencies
        Mean latency of the items in the batches that started, seconds; NaN for none.
    machines
        Machines at the end, those that start included.
    dropped
        Roots dropped in the period.
    ended, missed
        Roots finished or dropped since the last observation, and those of them that were dropped or late.
    """

    end: float
    arrivals: tuple[list[float], ...]
    fanouts: Mapping[tuple[str, str], float]
    latencies: tuple[float, ...]
    machines: tuple[int, ...]
    dropped: int
    ended: int = 0
    missed: int = 0


class Execution:
    """A pipeline that serves a trace.

    Parameters
    ----------
    pipeline
        Graph and SLO.
    assignments
        What every module runs, in topological order.
    profiles
        Profile of every module, in topological order.
    arrivals
        Sorted seconds at which the roots enter.
    fanout_factors
        What the fan-outs of the sources' edges are multiplied by, second by second; the last value holds on.
    drop
        Drop policy of every module.
    paced
        Whether results are held back until arrival + budget.
    startup
        Seconds a machine takes to start.
    generator
        Draws fan-outs.
    order
        Who is served first.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        assignments: Sequence[Assignment],
        profiles: Sequence[Sequence[Configuration]],
        arrivals: np.ndarray,
        fanout_factors: np.ndarray,
        drop: DropRule,
        paced: bool,
        startup: float,
        generator: np.random.Generator,
        order: Order = Order.ARRIVAL,
    ) -> None:
        self.network = PathNetwork.from_graph(pipeline.graph)
        self.arrivals = arrivals
        self.dropped_at = np.full(arrivals.size, np.inf)
        """Seconds at which every root was dropped."""
        self.module_arrivals: list[list[np.ndarray]] = [[] for _ in assignments]
        """Times of all items that came to every module, period by period."""
        self.assignments = tuple(assignments)
        self._factors = fanout_factors
        self._paced = paced
        self._slo = pipeline.slo
        self._counted = (0, 0)
        self.entered = 0
        """Roots that have entered."""
        fanouts = graph_fanouts(pipeline.graph)
        self.book = RequestBook(pipeline.graph, self.network, arrivals, fanouts, generator)
        deadlines = (arrivals + pipeline.slo).tolist()
        self.servers = [
            Server(
                Fleet(assignment.machines, startup),
                batch_durations(assignment.configuration, profile),
                drop,
                deadlines,
                order,
            )
            for assignment, profile in zip(assignments, profiles, strict=True)
        ]
        self._look_ahead([batch_durations(a.configuration, p)[1] for a, p in zip(assignments, profiles, strict=True)])

    def step(self, end: float) -> Observation:
        """Run up to ``end`` seconds on the clock."""
        factor = float(self._factors[min(int(np.ceil(end)) - 1, self._factors.size - 1)])
        self._enter(end)
        sent_before = dict(self.book.sent)
        outcomes = [self._run_module(module, end, factor) for module in range(len(self.servers))]
        latencies = [float((o.finished - o.arrived).mean()) if o.roots.size else float("nan") for o in outcomes]
        self._look_ahead(latencies)
        dropped = self._note_drops(outcomes)
        finished, late = self._note_finished()
        return Observation(
            end,
            tuple(server.admitted for server in self.servers),
            self._measured_fanouts(sent_before, outcomes),
            tuple(latencies),
            tuple(len(server.fleet) for server in self.servers),
            dropped,
            finished + dropped,
            late + dropped,
        )

    def _note_finished(self) -> tuple[int, int]:
        """Roots finished, and finished late, since the last call."""
        latencies = self.book.finish - self.arrivals
        finished, late = (
            int(np.isfinite(latencies).sum()),
            int((np.isfinite(latencies) & (latencies > self._slo)).sum()),
        )
        before, self._counted = self._counted, (finished, late)
        return finished - before[0], late - before[1]

    def _enter(self, end: float) -> None:
        until = int(np.searchsorted(self.arrivals, end))
        roots = np.arange(self.entered, until)
        self.entered = until
        for module, tails in enumerate(self.network.predecessors):
            if not tails:
                self.servers[module].arrive(*self.book.enter(module, roots))

    def _run_module(self, module: int, end: float, factor: float) -> Outcome:
        server = self.servers[module]
        server.arrive(*self.book.join(module))
        outcome = server.run(end)
        self.module_arrivals[module].append(np.array(server.admitted))
        released = outcome.finished
        if self._paced:
            released = np.maximum(released, outcome.arrived + self.assignments[module].budget)
        if self.network.predecessors[module]:
            factor = 1.0
        for head, items in self.book.finish_items(module, outcome.roots, released, factor).items():
            self.servers[head].arrive(*items)
        return outcome

    def _look_ahead(self, latencies: Sequence[float]) -> None:
        """Tell every module the time ahead of its results; a module without a batch counts by its last report."""
        self._reported = [
            latency if np.isfinite(latency) else last
            for latency, last in zip(latencies, getattr(self, "_reported", latencies), strict=True)
        ]
        for server, ahead in zip(self.servers, self.network.tails(self._reported), strict=True):
            server.ahead = ahead

    def _note_drops(self, outcomes: Sequence[Outcome]) -> int:
        before = np.isfinite(self.dropped_at).sum()
        for outcome in outcomes:
            np.minimum.at(self.dropped_at, outcome.dropped, outcome.dropped_at)
        return int(np.isfinite(self.dropped_at).sum() - before)

    def _measured_fanouts(
        self, sent_before: Mapping[tuple[int, int], int], outcomes: Sequence[Outcome]
    ) -> dict[tuple[str, str], float]:
        names = self.network.modules
        return {
            (names[tail], names[head]): (sent - sent_before[tail, head]) / outcomes[tail].roots.size
            for (tail, head), sent in self.book.sent.items()
            if outcomes[tail].roots.size
        }
