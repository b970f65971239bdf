"""Plain CSV tables: ``batch,duration_ms`` with or without ``p99_ms``, or ``rate_rps,latency_ms``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.instances.measurements.models import rows_of_model
from harpagon.instances.measurements.tables import read_rows, require_columns
from harpagon.instances.measurements.verdicts import BatchPoint, CapacityPoint, RowVerdict

if TYPE_CHECKING:
    from pathlib import Path

    from harpagon.instances.measurements.request import Request
    from harpagon.instances.measurements.tables import Row

_BATCH = ("batch", "duration_ms")
_CAPACITY = ("rate_rps", "latency_ms")
_KIND = "CSV with columns batch,duration_ms or rate_rps,latency_ms"


def read_plain(path: Path, request: Request) -> list[RowVerdict]:
    """Verdicts on the rows of a table; a column ``model`` selects those of ``request.model``."""
    rows = rows_of_model(read_rows(path, (), _KIND), request.model, "model")
    is_capacity = "rate_rps" in rows[0].columns
    require_columns(str(path), rows[0].columns, _CAPACITY if is_capacity else _BATCH, _KIND)
    return [_judge(row, is_capacity) for row in rows]


def _judge(row: Row, is_capacity: bool) -> RowVerdict:
    missing = row.empty(*(_CAPACITY if is_capacity else _BATCH))
    if missing:
        return RowVerdict(row.place, "", f"no {missing}")
    return _capacity(row) if is_capacity else _batch(row)


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
