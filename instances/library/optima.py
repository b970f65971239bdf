"""Proven optima of shipped suites, stored with their provenance."""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harpagon.instances.errors import InputError
from harpagon.instances.files.writing import make_folder, replacing
from harpagon.instances.library.profiles import DATA
from harpagon.instances.policies import Billing, Dispatch

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_COLUMNS = ("workload", "instance", "billing", "dispatch", "cost", "bound", "method", "version")


@dataclass(frozen=True, slots=True)
class Optimum:
    """A proven optimal cost, and what proved it.

    Attributes
    ----------
    workload, instance
        Name of the workload, and the first 16 digits of the SHA-256 of the instance file it makes.
    billing, dispatch
        What was planned for.
    cost, bound
        Of the optimal plan and proven from below, $/hour.
    method, version
        What proved it, and the version of this package it belongs to.
    """

    workload: str
    instance: str
    billing: Billing
    dispatch: Dispatch
    cost: float
    bound: float
    method: str
    version: str

    @property
    def problem(self) -> tuple[str, Billing, Dispatch]:
        """Workload, billing, dispatch."""
        return (self.workload, self.billing, self.dispatch)


def optima_path(suite: str) -> Path:
    """File of a suite's proven optima."""
    return DATA / "optima" / f"{suite}.csv.gz"


def read_optima(path: Path) -> list[Optimum]:
    """Stored optima in the order of the file.

    Raises
    ------
    InputError
        Where there is no such file.
    """
    if not path.is_file():
        raise InputError(str(path), "", "there are no proven optima here", "Write them: python -m studies.optima")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return [_optimum(record) for record in csv.DictReader(file)]


def write_optima(path: Path, optima: Iterable[Optimum]) -> None:
    """Write optima as compressed CSV; the same optima make the same bytes."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows([getattr(optimum, column) for column in _COLUMNS] for optimum in optima)
    make_folder(path.parent)
    with replacing(path) as unfinished:
        unfinished.write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))


def _optimum(record: dict[str, str]) -> Optimum:
    return Optimum(
        record["workload"],
        record["instance"],
        Billing(record["billing"]),
        Dispatch(record["dispatch"]),
        float(record["cost"]),
        float(record["bound"]),
        record["method"],
        record["version"],
    )
