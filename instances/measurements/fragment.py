"""Profiles and prices as a fragment of an instance file, alone or added to what a file already holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harpagon.instances.errors import InputError, format_place, shown
from harpagon.instances.files.documents import read_document
from harpagon.instances.files.instances import write_json
from harpagon.instances.files.units import milliseconds
from harpagon.instances.measurements.verdicts import BatchPoint, CapacityPoint, PricePoint

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from harpagon.instances.measurements.verdicts import RowVerdict


def profile_entry(verdicts: Iterable[RowVerdict]) -> dict[str, Any]:
    """What stands under a model and a hardware type: batch to ms, or ``capacity``; empty where no row is used.

    Of several durations of one batch the longest counts, and a machine that carries a rate needs no less time for it
    than for a smaller one: a plan must hold on the worse measurement too.
    """
    points = [verdict.point for verdict in verdicts]
    batches: dict[int, float] = {}
    for point in points:
        if isinstance(point, BatchPoint):
            batches[point.batch] = max(point.duration, batches.get(point.batch, 0.0))
    if batches:
        return {str(batch): milliseconds(duration) for batch, duration in sorted(batches.items())}
    capacity = _capacity([point for point in points if isinstance(point, CapacityPoint)])
    return {"capacity": capacity} if capacity else {}


def _capacity(points: Sequence[CapacityPoint]) -> list[dict[str, float]]:
    latencies: dict[float, float] = {}
    worst = 0.0
    for point in sorted(points, key=lambda point: (point.rate, point.latency)):
        worst = max(worst, point.latency)
        latencies[point.rate] = worst
    return [{"rate_rps": rate, "latency_ms": milliseconds(latency)} for rate, latency in latencies.items()]


def hardware_entry(verdicts: Iterable[RowVerdict]) -> dict[str, Any]:
    """What stands under a hardware type: the cheapest $/hour of one, and its bundle; empty where no row is used."""
    points = [verdict.point for verdict in verdicts if isinstance(verdict.point, PricePoint)]
    if not points:
        return {}
    best = min(points, key=lambda point: (point.price, point.bundle))
    return {"price_per_hour": best.price} | ({"bundle": best.bundle} if best.bundle > 1 else {})


_NEEDED = ("format", "name", "hardware", "profiles", "pipelines")


def write_fragment(path: Path, fragment: dict[str, Any]) -> list[str]:
    """Write a fragment as JSON; entries of an existing JSON file (an instance or a fragment) stay beside it.

    Returns
    -------
    list of str
        What the file still lacks to be an instance: keys, and prices of hardware types that a profile names.

    Raises
    ------
    InputError
        Where the existing file is no JSON mapping or the file cannot be written.
    """
    document: Any = {}
    if path.exists():
        if path.suffix.lower() in (".yaml", ".yml"):
            raise InputError(str(path), "", "exists and is YAML, whose comments would be lost", "Give a .json file")
        document = read_document(path)
    merged = _merged(document, fragment, str(path), ())
    write_json(path, merged)
    return [key for key in _NEEDED if key not in merged] + _unpriced(merged)


def _unpriced(document: Any) -> list[str]:
    profiles, hardware = (_mapping(document.get(key)) for key in ("profiles", "hardware"))
    used = dict.fromkeys(name for profile in profiles.values() for name in _mapping(profile))
    return [f"a price of {name}" for name in used if "price_per_hour" not in _mapping(hardware.get(name))]


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _merged(old: Any, new: Any, source: str, place: tuple[str, ...]) -> Any:
    """``old`` with the leaves of ``new``; texts (descriptions) are joined."""
    if isinstance(new, str) and isinstance(old, str):
        return old if new in old else f"{old} {new}".strip()
    if not isinstance(new, dict):
        return new
    if not isinstance(old, dict):
        raise InputError(source, format_place(place), f"is {shown(old)}, not a mapping", "Give another file")
    joined = {
        key: _merged(old[key], value, source, (*place, key)) if key in old else value for key, value in new.items()
    }
    return {**old, **joined}
