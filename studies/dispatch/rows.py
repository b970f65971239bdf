"""One plan simulated as one row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from harpagon.simulation.report import ROUNDING

if TYPE_CHECKING:
    from harpagon.simulation.report import SimulationReport

RowKey: TypeAlias = tuple[str, str, str, bool, int]


@dataclass(frozen=True, slots=True)
class DispatchRow:
    """What one plan measured with even arrivals.

    Attributes
    ----------
    workload, billing, dispatch, paced, seconds
        What was run, and for how many seconds of simulated time: together the key of the row.
    cost
        Dollars per hour of the plan; None, with all figures below 0, where there is no plan.
    arrived, served
        Requests that entered the pipelines, and requests that modules finished.
    tuples
        Tuples that a request came by.
    over, beyond
        Tuples whose largest latency passes their bound, and passes it by more than the allowance of
        `harpagon.simulation.pacing`.
    excess
        Largest share by which a tuple passes its bound; 0 where none does.
    results, late, late_beyond
        Results that left the pipelines, those later than the SLO, those later than the plan claims.
    overrun
        Largest share by which a result passes the SLO; 0 where none does.
    """

    workload: str
    billing: str
    dispatch: str
    paced: bool
    seconds: int
    cost: float | None
    arrived: int = 0
    served: int = 0
    tuples: int = 0
    over: int = 0
    beyond: int = 0
    excess: float = 0.0
    results: int = 0
    late: int = 0
    late_beyond: int = 0
    overrun: float = 0.0

    @property
    def key(self) -> RowKey:
        """What was run."""
        return (self.workload, self.billing, self.dispatch, self.paced, self.seconds)


def measured_row(key: RowKey, cost: float, report: SimulationReport) -> DispatchRow:
    """Row of a simulated plan."""
    modules = [module for pipeline in report.pipelines for module in pipeline.modules]
    parts = [part for module in modules for part in module.tuples if part.requests]
    return DispatchRow(
        *key,
        cost=cost,
        arrived=sum(pipeline.arrived for pipeline in report.pipelines),
        served=sum(module.finished for module in modules),
        tuples=len(parts),
        over=sum(part.maximum > part.bound + ROUNDING for part in parts),
        beyond=sum(part.maximum > part.bound + part.allowance + ROUNDING for part in parts),
        excess=_share(max((part.maximum - ROUNDING) / part.bound for part in parts)),
        results=sum(pipeline.latency.count for pipeline in report.pipelines),
        late=sum(pipeline.violations for pipeline in report.pipelines),
        late_beyond=sum(pipeline.late for pipeline in report.pipelines),
        overrun=_share(max((pipeline.latency.maximum - ROUNDING) / pipeline.slo for pipeline in report.pipelines)),
    )


def _share(ratio: float) -> float:
    return max(0.0, ratio - 1.0)
