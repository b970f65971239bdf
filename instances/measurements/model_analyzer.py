"""Triton's Model Analyzer, ``metrics-model-inference.csv``: one row per model configuration and load, in ms."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

from harpagon.instances.measurements.laws import LoadRow, judge_loads
from harpagon.instances.measurements.models import rows_of_model
from harpagon.instances.measurements.tables import read_rows

if TYPE_CHECKING:
    from pathlib import Path

    from harpagon.instances.measurements.request import Request
    from harpagon.instances.measurements.tables import Row
    from harpagon.instances.measurements.verdicts import RowVerdict

_COMPUTE = ("Server Compute Input time (ms)", "Server Compute Infer time (ms)", "Server Compute Output time (ms)")
_BATCHING = ("Dynamic Batching", "Dynamic Batching Enabled", "Preferred Batch Sizes")
_NO_BATCHING = ("", "no", "disabled", "off", "false", "n/a", "na", "none", "[]")


def read_model_analyzer(path: Path, request: Request) -> list[RowVerdict]:
    """Verdicts on the rows of ``request.model``; rows of one configuration and batch form one series of loads."""
    rows = read_rows(
        path, ("Model", "Batch", "Throughput (infer/sec)"), "metrics-model-inference.csv of Model Analyzer"
    )
    wanted = sorted(rows_of_model(rows, request.model, "Model"), key=_series)
    verdicts = [
        verdict
        for _, series in groupby(wanted, key=_series)
        for verdict in judge_loads([_load(row, request.instances) for row in series])
    ]
    return sorted(verdicts, key=lambda verdict: int(verdict.place.split()[1]))


def _series(row: Row) -> tuple[str, str, str]:
    return row.text("Model Config Path"), row.text("Instance Group"), row.text("Batch")


def _load(row: Row, instances: int) -> LoadRow:
    concurrency, batch = row.number("Concurrency"), row.whole("Batch")
    group = re.match(r"(\d+)\s*[:/]", row.text("Instance Group"))
    p99 = row.number("p99 Latency (ms)")
    asked = f"concurrency {concurrency:g}" if concurrency else f"{row.text('Request Rate')} req/s"
    return LoadRow(
        place=row.place,
        what=" ".join(part for part in (row.text("Model Config Path"), f"{asked}, batch {batch}") if part),
        batch=batch,
        instances=int(group[1]) if group else instances,
        throughput=row.number("Throughput (infer/sec)") or 0.0,
        concurrency=concurrency or None,
        compute=sum(row.number(column) or 0.0 for column in _COMPUTE) / 1e3,
        p99=None if p99 is None else p99 / 1e3,
        server_batches=row.text(*_BATCHING).lower() not in _NO_BATCHING,
    )
