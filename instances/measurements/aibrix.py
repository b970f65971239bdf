"""GPU profiles of AIBrix and Mélange: the rate one GPU carries per bucket of output and input tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harpagon.instances.errors import InputError
from harpagon.instances.measurements.documents import Entry, read_entries
from harpagon.instances.measurements.models import SEVERAL, wanted_workload
from harpagon.instances.measurements.verdicts import PERCENTILE, CapacityPoint, RowVerdict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harpagon.instances.measurements.request import Request

_KIND = "GPU profile of AIBrix or Mélange with a matrix tputs"
_NO_LATENCY = "no 99th percentile (e2e are means): say with --latency which latency the rates were measured to keep"


def read_aibrix(path: Path, request: Request) -> list[RowVerdict]:
    """Verdicts on the buckets of a profile; ``request.workload`` is the one wanted, such as ``128x512``.

    Its latency is the objective that 99 % kept at its rate: the matrix ``e2e`` of the file holds means. A bucket is
    another workload, not another load of the same one: without a bucket, only a file of one has an answer.
    """
    (result, *others) = read_entries(path, _KIND)
    if others:
        raise InputError(str(path), "", "holds several profiles", "Give one file a GPU")
    profile = _profile(result, request.hardware)
    buckets = list(_buckets(profile))
    names = [name for name, *_ in buckets]
    wanted = wanted_workload(names, request.workload, str(path), "indexes")
    latency = _objective(profile) or request.latency
    return [_judge(*bucket, wanted, latency, request) for bucket in buckets]


def _profile(result: Entry, hardware: str) -> Entry:
    """The object that holds ``tputs``: the document, or in Mélange's files what stands under the GPU's name."""
    if result.get("tputs") is not None:
        return result
    document = result.get("gpu_info") or result.get()
    profiles = {name: value for name, value in document.items() if isinstance(value, dict) and "tputs" in value}
    if not profiles:
        raise result.fault("", f"has no matrix tputs: this is no {_KIND}", f"Give a {_KIND}")
    name = hardware if len(profiles) > 1 else next(iter(profiles))
    if name not in profiles:
        problem = f"holds several GPUs, and no {hardware!r}"
        raise result.fault("gpu_info", problem, f"Say which with --accelerator: {', '.join(profiles)}")
    return Entry(profiles[name], result.source, name, _KIND)


def _buckets(profile: Entry) -> Iterator[tuple[str, str, float]]:
    """Name, place and rate of every bucket."""
    rates, indexes = _matrix(profile, "tputs"), profile.get("indexes")
    for i, row in enumerate(rates):
        for j, rate in enumerate(row):
            name = f"{indexes[0][i]}x{indexes[1][j]}" if _fits(indexes, rates) else f"{i}x{j}"
            yield name, f"tputs[{i}][{j}]", rate


def _objective(profile: Entry) -> float | None:
    """Seconds within which 99 % were answered at every rate of the file; None where it says so of less, or of means."""
    kept = profile.number("slos", "percentile")
    return profile.number("slos", "e2e") if kept is not None and kept >= PERCENTILE else None


def _matrix(profile: Entry, key: str) -> list[list[float]]:
    """A matrix of numbers from 0, as wide as its first row and as ``tputs``."""
    value: Any = profile.get(key)
    rows = value if isinstance(value, list) and value and all(isinstance(row, list) and row for row in value) else None
    if rows is None or any(
        isinstance(cell, bool) or not isinstance(cell, int | float) or not cell >= 0 for row in rows for cell in row
    ):
        raise profile.fault(key, "is no matrix of numbers from 0", f"Give a {_KIND}")
    shape, model = [len(row) for row in rows], [len(row) for row in profile.get("tputs")]
    if shape != model or len(set(shape)) > 1:
        raise profile.fault(key, "has rows of unlike length", "Export the profile again")
    return rows


def _fits(indexes: Any, rates: list[list[float]]) -> bool:
    return isinstance(indexes, list) and [len(index) if isinstance(index, list) else 0 for index in indexes] == [
        len(rates),
        len(rates[0]),
    ]


def _judge(
    name: str, place: str, rate: float, wanted: str | None, latency: float | None, request: Request
) -> RowVerdict:
    what = f"bucket {name} (output x input tokens)"
    if wanted is None:
        return RowVerdict(place, what, SEVERAL)
    if name != wanted:
        return RowVerdict(place, what, f"not the workload {wanted}")
    if rate == 0:
        return RowVerdict(place, what, "no rate keeps the objective of the file on this GPU")
    if not latency:
        return RowVerdict(place, what, _NO_LATENCY)
    why = "largest rate within the objective of the file"
    return RowVerdict(place, what, why, CapacityPoint(rate / request.instances, latency))
