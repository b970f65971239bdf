"""From running counts to reports."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from harpagon.simulation.frames import FrameMeasure
from harpagon.simulation.histogram import LatencyHistogram
from harpagon.simulation.report import (
    QUANTILES,
    ROUNDING,
    LatencySummary,
    ModuleReport,
    PipelineReport,
    Timeline,
    TupleReport,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.instances.plan import DispatchTuple, ModulePlan, PipelinePlan
    from harpagon.simulation.dispatch.served import GroupTally
    from harpagon.simulation.flow.pieces import Flow
    from harpagon.simulation.flow.station import Station
    from harpagon.simulation.pacing import Pace

_SLICES = 240
"""Slices of a run's timeline."""


def summarise(histogram: LatencyHistogram, shares: Sequence[float] = QUANTILES) -> LatencySummary:
    """Summary of a histogram with the quantiles at ``shares``."""
    quantiles = {share: histogram.quantile(share) for share in shares}
    return LatencySummary(histogram.count, histogram.mean, histogram.maximum, quantiles)


class PathMeasure:
    """End-to-end latencies of one pipeline: per result, per root request, and over time.

    Parameters
    ----------
    slo
        Seconds.
    claimed
        Seconds after its root request by which the plan says that every result is out.
    duration
        Seconds of the run.
    sinks
        Number of modules that results leave from.
    """

    def __init__(self, slo: float, claimed: float, duration: float, sinks: int) -> None:
        self.arrived = 0
        self._slo = slo
        self._claimed = claimed
        self._duration = duration
        self._histogram = LatencyHistogram()
        self._violations = 0
        self._late = 0
        self._frames = FrameMeasure(slo, sinks)
        self._counts = np.zeros(_SLICES, dtype=np.int64)
        self._sums = np.zeros(_SLICES)
        self._maxima = np.zeros(_SLICES)

    def enter(self, times: np.ndarray) -> None:
        """Take the next root requests, which arrive at ``times`` seconds."""
        self.arrived += times.size
        self._frames.enter(times)

    def add(self, sink: int, leaving: Flow, finish: np.ndarray) -> None:
        """Count results of a sink, done at ``finish`` seconds."""
        origin = self._frames.arrivals(leaving.root)
        latencies = finish - origin
        self._histogram.add(latencies)
        self._violations += int(np.count_nonzero(latencies > self._slo + ROUNDING))
        self._late += int(np.count_nonzero(latencies > self._claimed + ROUNDING))
        slices = np.minimum(origin * (_SLICES / self._duration), _SLICES - 1).astype(np.int64)
        self._counts += np.bincount(slices, minlength=_SLICES)
        self._sums += np.bincount(slices, weights=latencies, minlength=_SLICES)
        np.maximum.at(self._maxima, slices, latencies)
        self._frames.add(sink, leaving, finish)

    def report(
        self,
        plan: PipelinePlan,
        modules: tuple[ModuleReport, ...],
        shares: Sequence[float],
        allowance: float,
        burst: float,
        promised: bool,
    ) -> PipelineReport:
        """What was measured so far, with the quantiles at ``shares``."""
        return PipelineReport(
            name=plan.name,
            slo=self._slo,
            bound=plan.latency,
            allowance=allowance,
            arrived=self.arrived,
            burst=burst,
            promised=promised,
            latency=summarise(self._histogram, shares),
            violations=self._violations,
            late=self._late,
            frames=summarise(self._frames.histogram, shares),
            late_frames=self._frames.violations,
            modules=modules,
            timeline=self._timeline(),
        )

    def _timeline(self) -> Timeline:
        ends = self._duration * np.arange(1, _SLICES + 1) / _SLICES
        mean = np.where(self._counts > 0, self._sums / np.maximum(self._counts, 1), np.nan)
        return Timeline(tuple(ends.tolist()), tuple(mean.tolist()), tuple(self._maxima.tolist()))


def module_report(name: str, plan: ModulePlan, pace: Pace, station: Station, duration: float) -> ModuleReport:
    """What a station measured in ``duration`` seconds, with the allowances of ``pace``."""
    parts = zip(
        plan.tuples,
        plan.tuple_latencies,
        pace.allowances,
        station.tallies,
        station.tuple_maxima,
        station.tuple_requests,
        strict=True,
    )
    return ModuleReport(
        name=name,
        arrived=station.arrived,
        finished=station.finished,
        bound=plan.latency,
        allowance=pace.allowance,
        latency=summarise(station.latencies),
        tuples=tuple(
            _tuple_report(part, bound, allowance, tally, float(maximum), int(requests), duration)
            for part, bound, allowance, tally, maximum, requests in parts
        ),
    )


def _tuple_report(
    part: DispatchTuple,
    bound: float,
    allowance: float,
    tally: GroupTally,
    maximum: float,
    requests: int,
    duration: float,
) -> TupleReport:
    batches = sum(tally.sizes)
    filled = sum(size * count for size, count in enumerate(tally.sizes))
    available = duration * sum(pool.machines for pool in tally.machines)
    return TupleReport(
        configuration=part.configuration,
        machines=part.machines,
        rate=part.rate,
        bound=bound,
        allowance=allowance,
        maximum=maximum,
        requests=requests,
        batches=batches,
        mean_batch=filled / batches if batches else math.nan,
        utilisation=sum(pool.busy for pool in tally.machines) / available,
    )
