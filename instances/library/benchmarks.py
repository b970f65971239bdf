"""The benchmark library: what is known of every case of a shipped suite, in one format with its provenance.

A case is an instance, a billing and a dispatch policy. Its record holds the best plan known, a bound that no plan
undercuts, and the best plan of a heuristic. docs/benchmarks.md describes the files and how to report a result.
"""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harpagon.instances.errors import InputError
from harpagon.instances.files.writing import make_folder, replacing
from harpagon.instances.library.profiles import DATA
from harpagon.instances.policies import Billing, Dispatch

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

COLUMNS: Final = (
    *("instance", "policy", "billing", "optimum", "best", "bound"),
    *("method", "version", "digest", "heuristic", "heuristic_cost"),
)
"""Of a file, in this order."""
PROVEN = 1e-6
"""Relative distance of the bound below which the best plan counts as optimal."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """What is known of one case.

    Attributes
    ----------
    instance, dispatch, billing
        The case.
    best, bound
        Cost of the best plan known, and what no plan undercuts, $/hour.
    method, version
        What found and proved that, and the version of this package it belongs to; of another solver its own.
    digest
        `Instance.digest` of the instance.
    heuristic, heuristic_cost
        The heuristic with the cheapest plan, and what that costs; empty and None where none finds one.
    """

    instance: str
    dispatch: Dispatch
    billing: Billing
    best: float
    bound: float
    method: str
    version: str
    digest: str
    heuristic: str = ""
    heuristic_cost: float | None = None

    @property
    def case(self) -> tuple[str, Billing, Dispatch]:
        """Instance, billing, dispatch policy."""
        return (self.instance, self.billing, self.dispatch)

    @property
    def optimum(self) -> float | None:
        """Cost of an optimal plan; None where the case is open."""
        return self.best if self.best - self.bound <= PROVEN * self.best else None


def benchmark_path(suite: str) -> Path:
    """File of a suite's records."""
    return DATA / "benchmarks" / f"{suite}.csv.gz"


def read_benchmarks(path: Path) -> list[Benchmark]:
    """Records in the order of the file.

    Raises
    ------
    InputError
        Where there is no such file.
    """
    if not path.is_file():
        raise InputError(str(path), "", "there are no benchmarks here", "Write them: python -m studies.benchmarks")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return [_benchmark(record) for record in csv.DictReader(file)]


def write_benchmarks(path: Path, benchmarks: Iterable[Benchmark]) -> None:
    """Write records as compressed CSV; the same records make the same bytes."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(benchmark_record(one) for one in benchmarks)
    make_folder(path.parent)
    with replacing(path) as unfinished:
        unfinished.write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))


def benchmark_record(benchmark: Benchmark) -> dict[str, object]:
    """Column to value: what stands in a file, None for what is not known."""
    values = {"policy": benchmark.dispatch.value, "billing": benchmark.billing.value}
    return {column: values.get(column) or getattr(benchmark, column) for column in COLUMNS}


def _benchmark(record: dict[str, str]) -> Benchmark:
    return Benchmark(
        record["instance"],
        Dispatch(record["policy"]),
        Billing(record["billing"]),
        float(record["best"]),
        float(record["bound"]),
        record["method"],
        record["version"],
        record["digest"],
        record["heuristic"],
        float(record["heuristic_cost"]) if record["heuristic_cost"] else None,
    )
