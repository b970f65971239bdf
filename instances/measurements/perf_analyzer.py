"""Triton's perf_analyzer, ``-f FILE.csv``: one row per load, times in microseconds, ``-b`` is not in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.instances.errors import InputError
from harpagon.instances.measurements.laws import LoadRow, judge_loads
from harpagon.instances.measurements.tables import read_rows

if TYPE_CHECKING:
    from pathlib import Path

    from harpagon.instances.measurements.request import Request
    from harpagon.instances.measurements.tables import Row
    from harpagon.instances.measurements.verdicts import RowVerdict

_MICROSECOND = 1e-6
_COMPUTE = ("Server Compute Input", "Server Compute Infer", "Server Compute Output")


def read_perf_analyzer(path: Path, request: Request) -> list[RowVerdict]:
    """Verdicts on the rows of a perf_analyzer CSV; `laws` says which durations follow."""
    rows = read_rows(path, ("Inferences/Second", "p99 latency"), "CSV of perf_analyzer -f")
    if not (rows[0].text("Concurrency") or rows[0].text("Request Rate")):
        problem = "has neither a column Concurrency nor a column Request Rate"
        raise InputError(str(path), "line 1", problem, "Give a CSV of perf_analyzer -f")
    batch = request.batch or 1
    return judge_loads([_load(row, batch, request.instances) for row in rows])


def _load(row: Row, batch: int, instances: int) -> LoadRow:
    concurrency = row.number("Concurrency")
    asked = f"{row.text('Request Rate')} req/s" if concurrency is None else f"concurrency {concurrency:g}"
    p99 = row.number("p99 latency")
    return LoadRow(
        place=row.place,
        what=f"{asked}, batch {batch}",
        batch=batch,
        instances=instances,
        throughput=row.number("Inferences/Second") or 0.0,
        concurrency=concurrency,
        compute=sum(row.number(column) or 0.0 for column in _COMPUTE) * _MICROSECOND,
        p99=None if p99 is None else p99 * _MICROSECOND,
    )
