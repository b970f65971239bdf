"""GPU profiles of AIBrix and Mélange: the rate one GPU carries per bucket of output and input tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harpagon.instances.errors import InputError
from harpagon.instances.measurements.documents import Result, read_results
from harpagon.instances.measurements.verdicts import CapacityPoint, RowVerdict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harpagon.instances.measurements.request import Request

_KIND = "GPU profile of AIBrix or Mélange with a matrix tputs"
_NO_LATENCY = "the file holds no latency: say with --latency which one its rates were measured to keep"


def read_aibrix(path: Path, request: Request) -> list[RowVerdict]:
    """Verdicts on the buckets of a profile; ``request.workload`` is the one wanted, such as ``128x512``.

    A bucket is another workload, not another load of the same one: without a bucket, only a file of one has an answer.
    """
    (result, *others) = read_results(path, _KIND)
    if others:
        raise InputError(str(path), "", "holds several profiles", "Give one file a GPU")
    buckets = list(_buckets(_profile(result)))
    names = [name for name, *_ in buckets]
    wanted = request.workload or (names[0] if len(names) == 1 else None)
    if request.workload and request.workload not in names:
        raise InputError(
            str(path), "indexes", f"there is no bucket {request.workload}", f"Known here: {', '.join(names)}"
        )
    return [_judge(*bucket, wanted, request) for bucket in buckets]


def _profile(result: Result) -> Result:
    """The object that holds ``tputs``: the document, or in Mélange's files what stands under the GPU's name."""
    if result.get("tputs") is not None:
        return result
    document = result.get("gpu_info") or result.get()
    inner = [value for value in document.values() if isinstance(value, dict) and "tputs" in value]
    if len(inner) != 1:
        raise result.fault("", f"has {len(inner)} matrices tputs: this is no {_KIND}", f"Give a {_KIND}")
    return Result(inner[0], result.source, "", _KIND)


def _buckets(profile: Result) -> Iterator[tuple[str, str, float, float | None]]:
    """Name, place, rate and latency of every bucket."""
    rates, latencies, indexes = _matrix(profile, "tputs"), profile.get("e2e"), profile.get("indexes")
    delays = _matrix(profile, "e2e") if latencies is not None else None
    for i, row in enumerate(rates):
        for j, rate in enumerate(row):
            name = f"{indexes[0][i]}x{indexes[1][j]}" if _fits(indexes, rates) else f"{i}x{j}"
            yield name, f"tputs[{i}][{j}]", rate, delays[i][j] if delays else None


def _matrix(profile: Result, key: str) -> list[list[float]]:
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
    name: str, place: str, rate: float, latency: float | None, wanted: str | None, request: Request
) -> RowVerdict:
    what = f"bucket {name} (output x input tokens)"
    if wanted is None:
        return RowVerdict(place, what, "one of several workloads: say which with --workload")
    if name != wanted:
        return RowVerdict(place, what, f"not the workload {wanted}")
    if rate == 0:
        return RowVerdict(place, what, "no rate keeps the objective of the file on this GPU")
    latency = request.latency if latency is None else latency
    if not latency:
        return RowVerdict(place, what, _NO_LATENCY)
    return RowVerdict(
        place, what, "largest rate within the objective of the file", CapacityPoint(rate / request.instances, latency)
    )
