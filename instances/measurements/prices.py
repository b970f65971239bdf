"""Prices from a catalogue of the user: the column layouts of SkyPilot's and gpuhunt's CSV files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harpagon.instances.errors import InputError
from harpagon.instances.measurements.models import rows_of_model
from harpagon.instances.measurements.tables import Row, read_rows, require_columns
from harpagon.instances.measurements.verdicts import PricePoint, RowVerdict

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


_KIND = "price catalogue of SkyPilot or gpuhunt"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which offers of a catalogue are wanted.

    Attributes
    ----------
    accelerator
        Name in the catalogue.
    region
        Only offers of this region; None for all.
    spot
        Spot offers instead of those on demand: they may be taken away.
    memory
        GB of one accelerator, where a catalogue sells one name in several sizes; None for the only one.
    """

    accelerator: str
    region: str | None = None
    spot: bool = False
    memory: float | None = None


@dataclass(frozen=True, slots=True)
class _Layout:
    accelerator: str
    count: str
    price: str
    region: str
    machine: str
    memory: str = ""


_SKYPILOT = _Layout("AcceleratorName", "AcceleratorCount", "Price", "Region", "InstanceType")
_GPUHUNT = _Layout("gpu_name", "gpu_count", "price", "location", "instance_name", "gpu_memory")


def read_prices(path: Path, wanted: Wanted) -> list[RowVerdict]:
    """Verdicts on the rows that sell an accelerator: $/hour of one, and how many are sold together.

    Parameters
    ----------
    path
        A CSV in SkyPilot's layout (InstanceType, AcceleratorName, AcceleratorCount, Price, SpotPrice, Region) or
        gpuhunt's (instance_name, gpu_name, gpu_count, gpu_memory, price, location, spot).
    wanted
        Which of them.

    Raises
    ------
    InputError
        Where the file is neither, or sells no such accelerator, or none of this size.
    """
    rows = read_rows(path, (), _KIND)
    layout = _GPUHUNT if _GPUHUNT.accelerator in rows[0].columns else _SKYPILOT
    require_columns(str(path), rows[0].columns, (layout.accelerator, layout.count, layout.price), _KIND)
    sold = rows_of_model(rows, wanted.accelerator, layout.accelerator, "accelerator")
    sizes = sorted({size for row in sold if (size := _size(row, layout)) is not None})
    if wanted.memory is not None and wanted.memory not in sizes:
        problem = f"sells no {wanted.accelerator} of {wanted.memory:g} GB"
        raise InputError(str(path), f"column {layout.memory or 'gpu_memory'}", problem, f"Known here: {_listed(sizes)}")
    return [_judge(row, layout, wanted, sizes) for row in sold]


def _size(row: Row, layout: _Layout) -> float | None:
    """GB of one accelerator; None where the layout does not say: SkyPilot's names do, such as A100-80GB."""
    return row.number(layout.memory) if layout.memory else None


def _listed(sizes: Sequence[float]) -> str:
    return ", ".join(f"{size:g} GB" for size in sizes) or "no sizes"


def _judge(row: Row, layout: _Layout, wanted: Wanted, sizes: Sequence[float]) -> RowVerdict:
    where = row.text(layout.region)
    what = " ".join(part for part in (row.text(layout.machine), where) if part)
    price = row.number("SpotPrice") if wanted.spot and layout is _SKYPILOT else row.number(layout.price)
    count = row.number(layout.count) or 0.0
    why = _unwanted(row, layout, wanted, sizes) or _unsold(price, count)
    if why or not price:
        return RowVerdict(row.place, what, why)
    together = int(count)
    why = "price of the machine" if together == 1 else f"price of the machine / {together}, sold {together} together"
    return RowVerdict(row.place, what, why, PricePoint(price / together, together))


def _unwanted(row: Row, layout: _Layout, wanted: Wanted, sizes: Sequence[float]) -> str:
    """Why an offer is another than the one asked for; empty where it is not."""
    where, size, is_spot = row.text(layout.region), _size(row, layout), row.text("spot").lower() == "true"
    if wanted.region is not None and where != wanted.region:
        return f"not in {wanted.region}"
    if layout is _GPUHUNT and is_spot != wanted.spot:
        return "a spot offer" if is_spot else "no spot offer"
    if wanted.memory is not None and size != wanted.memory:
        return f"not of {wanted.memory:g} GB"
    if wanted.memory is None and len(sizes) > 1:
        return f"{size or 0:g} GB, one of several sizes ({_listed(sizes)}): say which with --memory"
    return ""


def _unsold(price: float | None, count: float) -> str:
    """Why an offer has no price of whole accelerators; empty where it has."""
    if not price:
        return "no price"
    if not count.is_integer() or count < 1:
        return f"sells {count:g} of an accelerator: a share of one is another machine"
    return ""
