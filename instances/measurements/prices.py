"""Prices from a catalogue of the user: the column layouts of SkyPilot's and gpuhunt's CSV files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harpagon.instances.errors import InputError, suggestion
from harpagon.instances.measurements.tables import Row, read_rows
from harpagon.instances.measurements.verdicts import PricePoint, RowVerdict

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class _Layout:
    accelerator: str
    count: str
    price: str
    region: str
    machine: str


_SKYPILOT = _Layout("AcceleratorName", "AcceleratorCount", "Price", "Region", "InstanceType")
_GPUHUNT = _Layout("gpu_name", "gpu_count", "price", "location", "instance_name")


def read_prices(path: Path, accelerator: str, region: str | None = None, spot: bool = False) -> list[RowVerdict]:
    """Verdicts on the rows that sell ``accelerator``: $/hour of one, and how many are sold together.

    Parameters
    ----------
    path
        A CSV in SkyPilot's layout (InstanceType, AcceleratorName, AcceleratorCount, Price, SpotPrice, Region) or
        gpuhunt's (instance_name, gpu_name, gpu_count, price, location, spot).
    accelerator
        Name in the catalogue.
    region
        Only offers of this region.
    spot
        Spot offers instead of those on demand: they may be taken away.

    Raises
    ------
    InputError
        Where the file is neither, or sells no such accelerator.
    """
    rows = read_rows(path, (), "price catalogue")
    layout = _layout(path)
    names = {row.text(layout.accelerator) for row in rows} - {""}
    if accelerator not in names:
        problem = f"sells no {accelerator!r}"
        raise InputError(str(path), f"column {layout.accelerator}", problem, suggestion(accelerator, names))
    return [_judge(row, layout, region, spot) for row in rows if row.text(layout.accelerator) == accelerator]


def _layout(path: Path) -> _Layout:
    """gpuhunt's layout where the header has its columns, else SkyPilot's, which must then be complete."""
    header = path.read_text(encoding="utf-8-sig").partition("\n")[0]
    layout = _GPUHUNT if "gpu_name" in header else _SKYPILOT
    read_rows(path, (layout.accelerator, layout.count, layout.price), "price catalogue of SkyPilot or gpuhunt")
    return layout


def _judge(row: Row, layout: _Layout, region: str | None, spot: bool) -> RowVerdict:
    where = row.text(layout.region)
    what = " ".join(part for part in (row.text(layout.machine), where) if part)
    if region is not None and where != region:
        return RowVerdict(row.place, what, f"not in {region}")
    is_spot = row.text("spot").lower() == "true"
    price = row.number("SpotPrice") if spot and layout is _SKYPILOT else row.number(layout.price)
    if layout is _GPUHUNT and is_spot != spot:
        return RowVerdict(row.place, what, "a spot offer" if is_spot else "no spot offer")
    if not price:
        return RowVerdict(row.place, what, "no price")
    count = row.whole(layout.count)
    why = "price of the machine" if count == 1 else f"price of the machine / {count}, sold {count} together"
    return RowVerdict(row.place, what, why, PricePoint(price / count, count))
