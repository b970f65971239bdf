"""timm's ``benchmark.py``, inference results: one row per model, a closed loop of one process, step time in ms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.instances.measurements.laws import FLAT
from harpagon.instances.measurements.models import rows_of_model
from harpagon.instances.measurements.tables import read_rows
from harpagon.instances.measurements.verdicts import BatchPoint, RowVerdict

if TYPE_CHECKING:
    from pathlib import Path

    from harpagon.instances.measurements.request import Request
    from harpagon.instances.measurements.tables import Row

_STEP, _BATCH, _SAMPLES = "infer_step_time", "infer_batch_size", "infer_samples_per_sec"


def read_timm(path: Path, request: Request) -> list[RowVerdict]:
    """Verdicts on the rows of ``request.model``; ``request.workload`` is the image size where one is wanted."""
    rows = read_rows(path, ("model", _STEP, _BATCH, _SAMPLES), "CSV of timm's benchmark.py --bench inference")
    return [_judge(row, request.workload) for row in rows_of_model(rows, request.model, "model")]


def _judge(row: Row, image_size: str | None) -> RowVerdict:
    """d = step time, which must agree with batch / throughput: steps follow one another without a pause."""
    missing = row.empty(_BATCH, _STEP, _SAMPLES)
    if missing:
        return RowVerdict(row.place, "", f"no {missing}: the benchmark of this row failed")
    batch, step = row.whole(_BATCH), row.positive(_STEP) / 1e3
    by_throughput = batch / row.positive(_SAMPLES)
    what = f"batch {batch}, {row.text('infer_img_size') or '?'} px"
    if image_size not in (None, row.text("infer_img_size")):
        return RowVerdict(row.place, what, f"not the image size {image_size}")
    if abs(by_throughput / step - 1) > FLAT:
        why = f"step time {step * 1e3:.4g} ms, but batch / throughput is {by_throughput * 1e3:.4g} ms"
        return RowVerdict(row.place, what, why)
    return RowVerdict(row.place, what, "step time of a closed loop", BatchPoint(batch, step))
