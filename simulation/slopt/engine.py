"""A pipeline that serves a trace, and what its modules report of every control period.

Machine counts change between periods; the time ahead that proactive dropping needs is what the modules reported for
the period before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harpagon.formulations.slopt.cascade import graph_fanouts
from harpagon.graphs import PathNetwork
from harpagon.simulation.flow.closings import Closings
from harpagon.simulation.flow.fanout import Edge, RandomFanout
from harpagon.simulation.flow.fleet import Fleet
from harpagon.simulation.flow.order import Order
from harpagon.simulation.flow.queues import QueueEngine
from harpagon.simulation.flow.server import Server
from harpagon.simulation.slopt.durations import batch_durations

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


class Execution(QueueEngine):
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
        deadlines = (arrivals + pipeline.slo).tolist()
        durations = [batch_durations(a.configuration, p) for a, p in zip(assignments, profiles, strict=True)]
        network = PathNetwork.from_graph(pipeline.graph)
        fanouts = {
            (network.modules.index(tail), network.modules.index(head)): RandomFanout(fanout, generator)
            for (tail, head), fanout in graph_fanouts(pipeline.graph).items()
        }
        transfers = network.edges()
        super().__init__(
            pipeline.graph,
            network,
            arrivals,
            Closings(network, arrivals.size),
            {edge: Edge(fanout, transfers[edge]) for edge, fanout in fanouts.items()},
            [
                Server(Fleet(assignment.machines, startup), seconds, drop, deadlines, order)
                for assignment, seconds in zip(assignments, durations, strict=True)
            ],
            holds=[assignment.budget for assignment in assignments] if paced else None,
        )
        self.dropped_at = np.full(arrivals.size, np.inf)
        """Seconds at which every root was dropped."""
        self.module_arrivals: list[list[np.ndarray]] = [[] for _ in assignments]
        """Times of all items that came to every module, period by period."""
        self.assignments = tuple(assignments)
        self._from_sources = [fanout for (tail, _), fanout in fanouts.items() if not network.predecessors[tail]]
        self._factors = fanout_factors
        self._slo = pipeline.slo
        self._open = np.empty(0, dtype=np.int64)
        self._reported = [seconds[1] for seconds in durations]
        self._look_ahead(self._reported)

    def step(self, end: float) -> Observation:
        """Run up to ``end`` seconds on the clock."""
        factor = float(self._factors[min(int(np.ceil(end)) - 1, self._factors.size - 1)])
        for fanout in self._from_sources:
            fanout.factor = factor
        sent_before, entered_before = {edge: carrier.sent for edge, carrier in self.edges.items()}, self.entered
        outcomes = self.run(end)
        for times, server in zip(self.module_arrivals, self.servers, strict=True):
            times.append(np.array(server.admitted))
        latencies = [float((o.finished - o.arrived).mean()) if o.roots.size else float("nan") for o in outcomes]
        self._look_ahead(latencies)
        self._note_drops(outcomes)
        finished, late, dropped = self._note_ended(np.arange(entered_before, self.entered))
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

    def _note_ended(self, entered: np.ndarray) -> tuple[int, int, int]:
        """Roots finished, those of them that are late, and roots dropped since the last call; ``entered`` are new."""
        roots = np.concatenate([self._open, entered])
        latencies = self.closings.finish[roots] - self.arrivals[roots]
        finished, dropped = np.isfinite(latencies), np.isfinite(self.dropped_at[roots])
        self._open = roots[~(finished | dropped)]
        return int(finished.sum()), int((finished & (latencies > self._slo)).sum()), int(dropped.sum())

    def _look_ahead(self, latencies: Sequence[float]) -> None:
        """Tell every module the time ahead of its results; a module without a batch counts by its last report."""
        self._reported = [
            latency if np.isfinite(latency) else last for latency, last in zip(latencies, self._reported, strict=True)
        ]
        for server, ahead in zip(self.servers, self.network.tails(self._reported), strict=True):
            server.ahead = ahead

    def _note_drops(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            np.minimum.at(self.dropped_at, outcome.dropped, outcome.dropped_at)

    def _measured_fanouts(
        self, sent_before: Mapping[tuple[int, int], int], outcomes: Sequence[Outcome]
    ) -> dict[tuple[str, str], float]:
        names = self.network.modules
        return {
            (names[tail], names[head]): (edge.sent - sent_before[tail, head]) / outcomes[tail].roots.size
            for (tail, head), edge in self.edges.items()
            if outcomes[tail].roots.size
        }
