"""The controller of a whole system: machines for the rates that its policy follows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harpagon.formulations.slopt.envelope import Envelope
from harpagon.simulation.slopt.tuning import within_fleet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.simulation.slopt.engine import Assignment, Observation
    from harpagon.simulation.slopt.systems.policies import RatePolicy
    from harpagon.simulation.slopt.tuning import TuningOptions


class RateController:
    """Gives every module ceil(headroom x rate / throughput) machines, within the fleet.

    Parameters
    ----------
    assignments
        Configuration of every module.
    fanouts
        Requests of every module per request of the root, at the pipeline's own fan-outs.
    policy
        Which rates.
    options
        Headroom, period, start-up time and fleet; nothing else of them matters here.
    """

    def __init__(
        self,
        assignments: Sequence[Assignment],
        fanouts: Sequence[float],
        policy: RatePolicy,
        options: TuningOptions,
    ) -> None:
        self.options = options
        self.envelopes: list[Envelope] = []
        self.band = None
        self._throughputs = [assignment.configuration.throughput for assignment in assignments]
        self._fanouts = fanouts
        self._policy = policy

    def begin(self, rate: float) -> list[int]:
        """Machines for a known first rate of the root."""
        return self._provision(self._policy.begin([rate * fanout for fanout in self._fanouts]))

    def decide(self, observation: Observation) -> list[int]:
        """Machines from now on."""
        rates = [len(times) / self.options.period for times in observation.arrivals]
        return self._provision(self._policy.observe(observation, rates))

    def _provision(self, rates: Sequence[float]) -> list[int]:
        wanted = [rate * self.options.headroom for rate in rates]
        self.envelopes = [Envelope.of_rate(rate) for rate in wanted]
        return within_fleet(lambda share: self._machines(wanted, share), self.options.fleet)

    def _machines(self, rates: Sequence[float], share: float) -> list[int]:
        return [
            max(1, math.ceil(share * rate / throughput - 1e-9))
            for rate, throughput in zip(rates, self._throughputs, strict=True)
        ]
