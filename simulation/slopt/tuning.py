"""When machines are started and retired.

Once a period, machines are ordered that are ready a start-up time later and must do until those of the next decision
are ready. *Ahead-of-time* tuning sizes every module for the forecast of that moment; a module that a change reaches h
seconds after the root needs a forecast that looks h seconds less far. *Reactive* tuning sizes it for what it sees now.

Under a forecast by analogy machines start for the moment when they can serve, and those that run already are held for
the periods before it. A machine that was wanted stays for as long as its start would cost: S seconds of start-up, at
the price that holding it costs, so the price cancels and the patience is S whatever the module runs.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harpagon.formulations.slopt.cascade import ModuleSchedule
from harpagon.formulations.slopt.envelope import Envelope, largest, required_rate
from harpagon.simulation.slopt.demand import DemandEstimator, DemandOptions
from harpagon.simulation.slopt.feedback import FIRST, QuantileLoop
from harpagon.simulation.slopt.stages import Estimation, Forecast, Tuning

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np

    from harpagon.graphs import PathNetwork
    from harpagon.instances.instance import Pipeline
    from harpagon.simulation.slopt.engine import Assignment, Observation


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
        Whether past errors of the trend widen the demand.
    startup
        Seconds a machine takes to start.
    period
        Seconds between decisions.
    patience
        Periods for which a lower demand must last before machines retire; None for as long as a start-up takes.
    fleet
        Machines available to all modules together; None for no limit.
    paced
        Whether results are held back, so that no burst grows on the way.
    forecast
        How ahead-of-time tuning looks ahead.
    quantile, closed_loop
        Of a forecast by analogy: the quantile to begin with, and whether it follows the measured attainment.
    counted
        Whether it counts what arrives in a period, so that only its place within the period is open.
    """

    estimation: Estimation = Estimation.CASCADE
    tuning: Tuning = Tuning.AHEAD
    headroom: float = 1.0
    margin: bool = True
    startup: float = 2.0
    period: float = 1.0
    patience: int | None = None
    fleet: int | None = None
    paced: bool = False
    forecast: Forecast = Forecast.ADJUSTED
    quantile: float = FIRST
    closed_loop: bool = False
    counted: bool = True

    @property
    def demand(self) -> DemandOptions:
        """The part that concerns estimation."""
        lead = 1 + self.startup / self.period
        forecast = self.forecast if self.tuning is Tuning.AHEAD else None
        return DemandOptions(self.estimation, forecast, self.margin, lead, self.period, self.paced, self.counted)

    @property
    def patience_periods(self) -> int:
        """Decisions whose wishes count together."""
        return max(1, math.ceil(self.startup / self.period)) if self.patience is None else self.patience


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
        self._loop = QuantileLoop(options.quantile, options.closed_loop)
        self._demands: deque[list[Envelope]] = deque(maxlen=options.patience_periods)
        self._wanted: deque[list[int]] = deque(maxlen=options.patience_periods)
        heads = network.heads([assignment.budget for assignment in assignments])
        self._horizons = [max(0.0, options.demand.lead - head / options.period) for head in heads]

    @property
    def band(self) -> tuple[float, float] | None:
        """Least and most requests per second of the root in the last forecast by analogy; None for none."""
        return self._estimator.band

    def train(self, rates: Sequence[np.ndarray], factors: Sequence[np.ndarray]) -> None:
        """Know other days, the last one first: the root's rates and the factors on its fan-outs."""
        self._estimator.train(rates[0].tolist())
        self._estimator.remember(rates, factors)

    def begin(self, rate: float) -> list[int]:
        """Machines of every module for a known first rate of the root."""
        self.envelopes = self._with_headroom(self._estimator.first(rate, self._loop.quantile))
        return self._within_fleet(self.envelopes)

    def decide(self, observation: Observation) -> list[int]:
        """Machines of every module from now on; those to be started start now."""
        self._loop.observe(observation.ended, observation.missed)
        self._estimator.learn(observation, self._loop.quantile)
        return self._by_analogy(observation) if self._estimator.by_analogy else self._by_trend()

    def _by_analogy(self, observation: Observation) -> list[int]:
        """Starts for the moment when machines started now serve; holds for the periods before it."""
        start = self._with_headroom([self._estimator.demand(h)[m] for m, h in enumerate(self._horizons)])
        before = [self._estimator.demand(float(k)) for k in range(1, math.ceil(self.options.demand.lead))]
        held = self._with_headroom([largest(each) for each in zip(start, *before, strict=True)])
        self.envelopes = start
        pairs = zip(self._machines(start, 1.0), self._machines(held, 1.0), observation.machines, strict=True)
        self._wanted.append([max(starting, min(holding, now)) for starting, holding, now in pairs])
        recent = [max(each) for each in zip(*self._wanted, strict=True)]
        machines = [
            max(now, min(r, n)) for now, r, n in zip(self._wanted[-1], recent, observation.machines, strict=True)
        ]
        fleet = self.options.fleet
        return machines if fleet is None or sum(machines) <= fleet else self._within_fleet(start)

    def _by_trend(self) -> list[int]:
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
        return within_fleet(lambda share: self._machines(demand, share), self.options.fleet)

    def _machines(self, demand: Sequence[Envelope], share: float) -> list[int]:
        return [
            machines_for(envelope.scaled(share), assignment)
            for envelope, assignment in zip(demand, self._assignments, strict=True)
        ]


_SHARE_TOLERANCE = 1e-3


def within_fleet(machines: Callable[[float], list[int]], fleet: int | None) -> list[int]:
    """Machines of every module for the largest share of all demand that the fleet can serve.

    Parameters
    ----------
    machines
        From a share of the demand to the machines that it takes.
    fleet
        Machines available to all modules together; None for no limit.
    """
    wanted, low, high = machines(1.0), 0.0, 1.0
    if fleet is None or sum(wanted) <= fleet:
        return wanted
    while high - low > _SHARE_TOLERANCE:
        share = (low + high) / 2
        low, high = (share, high) if sum(machines(share)) <= fleet else (low, share)
    return machines(low)


def machines_for(envelope: Envelope, assignment: Assignment) -> int:
    """Fewest machines in the module's configuration that keep its budget under an envelope; at least one."""
    rate = required_rate(envelope, assignment.configuration, assignment.budget)
    return max(1, math.ceil(rate / assignment.configuration.throughput - 1e-9))
