"""What a sweep says about each method: how often it is optimal, how far off it is, and how long it takes."""

from __future__ import annotations

import statistics
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from harpagon.instances.policies import Billing, Dispatch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harpagon.evaluation.sweep.rows import Row

Optima: TypeAlias = "dict[tuple[str, str, str], float]"

REFERENCE = "exact"
"""Method whose proven optima the others are compared with."""
REFERENCE_DISPATCHES = (Dispatch.TC, Dispatch.FREE)
"""Dispatch policies of the paper, whose optima the methods are compared with."""
_REFERENCES = {
    Billing.WHOLE: (*REFERENCE_DISPATCHES, Dispatch.PACED),
    Billing.FRACTIONAL: (*REFERENCE_DISPATCHES, Dispatch.PACED),
    Billing.SHARED: (Dispatch.PACED,),
}
SAME_COST = 1e-6
"""Relative excess of cost over the optimum below which a plan counts as optimal."""


def reference_dispatches(billing: str) -> tuple[Dispatch, ...]:
    """Policies whose optima methods are compared with: those of the paper, and the one whose plans keep their word."""
    return _REFERENCES[Billing(billing)]


def reported_dispatches(billing: str) -> tuple[Dispatch, ...]:
    """Policies whose optima a report counts plans at; its gaps are over the last."""
    return reference_dispatches(billing) if billing == Billing.SHARED else REFERENCE_DISPATCHES


@dataclass(frozen=True, slots=True)
class GapSummary:
    """Costs of one method over the proven optima under one dispatch policy.

    The gap of a workload is cost / optimum - 1. It can be negative where the method plans under a policy that allows
    more than the reference's.

    Attributes
    ----------
    compared
        Workloads with a plan of the method and a proven optimum.
    optimal
        Of these, how many cost no more than the optimum (relative tolerance `SAME_COST`).
    mean, p95, largest
        Of the gaps, as fractions; None where nothing was compared.
    """

    compared: int
    optimal: int
    mean: float | None
    p95: float | None
    largest: float | None


@dataclass(frozen=True, slots=True)
class Summary:
    """One method under one billing.

    Attributes
    ----------
    billing, method, dispatch
        What was run.
    workloads
        Tasks finished.
    planned
        Of these, how many have a plan.
    proven
        Of these, how many are proven optimal or proven infeasible.
    gaps
        Dispatch policy of the reference to the gaps over its optima.
    median_s, p99_s
        Build and solve time over the tasks that ran, None where none did.
    """

    billing: str
    method: str
    dispatch: str
    workloads: int
    planned: int
    proven: int
    gaps: Mapping[Dispatch, GapSummary]
    median_s: float | None
    p99_s: float | None

    @property
    def label(self) -> str:
        """Method, with its dispatch policy where it is the reference."""
        return f"{self.method} ({self.dispatch})" if self.method == REFERENCE else self.method


def summarise(rows: Iterable[Row]) -> list[Summary]:
    """One summary per billing, method and dispatch, in the order of first appearance."""
    series: defaultdict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in rows:
        series[row.series].append(row)
    optima = proven_optima(row for group in series.values() for row in group)
    return [_summary(key, group, optima) for key, group in series.items()]


def proven_optima(rows: Iterable[Row]) -> Optima:
    """(Instance, billing, dispatch) to the proven optimal cost in dollars per hour."""
    return {
        (*row.problem, row.dispatch): row.cost
        for row in rows
        if row.method == REFERENCE and row.status == "optimal" and row.cost is not None
    }


def gaps(rows: Iterable[Row], optima: Optima, dispatch: str) -> list[float]:
    """Cost / optimum - 1 of every row with a plan and a proven optimum under ``dispatch``."""
    return [
        row.cost / optima[*row.problem, dispatch] - 1
        for row in rows
        if row.cost is not None and (*row.problem, dispatch) in optima
    ]


def _summary(key: tuple[str, str, str], rows: list[Row], optima: Optima) -> Summary:
    seconds = [row.seconds for row in rows if row.runs]
    return Summary(
        *key,
        workloads=len(rows),
        planned=sum(row.cost is not None for row in rows),
        proven=sum(row.status in ("optimal", "infeasible") for row in rows),
        gaps={dispatch: _gap_summary(gaps(rows, optima, dispatch)) for dispatch in reference_dispatches(key[0])},
        median_s=statistics.median(seconds) if seconds else None,
        p99_s=quantile(seconds, 0.99) if seconds else None,
    )


def _gap_summary(found: Sequence[float]) -> GapSummary:
    if not found:
        return GapSummary(0, 0, None, None, None)
    optimal = sum(gap <= SAME_COST for gap in found)
    return GapSummary(len(found), optimal, statistics.fmean(found), quantile(found, 0.95), max(found))


def quantile(values: Sequence[float], share: float) -> float:
    """Quantile by linear interpolation between the sorted values, as ``numpy.quantile`` does by default."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def summary_records(summaries: Iterable[Summary]) -> list[dict[str, object]]:
    """Flat records of the summaries, for JSON and CSV; gaps as fractions, times in seconds."""
    records = []
    for summary in summaries:
        record: dict[str, object] = {
            "billing": summary.billing,
            "method": summary.method,
            "dispatch": summary.dispatch,
            "workloads": summary.workloads,
            "planned": summary.planned,
            "proven": summary.proven,
            "median_s": summary.median_s,
            "p99_s": summary.p99_s,
        }
        for dispatch, gap in summary.gaps.items():
            figures = {"compared": gap.compared, "optimal": gap.optimal, "mean_gap": gap.mean}
            figures |= {"p95_gap": gap.p95, "largest_gap": gap.largest}
            record |= {f"{name}_{dispatch}": figure for name, figure in figures.items()}
        records.append(record)
    return records
