"""Which figures of a load test say how long a machine takes for a batch.

A load test reports what clients saw. From it follows the duration of a batch either because the server reports its own
compute time, or because the machine was never idle. Every other quotient of batch and throughput is only an upper
bound of the interval between batches, whatever the machine did: 32 requests per second, sent by a clock and answered
within 1.5 ms, are no batches of 31 ms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harpagon.instances.measurements.verdicts import BatchPoint, RowVerdict

if TYPE_CHECKING:
    from collections.abc import Sequence

FLAT = 0.02
"""Relative change of throughput, as concurrency doubles, up to which a machine counts as saturated."""


@dataclass(frozen=True, slots=True)
class LoadRow:
    """One load of a load test.

    Attributes
    ----------
    place, what
        Where the row stands, and its load in words.
    batch
        Requests in each batch that the client sends.
    instances
        Model instances that share the load.
    throughput
        Requests per second answered, batches counted by their requests.
    concurrency
        Batches that clients keep in flight; None where a clock sends them.
    compute
        Seconds that the server reports for input, inference and output of one batch; None where it reports none.
    p99
        Seconds within which 99 % of the batches were answered; None where unknown.
    server_batches
        Whether the server may join requests into larger batches.
    """

    place: str
    what: str
    batch: int
    instances: int
    throughput: float
    concurrency: float | None
    compute: float | None = None
    p99: float | None = None
    server_batches: bool = False


def judge_loads(rows: Sequence[LoadRow]) -> list[RowVerdict]:
    """Verdict on every row of one series: the same model, batch and number of instances, under several loads."""
    verdicts = [_by_compute(row) if row.compute else _by_saturation(row, rows) for row in rows]
    return [_within_p99(verdict, row) for verdict, row in zip(verdicts, rows, strict=True)]


def _by_compute(row: LoadRow) -> RowVerdict:
    """d = compute input + infer + output, unless that much work does not fit into the time there was.

    ``throughput / batch`` batches per second of d seconds each keep at most ``instances`` instances busy. More means
    that larger batches ran than the client sent, and the durations are theirs.
    """
    duration = row.compute or 0.0
    busy = row.throughput / row.batch * duration
    if busy > row.instances * (1 + FLAT):
        why = (
            f"{row.throughput:g} req/s in batches of {row.batch} would keep {busy:.2f} instances busy, there "
            f"{'is' if row.instances == 1 else 'are'} {row.instances}: the server ran larger batches, or more instances"
        )
        return RowVerdict(row.place, row.what, why)
    why = "compute input + infer + output"
    return RowVerdict(row.place, row.what, why, BatchPoint(row.batch, duration))


def _by_saturation(row: LoadRow, rows: Sequence[LoadRow]) -> RowVerdict:
    """d = batch x instances / throughput where twice (or half) the concurrency brings the same throughput."""
    why = _unsaturated(row, rows)
    if why:
        return RowVerdict(row.place, row.what, why)
    duration = row.batch * row.instances / row.throughput
    return RowVerdict(row.place, row.what, "batch x instances / throughput, saturated", BatchPoint(row.batch, duration))


def _unsaturated(row: LoadRow, rows: Sequence[LoadRow]) -> str:
    """Why throughput says nothing about the duration; empty where it does."""
    if row.concurrency is None:
        return "requests were sent by a clock: throughput says what was asked, not what a machine can do"
    if row.server_batches:
        return "the server joins requests into batches, whose size the file does not say"
    if row.throughput <= 0:
        return "nothing was answered"
    doubled = [other for other in rows if other.concurrency in (2 * row.concurrency, row.concurrency / 2)]
    if not doubled:
        return f"no row has twice or half its concurrency of {row.concurrency:g}, so it may have been idle"
    if all(abs(other.throughput / row.throughput - 1) > FLAT for other in doubled):
        other = doubled[0]
        change = other.throughput / row.throughput - 1
        return f"not saturated: concurrency {other.concurrency:g} changes throughput by {change:+.1%}"
    return ""


def _within_p99(verdict: RowVerdict, row: LoadRow) -> RowVerdict:
    """Refuse a duration that exceeds what 99 % of the batches took from end to end."""
    point = verdict.point
    if not isinstance(point, BatchPoint):
        return verdict
    if row.p99 is None:
        return RowVerdict(row.place, row.what, f"{verdict.why}; no 99th percentile to check it against", point)
    if point.duration <= row.p99:
        return verdict
    why = f"{point.duration * 1e3:.4g} ms a batch, but 99 % were answered within {row.p99 * 1e3:.4g} ms"
    return RowVerdict(row.place, row.what, why)
