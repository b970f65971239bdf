"""When machines are started and retired.

Once a period, machines are ordered that are ready a start-up time later and must do until those of the next decision
are ready. *Ahead-of-time* tuning sizes every module for the forecast of that moment; a module that a change reaches h
seconds after the root needs a forecast that looks h seconds less far. *Reactive* tuning sizes it for what it sees now.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from harpagon.formulations.slopt.cascade import ModuleSchedule
from harpagon.formulations.slopt.envelope import Envelope, largest, required_rate
from harpagon.simulation.slopt.demand import DemandEstimator, DemandOptions
from harpagon.simulation.slopt.estimation import Estimation

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
    margin
        Whether past forecast errors widen the demand.
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
    margin: bool = True
    startup: float = 2.0
    period: float = 1.0
    patience: int = 4
    fleet: int | None = None
    paced: bool = False

    @property
    def demand(self) -> DemandOptions:
        """The part that concerns estimation."""
        lead = 1 + self.startup / self.period
        return DemandOptions(self.estimation, self.tuning is Tuning.AHEAD, self.margin, lead, self.period, self.paced)


class Tuner:
    """Decides machine counts period by period.

    Parameters
    ----------
    pipeline, network
        What is served.
    assignments
        Configuration and budget of every module, with the machines of the reference plan.
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
        self._assignments = assignments
        schedules = [
            ModuleSchedule(((a.configuration, a.machines),), a.budget, least)
            for a, least in zip(assignments, shortest, strict=True)
        ]
        self._estimator = DemandEstimator(pipeline, network, schedules, options.demand)
        self._demands: deque[list[Envelope]] = deque(maxlen=options.patience)
        heads = network.heads([assignment.budget for assignment in assignments])
        self._horizons = [max(0.0, options.demand.lead - head / options.period) for head in heads]

    def train(self, rates: Sequence[float]) -> None:
        """Learn forecast errors from the root's rates of another day."""
        self._estimator.train(rates)

    def begin(self, rate: float) -> list[int]:
        """Machines of every module for a known first rate of the root."""
        self.envelopes = self._with_headroom(self._estimator.first(rate))
        return self._within_fleet(self.envelopes)

    def decide(self, observation: Observation) -> list[int]:
        """Machines of every module from now on; those to be started start now."""
        self._estimator.learn(observation)
        demand = self._estimator.demand(0.0)
        if self.options.tuning is Tuning.AHEAD:
            later = [self._estimator.demand(horizon)[m] for m, horizon in enumerate(self._horizons)]
            demand = [largest(pair) for pair in zip(demand, later, strict=True)]
        self.envelopes = self._with_headroom(demand)
        self._demands.append(self.envelopes)
        return self._within_fleet([largest(recent) for recent in zip(*self._demands, strict=True)])

    def _with_headroom(self, demand: Sequence[Envelope]) -> list[Envelope]:
        return [envelope.scaled(self.options.headroom) for envelope in demand]

    def _within_fleet(self, demand: Sequence[Envelope]) -> list[int]:
        """Machines for the largest share of all demand that the fleet can serve."""
        machines, fleet = self._machines(demand, 1.0), self.options.fleet
        low, high = 0.0, 1.0
        while fleet is not None and sum(machines) > fleet and high - low > _SHARE_TOLERANCE:
            share = (low + high) / 2
            fits = sum(self._machines(demand, share)) <= fleet
            low, high = (share, high) if fits else (low, share)
        return machines if fleet is None or sum(machines) <= fleet else self._machines(demand, low)

    def _machines(self, demand: Sequence[Envelope], share: float) -> list[int]:
        return [
            machines_for(envelope.scaled(share), assignment)
            for envelope, assignment in zip(demand, self._assignments, strict=True)
        ]


_SHARE_TOLERANCE = 1e-3


def machines_for(envelope: Envelope, assignment: Assignment) -> int:
    """Fewest machines in the module's configuration that keep its budget under an envelope; at least one."""
    rate = required_rate(envelope, assignment.configuration, assignment.budget)
    return max(1, math.ceil(rate / assignment.configuration.throughput - 1e-9))
