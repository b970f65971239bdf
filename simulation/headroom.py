"""Headroom: how much more than the mean rate a plan must be made for when arrivals are random.

No bound holds for random arrivals, so a plan is judged by many runs with seeds of their own, and the question is what a
run with another seed will do: with a confidence of `confidence` it meets the SLO with the share of its requests that is
asked for. A plan passes where all runs do and so does their prediction bound,

    mean + t sqrt(1 + 1 / n) sd  <=  1 - percentile,

over the shares of late results of n runs, t being the quantile of Student's distribution at that confidence (normal
shares). All runs are n >= c / (1 - c): one more run of the same kind is then the worst of n + 1 with a probability of
1 - c at most, whatever their distribution. Seeds are never used twice for one plan.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import NormalDist, fmean, stdev
from typing import TYPE_CHECKING, TypeAlias

from harpagon.simulation.simulator import simulate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import DispatchTuple, Plan
    from harpagon.simulation.arrivals.processes import Arrivals
    from harpagon.simulation.planner import Planner
    from harpagon.simulation.report import SimulationReport

_STEP = 0.01
"""Each rate that is tried is so much larger than the one before."""
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
    paced
        Whether it is run paced, which was the better of the two.
    report
        The run of the median share of late results, under the instance's own rates.
    late_shares
        Share of late results in every run, of the pipeline that has most.
    bound
        Share of late results that a further run stays within, with the confidence asked for: the larger of the largest
        share and the prediction bound.
    """

    headroom: float
    plan: Plan
    paced: bool
    report: SimulationReport
    late_shares: tuple[float, ...]
    bound: float


def scaled(instance: Instance, headroom: float) -> Instance:
    """The instance with every rate times 1 + ``headroom``."""
    pipelines = tuple(replace(pipeline, rate=pipeline.rate * (1 + headroom)) for pipeline in instance.pipelines)
    return replace(instance, pipelines=pipelines)


def runs_for(confidence: float) -> int:
    """Runs after which one more is the worst with a probability of 1 - ``confidence`` at most."""
    return max(2, math.ceil(confidence / (1 - confidence) - 1e-9))


def prediction_bound(shares: tuple[float, ...], confidence: float) -> float:
    """What a further share stays below with this confidence, the shares being normal.

    Student's quantile from the normal z with m = n - 1 degrees of freedom: z + (z^3 + z) / (4 m) (Abramowitz and Stegun
    26.7.5, first term).
    """
    n, z = len(shares), NormalDist().inv_cdf(confidence)
    t = z + (z**3 + z) / (4 * (n - 1))
    return fmean(shares) + t * math.sqrt(1 + 1 / n) * stdev(shares)


def find_headroom(
    instance: Instance,
    planner: Planner,
    arrivals: Arrivals,
    *,
    percentile: float = 0.99,
    confidence: float = 0.95,
    duration: float = 60.0,
    seed: int = 0,
) -> Headroom | None:
    """Smallest headroom whose plan meets the SLO with a share ``percentile`` of the requests of a further run.

    Rates are tried one after the other, each 1 % above the one before, so nothing is assumed about which plans are
    better: the answer is the first that passes, paced or unpaced. The same machines are judged once.

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
    confidence
        Probability with which a run with another seed keeps that, above 0 and below 1.
    duration
        Seconds of every run.
    seed
        The same seed gives the same search.

    Returns
    -------
    Headroom or None
        None where no headroom up to `_LARGEST` has a plan that passes.
    """
    trial = _Trial(instance, arrivals, percentile, confidence, duration, seed)
    judged: set[_Schedule] = set()
    for headroom in _ladder():
        plan = planner(scaled(instance, headroom))
        if plan is None or _machines(plan) in judged:
            continue
        judged.add(_machines(plan))
        if passed := [found for paced in (True, False) if (found := trial.judge(headroom, plan, paced=paced))]:
            return min(passed, key=lambda found: found.bound)
    return None


def _ladder() -> Iterator[float]:
    headroom = 0.0
    while headroom <= _LARGEST:
        yield headroom
        headroom = (1 + headroom) * (1 + _STEP) - 1


def _machines(plan: Plan) -> _Schedule:
    return tuple(module.tuples for pipeline in plan.pipelines for module in pipeline.modules.values())


@dataclass
class _Trial:
    """Judges one plan after the other, each on runs with seeds of their own."""

    instance: Instance
    arrivals: Arrivals
    percentile: float
    confidence: float
    duration: float
    seed: int

    def judge(self, headroom: float, plan: Plan, *, paced: bool) -> Headroom | None:
        """The plan with what its runs say, None where it does not pass; the first run that misses ends it."""
        allowed = 1 - self.percentile
        reports: list[tuple[float, int, SimulationReport]] = []
        for number in range(runs_for(self.confidence)):
            report = self._run(plan, self.seed + number, paced=paced)
            late = max(pipeline.violation_share for pipeline in report.pipelines)
            if late > allowed:
                return None
            reports.append((late, number, report))
        shares = tuple(late for late, _, _ in reports)
        bound = max(*shares, prediction_bound(shares, self.confidence))
        if bound > allowed:
            return None
        return Headroom(headroom, plan, paced, sorted(reports)[len(reports) // 2][2], shares, bound)

    def _run(self, plan: Plan, seed: int, *, paced: bool) -> SimulationReport:
        shares = (self.percentile,)
        return simulate(
            self.instance, plan, self.arrivals, duration=self.duration, seed=seed, paced=paced, quantiles=shares
        )
