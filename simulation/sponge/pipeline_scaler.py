"""What a pipeline's containers run in the coming second."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from harpagon.formulations.physics import module_latency
from harpagon.heuristics.baselines.vertical import plan_vertical_pipeline
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Dispatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.formulations.problem import ModuleProblem, PipelineProblem
    from harpagon.instances.instance import Configuration
    from harpagon.simulation.sponge.requests import SentRequest


class PipelineScaler(Protocol):
    """Chooses one configuration a module."""

    def choose(self, now: float, requests: Sequence[SentRequest]) -> Sequence[Configuration]:
        """Configurations in the topological order of the pipeline, from ``now`` for one second."""


@dataclass(slots=True)
class FixedPipelineScaler:
    """The same configurations for ever."""

    configurations: tuple[Configuration, ...]

    def choose(self, now: float, requests: Sequence[SentRequest]) -> Sequence[Configuration]:
        """What it was given."""
        return self.configurations


@dataclass(slots=True)
class InPlacePipelineScaler:
    """Plans every second for the least remaining SLO that the last second's arrivals had.

    Requests that arrive with less time left than the pipeline's fastest path are lost and do not count. Where nothing
    meets what is left, every module takes its fastest machine.

    Attributes
    ----------
    problem
        The pipeline, at its announced rate.
    change_cost
        Dollars per hour that a module's change of cores must save.
    """

    problem: PipelineProblem
    change_cost: float = 0.0
    _running: tuple[Configuration, ...] | None = None

    def choose(self, now: float, requests: Sequence[SentRequest]) -> Sequence[Configuration]:
        """The cheapest configurations for what arrived in the last second; at time 0 for the first request."""
        first = bisect_left(requests, now - 1.0, key=lambda request: request.arrived)
        after = bisect_left(requests, now, key=lambda request: request.arrived)
        seen = requests[first:after] or requests[:1]
        remaining = [request.deadline - request.arrived for request in seen]
        fastest = [_fastest(module) for module in self.problem.modules]
        least = self.problem.network.length([_latency(configuration) for configuration in fastest])
        budget = min((left for left in remaining if left >= least), default=self.problem.slo)
        planned = plan_vertical_pipeline(self.problem, budget, Dispatch.TC, self._running, self.change_cost)
        if planned is None:
            self._running = tuple(fastest)
        else:
            self._running = tuple(module.tuples[0].configuration for module in planned.modules.values())
        return self._running


def count_unavoidable(problem: PipelineProblem, requests: Sequence[SentRequest]) -> int:
    """Requests that arrive with less time left than one request alone takes on the fastest machines."""
    least = problem.network.length([min(c.duration for c in module.configurations) for module in problem.modules])
    return sum(request.deadline - request.arrived < least for request in requests)


def _latency(configuration: Configuration) -> float:
    return module_latency([DispatchTuple.full(configuration, 1)], Dispatch.TC)


def _fastest(module: ModuleProblem) -> Configuration:
    """The machine with the least latency of those that keep up; the one with the most throughput where none does."""
    enough = [configuration for configuration in module.configurations if configuration.throughput >= module.rate]
    if not enough:
        return max(module.configurations, key=lambda configuration: configuration.throughput)
    return min(enough, key=_latency)
