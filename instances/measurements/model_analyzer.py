"""Triton's Model Analyzer, ``metrics-model-inference.csv``: one row per model configuration and load, in ms."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

from harpagon.instances.measurements.laws import LoadRow, judge_loads
from harpagon.instances.measurements.models import rows_of_model
from harpagon.instances.measurements.tables import read_rows
from harpagon.instances.measurements.verdicts import RowVerdict

if TYPE_CHECKING:
    from pathlib import Path

    from harpagon.instances.measurements.request import Request
    from harpagon.instances.measurements.tables import Row

_COMPUTE = ("Server Compute Input time (ms)", "Server Compute Infer time (ms)", "Server Compute Output time (ms)")
_JOINT = "several models at once: the file does not say which of them took how long"
_BATCHING = ("Dynamic Batching", "Dynamic Batching Enabled", "Preferred Batch Sizes")
_NO_BATCHING = ("", "no", "disabled", "off", "false", "n/a", "na", "none", "[]")


def read_model_analyzer(path: Path, request: Request) -> list[RowVerdict]:
    """Verdicts on the rows of ``request.model``; rows of one configuration and batch form one series of loads."""
    rows = read_rows(
        path, ("Model", "Batch", "Throughput (infer/sec)"), "metrics-model-inference.csv of Model Analyzer"
    )
    wanted = rows_of_model(rows, request.model, "Model")
    joint = [RowVerdict(row.place, row.text("Model Config Path"), _JOINT) for row in wanted if _is_joint(row)]
    alone = sorted((row for row in wanted if not _is_joint(row)), key=_series)
    verdicts = [
        verdict
        for _, series in groupby(alone, key=_series)
        for verdict in judge_loads([_load(row, request.instances) for row in series])
    ]
    return sorted([*joint, *verdicts], key=lambda verdict: int(verdict.place.split()[1]))


def _is_joint(row: Row) -> bool:
    """Whether a row is of several models: an ensemble, or models that were loaded side by side."""
    return any("," in row.text(column) for column in ("Model", "Batch", "Instance Group"))


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
