"""Sponge for pipelines: one container a module, whose cores change in place, and requests with their own deadlines.

Every module serves its queue earliest deadline first, by the deadline of the request as a whole. A fan-out makes
several tasks of one request. At ``join: all`` a module works on a request once the results of all modules before it
have come, at ``join: any`` on what each of them brings when it comes; it is done with a request once all tasks are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from harpagon.formulations.problem import pipeline_problem
from harpagon.instances.cpu.instance import core_profile_of, cores_of
from harpagon.simulation.flow.closings import Closings
from harpagon.simulation.flow.drop import Drop
from harpagon.simulation.flow.fleet import Fleet
from harpagon.simulation.flow.order import Order
from harpagon.simulation.flow.queues import QueueEngine, drawn_edges
from harpagon.simulation.flow.server import Server
from harpagon.simulation.sponge.server import DurationTable

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    (pipeline,) = instance.pipelines
    graph, network = pipeline.graph, pipeline_problem(instance, pipeline).network
    tables = [DurationTable(core_profile_of(instance, graph.nodes[name]["model"])) for name in network.modules]
    deadlines = [request.deadline for request in requests]
    servers = [
        Server(Fleet(1, 0.0), (0.0,), Drop.NONE, deadlines, Order.DEADLINE, patient=False, eager=True) for _ in tables
    ]
    arrivals = np.array([request.arrived for request in requests])
    closings = Closings(network, arrivals.size, np.array(deadlines))
    edges = drawn_edges(graph, network, arrivals.size, np.random.default_rng(seed))
    engine = QueueEngine(graph, network, arrivals, closings, edges, servers, whole=True)
    cores = []
    last = math.ceil(max(duration, *deadlines, 0.0))
    for second in range(last + 1):
        chosen = scaler.choose(float(second), requests)
        for server, table, configuration in zip(servers, tables, chosen, strict=True):
            server.durations = table.durations(cores_of(configuration.hardware), configuration.batch)
        cores.append(sum(cores_of(configuration.hardware) for configuration in chosen))
        engine.run(second + 1.0 if second < last else math.inf)
    done = closings.finish.tolist()
    late = sum(map(float.__gt__, done, deadlines))
    return PipelineRun(tuple(cores[: math.ceil(duration)]), tuple(done), late)
