"""What a simulation measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harpagon.instances.instance import Configuration
    from harpagon.instances.policies import Dispatch

ROUNDING = 1e-6
"""Seconds by which a measured latency may pass a limit and still count as keeping it: sums of clock times round."""
QUANTILES = (0.5, 0.9, 0.95, 0.99, 0.999)
"""Shares of requests whose latency is reported."""


@dataclass(frozen=True, slots=True)
class LatencySummary:
    """Latencies of a stream of requests.

    Attributes
    ----------
    count
        Requests measured.
    mean, maximum
        Seconds, exact; NaN and 0 where nothing was measured.
    quantiles
        Share of the requests to seconds, within the resolution of
        `harpagon.simulation.histogram`.
    """

    count: int
    mean: float
    maximum: float
    quantiles: dict[float, float]


@dataclass(frozen=True, slots=True)
class TupleReport:
    """One tuple of a module's plan, bound against measured.

    Attributes
    ----------
    configuration, machines, rate
        As in the plan.
    bound
        Worst-case latency the plan claims, seconds.
    allowance
        Seconds by which the bound may be passed where requests are missing or unevenly spaced, else 0.
    maximum
        Largest latency measured, seconds; 0 where no request came by.
    requests
        Requests measured.
    batches
        Batches run.
    mean_batch
        Places filled per batch, dummy requests included; NaN without a batch.
    utilisation
        Busy time over (machines x duration); for a residual the machine counts whole.
    """

    configuration: Configuration
    machines: float
    rate: float
    bound: float
    allowance: float
    maximum: float
    requests: int
    batches: int
    mean_batch: float
    utilisation: float


@dataclass(frozen=True, slots=True)
class ModuleReport:
    """One module: arrivals, completions, latency against its bound.

    ``allowance`` is by how many seconds the largest of its tuples' bounds may be passed.
    """

    name: str
    arrived: int
    finished: int
    bound: float
    allowance: float
    latency: LatencySummary
    tuples: tuple[TupleReport, ...]

    @property
    def in_flight(self) -> int:
        """Requests that had arrived but were not done when the run ended."""
        return self.arrived - self.finished


@dataclass(frozen=True, slots=True)
class Timeline:
    """Latency over time in equal slices of the run: slice ends in seconds, mean (NaN if empty) and largest latency."""

    ends: tuple[float, ...]
    mean: tuple[float, ...]
    maximum: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class PipelineReport:
    """One pipeline, from arrival to every result that leaves it.

    Attributes
    ----------
    bound
        Seconds after its root request by which every result is out, as the plan has it.
    allowance
        Seconds by which a dispatcher of ``tc-safe`` or ``edf``, and spacing before it, may pass that.
    arrived
        Root requests that entered.
    burst
        Smallest n such that no closed window of x seconds held more than n + rate x of them.
    promised
        Whether the plan makes its claim for such a run: a stream of its class, machines as profiled.
    latency
        From the arrival of a root request to each result it brings at a sink.
    violations
        Results later than the SLO.
    late
        Results later than the plan claims: later than the bound under ``paced``, than SLO and allowance else.
    frames
        From the arrival of a root request to the last result it brings.
    late_frames
        Root requests whose last result is later than the SLO.
    """

    name: str
    slo: float
    bound: float
    allowance: float
    arrived: int
    burst: float
    promised: bool
    latency: LatencySummary
    violations: int
    late: int
    frames: LatencySummary
    late_frames: int
    modules: tuple[ModuleReport, ...]
    timeline: Timeline

    @property
    def kept(self) -> bool:
        """Whether no result broke a promise."""
        return not (self.promised and self.late)

    @property
    def violation_share(self) -> float:
        """Share of results later than the SLO; 0 where there is none."""
        return self.violations / self.latency.count if self.latency.count else 0.0


@dataclass(frozen=True, slots=True)
class SimulationReport:
    """One run of a plan: what it ran with and what it measured, pipeline by pipeline."""

    instance: str
    dispatch: Dispatch
    arrivals: str
    conditions: str
    duration: float
    seed: int
    paced: bool
    padding: str
    pipelines: tuple[PipelineReport, ...]

    @property
    def kept(self) -> bool:
        """Whether every pipeline kept what its plan claims."""
        return all(pipeline.kept for pipeline in self.pipelines)
