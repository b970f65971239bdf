"""When machines are started and retired.

Both tunings ask once a period for the number of machines of every module. *Ahead-of-time* tuning asks for the root's
forecast at the moment a machine started now is ready, and makes each module's change when its share arrives: a
module's latency later than at the modules before it. *Reactive* tuning asks for what each module sees now.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from harpagon.formulations.slopt_cascade import ModuleSchedule, cascade_envelopes, graph_fanouts, mean_envelopes
from harpagon.formulations.slopt_envelope import Envelope, largest, required_rate
from harpagon.simulation.slopt.estimation import Estimation, ForecastErrors, dispersion, own_estimate, trend_forecast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.graphs import PathNetwork
    from harpagon.instances.instance import Pipeline
    from harpagon.simulation.slopt.engine import Assignment, Observation


class Tuning(StrEnum):
    """When a module's machines follow its load."""

    AHEAD = "ahead"
    REACTIVE = "reactive"


@dataclass(frozen=True, slots=True)
class TuningOptions:
    """How machines follow the load.

    Attributes
    ----------
    estimation, tuning
        Which ones.
    headroom
        Factor on every demand.
    startup
        Seconds a machine takes to start.
    period
        Seconds between decisions.
    patience
        Periods for which a lower demand must last before machines retire.
    fleet
        Machines available to all modules together; None for no limit.
    paced
        Whether results are held back, so that no burst grows on the way.
    """

    estimation: Estimation = Estimation.CASCADE
    tuning: Tuning = Tuning.AHEAD
    headroom: float = 1.0
    startup: float = 3.0
    period: float = 1.0
    patience: int = 4
    fleet: int | None = None
    paced: bool = False


class Tuner:
    """Decides machine counts period by period.

    Parameters
    ----------
    pipeline, network
        What is served.
    assignments
        Configuration and budget of every module.
    shortest
        Seconds of the smallest batch of every module.
    options
        How.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        network: PathNetwork,
        assignments: Sequence[Assignment],
        shortest: Sequence[float],
        options: TuningOptions,
    ) -> None:
        self.options = options
        self.envelopes: list[Envelope] = []
        """Demand of every module in the last decision."""
        self._pipeline = pipeline
        self._network = network
        self._assignments = assignments
        self._shortest = shortest
        self._fanouts = graph_fanouts(pipeline.graph)
        self._rates: list[list[float]] = [[] for _ in assignments]
        self._recent = np.empty(0)
        self._errors = ForecastErrors(1 + options.startup / options.period)
        self._needs: deque[list[int]] = deque(maxlen=options.patience)
        self._heads = network.heads([assignment.budget for assignment in assignments])

    def begin(self, rate: float) -> list[int]:
        """Machines of every module for a known first rate of the root."""
        self.envelopes = [e.scaled(self.options.headroom) for e in self._from_root(0.0, rate)]
        machines = [self._machines(envelope, m) for m, envelope in enumerate(self.envelopes)]
        return within_fleet(machines, self.options.fleet)

    def decide(self, observation: Observation) -> list[tuple[float, int]]:
        """For every module the seconds on the clock of its change, and its machines from then on."""
        self._learn(observation)
        self.envelopes = self._demand(observation.end, 0.0)
        if self.options.tuning is Tuning.AHEAD:
            later = self._demand(observation.end, 1 + self.options.startup / self.options.period)
            self.envelopes = [largest(pair) for pair in zip(self.envelopes, later, strict=True)]
        needs = [self._machines(envelope, m) for m, envelope in enumerate(self.envelopes)]
        self._needs.append(needs)
        wanted = within_fleet([max(column) for column in zip(*self._needs, strict=True)], self.options.fleet)
        if self.options.tuning is Tuning.REACTIVE:
            return [(observation.end, machines) for machines in wanted]
        return [(observation.end + head, machines) for head, machines in zip(self._heads, wanted, strict=True)]

    def _learn(self, observation: Observation) -> None:
        for rates, arrivals in zip(self._rates, observation.arrivals, strict=True):
            rates.append(len(arrivals) / self.options.period)
        self._errors.observe(self._rates[0])
        self._recent = np.concatenate([self._recent, observation.arrivals[0]])
        self._recent = self._recent[self._recent > observation.end - 10.0]
        for edge, measured in observation.fanouts.items():
            self._fanouts[edge] += _FANOUT_WEIGHT * (measured - self._fanouts[edge])

    def _demand(self, end: float, ahead: float) -> list[Envelope]:
        estimation = self.options.estimation
        reactive = self.options.tuning is Tuning.REACTIVE
        if estimation in (Estimation.LAST, Estimation.EWMA, Estimation.PEAK) or (
            estimation is Estimation.FANOUT and reactive
        ):
            growth = 1.0 if reactive else self._growth(ahead)
            envelopes = [Envelope.of_rate(own_estimate(estimation, rates) * growth) for rates in self._rates]
        else:
            envelopes = self._from_root(end, trend_forecast(self._rates[0], ahead))
            if reactive:
                envelopes = [
                    envelope.scaled(rates[-1] * (1 + self._errors.margin()) / envelope.rate)
                    if envelope.rate
                    else envelope
                    for envelope, rates in zip(envelopes, self._rates, strict=True)
                ]
        return [envelope.scaled(self.options.headroom) for envelope in envelopes]

    def _growth(self, ahead: float) -> float:
        """Forecast of the root over its last rate: what ahead-of-time tuning adds to a module's own estimate."""
        last = self._rates[0][-1]
        return max(1.0, trend_forecast(self._rates[0], ahead) / last) if last else 1.0

    def _from_root(self, end: float, rate: float) -> list[Envelope]:
        graph, network = self._pipeline.graph, self._network
        if self.options.estimation is not Estimation.CASCADE:
            return mean_envelopes(rate, graph, network, self._fanouts)
        root = Envelope.of_process(rate * (1 + self._errors.margin()), dispersion(self._recent, end))
        schedules = [
            ModuleSchedule(((a.configuration, a.machines),), a.budget, shortest)
            for a, shortest in zip(self._assignments, self._shortest, strict=True)
        ]
        return cascade_envelopes(root, graph, network, schedules, self._fanouts, self.options.paced)

    def _machines(self, envelope: Envelope, module: int) -> int:
        assignment = self._assignments[module]
        rate = required_rate(envelope, assignment.configuration, assignment.budget)
        return max(1, math.ceil(rate / assignment.configuration.throughput - 1e-9))


_FANOUT_WEIGHT = 0.3


def within_fleet(machines: Sequence[int], fleet: int | None) -> list[int]:
    """Machine counts cut in proportion where they exceed the fleet; every module keeps one."""
    if fleet is None or sum(machines) <= fleet:
        return list(machines)
    share = fleet / sum(machines)
    cut = [max(1, math.floor(n * share)) for n in machines]
    order = sorted(range(len(cut)), key=lambda m: cut[m] - machines[m] * share)
    for m in order[: max(0, fleet - sum(cut))]:
        cut[m] += 1
    return cut
