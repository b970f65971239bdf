"""Profiles of instance files: batch durations with or without quantiles, and capacity profiles."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from harpagon.instances.checks import BATCH_TWICE, EMPTY, LARGEST_BATCH, RATE_TWICE, range_words
from harpagon.instances.errors import InputError, Place, format_place, suggestion
from harpagon.instances.files.schema import DurationFile
from harpagon.instances.files.units import milliseconds, seconds
from harpagon.instances.instance import Configuration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harpagon.instances.files.schema import ProfileFile
    from harpagon.instances.instance import Hardware

SHARES = {"p50_ms": 0.5, "p90_ms": 0.9, "p95_ms": 0.95, "p99_ms": 0.99}
"""Key of a quantile to its share."""


def read_profiles(
    file: Mapping[str, Mapping[str, ProfileFile]], hardware: Mapping[str, Hardware], source: str
) -> dict[str, tuple[Configuration, ...]]:
    """Configurations of every model, hardware in the order of the file, batch sizes and rates ascending.

    Raises
    ------
    InputError
        Where a hardware type is unknown or a key is neither a batch size nor a word of the format.
    """
    return {
        model: tuple(
            configuration
            for name, profile in by_hardware.items()
            for configuration in _configurations(profile, name, hardware, ("profiles", model, name), source)
        )
        for model, by_hardware in file.items()
    }


def _configurations(
    profile: ProfileFile, name: str, hardware: Mapping[str, Hardware], place: Place, source: str
) -> Iterator[Configuration]:
    if name not in hardware:
        raise InputError(source, format_place(place), "unknown hardware", suggestion(name, hardware))
    price, memory = hardware[name].price, profile.memory_gb
    if profile.capacity is None:
        for batch, duration in sorted(_by_batch(profile, place, source).items()):
            quantiles = _quantiles(duration, (*place, str(batch)), source)
            mean = duration.mean_ms if isinstance(duration, DurationFile) else duration
            yield Configuration.measured(name, batch, seconds(mean), price, quantiles, memory)
        return
    if profile.durations():
        problem = "batch sizes stand beside a capacity profile"
        raise InputError(source, format_place(place), problem, "Keep one of the two for this hardware")
    for rate, latency in _points(profile, place, source):
        yield Configuration.of_capacity(name, rate, latency, price, memory)


def _by_batch(profile: ProfileFile, place: Place, source: str) -> dict[int, float | DurationFile]:
    found: dict[int, float | DurationFile] = {}
    for key, duration in profile.durations().items():
        batch = _batch(key, (*place, key), source)
        if batch in found:
            raise InputError(source, format_place(place), *BATCH_TWICE)
        found[batch] = duration
    if not found:
        raise InputError(source, format_place(place), *EMPTY)
    return found


def _batch(key: str, place: Place, source: str) -> int:
    """Batch sizes are keys, and keys of JSON are text."""
    where = format_place(place)
    if not (key.isascii() and key.isdigit() and len(key) < 100):
        problem, next_step = "a batch size must be a whole number", "Write batch sizes as 1, 2, 4, ..."
        raise InputError(source, where, problem, suggestion(key, ("capacity", "memory_gb"), next_step))
    batch = int(key)
    words = range_words(batch, 1, LARGEST_BATCH)
    if words:
        raise InputError(source, where, *words)
    return batch


def _quantiles(duration: float | DurationFile, place: Place, source: str) -> tuple[tuple[float, float], ...]:
    """Share and seconds of every stated quantile, which may not fall."""
    stated = {key: value for key in SHARES if (value := getattr(duration, key, None)) is not None}
    for (lower, least), (upper, value) in pairwise(stated.items()):
        if value < least:
            where = format_place((*place, upper))
            raise InputError(source, where, f"{value:g} ms is below {lower} of {least:g} ms", "Check both figures")
    return tuple((SHARES[key], seconds(value)) for key, value in stated.items())


def _points(profile: ProfileFile, place: Place, source: str) -> list[tuple[float, float]]:
    """Capacity and latency in seconds of every point, capacities ascending."""
    found: dict[float, float] = {}
    for position, point in enumerate(profile.capacity or ()):
        if point.rate_rps in found:
            where = format_place((*place, "capacity", position, "rate_rps"))
            raise InputError(source, where, *RATE_TWICE)
        found[point.rate_rps] = seconds(point.latency_ms)
    return sorted(found.items())


def profile_document(profile: tuple[Configuration, ...]) -> dict[str, dict[str, Any]]:
    """Plain data of one model's profile; the inverse of `read_profiles`."""
    found: dict[str, dict[str, Any]] = {}
    for configuration in profile:
        entry = found.setdefault(configuration.hardware, {})
        if configuration.capacity is None:
            entry[str(configuration.batch)] = _duration_document(configuration)
        else:
            latency = milliseconds(configuration.duration)
            entry.setdefault("capacity", []).append({"rate_rps": configuration.capacity, "latency_ms": latency})
        if configuration.memory_gb is not None:
            entry["memory_gb"] = configuration.memory_gb
    return found


def _duration_document(configuration: Configuration) -> float | dict[str, float]:
    if not configuration.quantiles:
        return milliseconds(configuration.duration)
    keys = {share: key for key, share in SHARES.items()}
    quantiles = {keys[share]: milliseconds(value) for share, value in configuration.quantiles}
    return {"mean_ms": milliseconds(configuration.mean), **quantiles}
