"""Profiles made from published GPU figures, and on-demand prices.

The tables and their sources are described in ``data/README.md``. The rule of precision: where a model has figures in
several precisions on one GPU, the half-precision ones (``fp16``, else ``amp``) are taken for every batch size. Figures
stand as published, also where a larger batch is a little faster than a smaller one.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from harpagon.instances.files.units import seconds
from harpagon.instances.instance import Configuration, Hardware

if TYPE_CHECKING:
    from collections.abc import Mapping

DATA = Path(__file__).parent.parent / "data"
"""Folder of the shipped files."""

_PRECISIONS = ("fp16", "amp")
"""Serving precisions, the preferred one first."""


@cache
def prices() -> Mapping[str, float]:
    """Dollars per hour of one machine, by hardware name, in the order of ``data/prices.csv``."""
    rows = _rows("prices.csv")
    return MappingProxyType({row["hardware"]: float(row["price_usd_per_hour"]) for row in rows})


@cache
def library() -> Mapping[str, tuple[Configuration, ...]]:
    """Profiles of all models on all hardware types with a price.

    Returns
    -------
    Mapping
        Model name to configurations, hardware in the order of `prices`, batches ascending.
    """
    found: dict[str, dict[tuple[str, str], list[tuple[int, float]]]] = {}
    for row in _rows("gpu_latency.csv"):
        point = (int(row["batch"]), seconds(float(row["latency_ms"])))
        found.setdefault(row["model"], {}).setdefault((row["gpu"], row["precision"]), []).append(point)
    return MappingProxyType({model: _configurations(curves) for model, curves in found.items()})


def _configurations(curves: Mapping[tuple[str, str], list[tuple[int, float]]]) -> tuple[Configuration, ...]:
    profile = []
    for hardware, price in prices().items():
        published = [curves[hardware, precision] for precision in _PRECISIONS if (hardware, precision) in curves]
        for batch, duration in sorted(published[0]) if published else ():
            profile.append(Configuration(hardware, batch, duration, price))
    return tuple(profile)


def library_hardware() -> dict[str, Hardware]:
    """Hardware types on which the library has at least one profile, without limits."""
    used = {configuration.hardware for profile in library().values() for configuration in profile}
    return {name: Hardware(name, price) for name, price in prices().items() if name in used}


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
