"""Verdicts on the rows of a measurement file, as a table and as plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harpagon.cli.views.tables import plain_table
from harpagon.instances.files.units import milliseconds
from harpagon.instances.measurements.verdicts import BatchPoint, CapacityPoint

if TYPE_CHECKING:
    from rich.table import Table

    from harpagon.instances.measurements.verdicts import Point, RowVerdict


def verdict_table(verdicts: list[RowVerdict]) -> Table:
    """One row per row of the file: where, what, its figure or none, and why."""
    from rich.text import Text

    used = sum(verdict.used for verdict in verdicts)
    caption = f"{used} used, {len(verdicts) - used} refused"
    table = plain_table("row", "what", "verdict", "figure", "why", left=(0, 1, 2, 4), caption=caption)
    for verdict in verdicts:
        word = Text("used", "green") if verdict.used else Text("refused", "red")
        table.add_row(verdict.place, Text(verdict.what), word, _figure(verdict.point), Text(verdict.why))
    return table


def _figure(point: Point | None) -> str:
    if point is None:
        return ""
    if isinstance(point, BatchPoint):
        return f"{point.duration * 1e3:.4g} ms"
    if isinstance(point, CapacityPoint):
        return f"{point.rate:.4g} req/s, {point.latency * 1e3:.4g} ms"
    return f"${point.price:.6g}/h"


def verdict_document(verdict: RowVerdict) -> dict[str, Any]:
    """Plain data of a verdict, with the figure in the units of files."""
    word = "used" if verdict.used else "refused"
    return {"place": verdict.place, "row": verdict.what, "verdict": word, "why": verdict.why, **_data(verdict.point)}


def _data(point: Point | None) -> dict[str, Any]:
    if point is None:
        return {}
    if isinstance(point, BatchPoint):
        return {"batch": point.batch, "duration_ms": milliseconds(point.duration)}
    if isinstance(point, CapacityPoint):
        return {"rate_rps": point.rate, "latency_ms": milliseconds(point.latency)}
    return {"price_per_hour": point.price, "bundle": point.bundle}
