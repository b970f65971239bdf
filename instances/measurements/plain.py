"""Plain CSV tables: ``batch,duration_ms`` with or without ``p99_ms``, or ``rate_rps,latency_ms``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.instances.measurements.models import rows_of_model
from harpagon.instances.measurements.tables import read_rows
from harpagon.instances.measurements.verdicts import BatchPoint, CapacityPoint, RowVerdict

if TYPE_CHECKING:
    from pathlib import Path

    from harpagon.instances.measurements.request import Request
    from harpagon.instances.measurements.tables import Row

_KIND = "CSV with columns batch,duration_ms or rate_rps,latency_ms"


def read_plain(path: Path, request: Request) -> list[RowVerdict]:
    """Verdicts on the rows of a table; a column ``model`` selects those of ``request.model``."""
    rows = rows_of_model(read_rows(path, (), _KIND), request.model, "model")
    if rows[0].text("rate_rps"):
        read_rows(path, ("rate_rps", "latency_ms"), _KIND)
        return [_capacity(row) for row in rows]
    read_rows(path, ("batch", "duration_ms"), _KIND)
    return [_batch(row) for row in rows]


def _batch(row: Row) -> RowVerdict:
    batch, duration, p99 = row.whole("batch"), row.positive("duration_ms") / 1e3, row.number("p99_ms")
    what = f"batch {batch}"
    if p99 is not None and duration > p99 / 1e3:
        return RowVerdict(
            row.place, what, f"{duration * 1e3:.4g} ms a batch is above its own 99th percentile, {p99:.4g} ms"
        )
    return RowVerdict(row.place, what, "as the table says", BatchPoint(batch, duration))


def _capacity(row: Row) -> RowVerdict:
    rate, latency = row.positive("rate_rps"), row.positive("latency_ms") / 1e3
    return RowVerdict(row.place, f"{rate:g} req/s", "as the table says", CapacityPoint(rate, latency))
