"""Headroom: how much more than the mean rate a plan must be made for when arrivals are random."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from harpagon.simulation.simulator import simulate

if TYPE_CHECKING:
    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import DispatchTuple, Plan
    from harpagon.simulation.arrivals.processes import Arrivals
    from harpagon.simulation.planner import Planner
    from harpagon.simulation.report import SimulationReport

_FIRST_STEP = 0.05
_LARGEST = 8.0
"""Headroom at which the search gives up: nine times the mean rate."""

_Schedule: TypeAlias = "tuple[tuple[DispatchTuple, ...], ...]"


@dataclass(frozen=True, slots=True)
class Headroom:
    """What a search found.

    Attributes
    ----------
    headroom
        The plan is made for (1 + headroom) times the instance's rates; its utilisation is 1 / (1 + headroom).
    plan
        That plan.
    report
        Its simulation under the instance's own rates.
    """

    headroom: float
    plan: Plan
    report: SimulationReport


def scaled(instance: Instance, headroom: float) -> Instance:
    """The instance with every rate times 1 + ``headroom``."""
    pipelines = tuple(replace(pipeline, rate=pipeline.rate * (1 + headroom)) for pipeline in instance.pipelines)
    return replace(instance, pipelines=pipelines)


def find_headroom(
    instance: Instance,
    planner: Planner,
    arrivals: Arrivals,
    *,
    percentile: float = 0.99,
    duration: float = 60.0,
    seed: int = 0,
    tolerance: float = 0.005,
) -> Headroom | None:
    """Smallest headroom whose plan meets the SLO with a share ``percentile`` of the simulated requests.

    The headroom is doubled until the plan meets it, then bisected. All plans see the same arrivals, and headrooms that
    lead to the same machines are simulated once. The search takes more headroom to be better; where a plan step breaks
    that, the answer still meets the SLO but may not be the smallest.

    Parameters
    ----------
    instance
        What to plan.
    planner
        Plans an instance.
    arrivals
        Arrival process of every pipeline.
    percentile
        Share of the requests, above 0 and below 1.
    duration, seed
        As for `simulate`.
    tolerance
        Width of the last interval of the bisection.

    Returns
    -------
    Headroom or None
        None where no headroom up to `_LARGEST` has a plan that meets the SLO.
    """
    trial = _Trial(instance, planner, arrivals, percentile, duration, seed)
    low, high = 0.0, 0.0
    best = trial.run(0.0)
    while best is None:
        low, high = high, max(_FIRST_STEP, 2 * high)
        if high > _LARGEST:
            return None
        best = trial.run(high)
    while high - low > tolerance:
        middle = (low + high) / 2
        found = trial.run(middle)
        if found is None:
            low = middle
        else:
            high, best = middle, found
    return best


class _Trial:
    """Plans at one headroom after the other; the same machines are simulated once."""

    def __init__(
        self,
        instance: Instance,
        planner: Planner,
        arrivals: Arrivals,
        percentile: float,
        duration: float,
        seed: int,
    ) -> None:
        self._instance = instance
        self._planner = planner
        self._arrivals = arrivals
        self._percentile = percentile
        self._duration = duration
        self._seed = seed
        self._reports: dict[_Schedule, SimulationReport] = {}

    def run(self, headroom: float) -> Headroom | None:
        """The plan and its simulation, None where there is no plan or it misses the SLO."""
        plan = self._planner(scaled(self._instance, headroom))
        if plan is None:
            return None
        machines = tuple(module.tuples for pipeline in plan.pipelines for module in pipeline.modules.values())
        if machines not in self._reports:
            self._reports[machines] = simulate(
                self._instance,
                plan,
                self._arrivals,
                duration=self._duration,
                seed=self._seed,
                quantiles=(self._percentile,),
            )
        report = self._reports[machines]
        meets = all(pipeline.latency.quantiles[self._percentile] <= pipeline.slo for pipeline in report.pipelines)
        return Headroom(headroom, plan, report) if meets else None
