"""Core profiles: how long one batch takes on a container with c CPU cores, as measured or as fitted."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING

from harpagon.instances.errors import InputError
from harpagon.instances.files.number_table import read_number_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Set
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class CoreProfile:
    """Batch durations of one model over cores and batch sizes.

    Attributes
    ----------
    name
        Model name, used in reports.
    durations
        (cores c, batch b) to l(b, c), the seconds that one batch takes.
    spread
        The same to the mean and to stated quantiles (share, seconds), the last of them l(b, c), where they are known.
    """

    name: str
    durations: Mapping[tuple[int, int], float]
    spread: Mapping[tuple[int, int], tuple[float, tuple[tuple[float, float], ...]]] = field(default_factory=dict)

    @property
    def cores(self) -> tuple[int, ...]:
        """Core counts of the profile, ascending."""
        return tuple(sorted({cores for cores, _ in self.durations}))

    @property
    def batches(self) -> tuple[int, ...]:
        """Batch sizes of the profile, ascending."""
        return tuple(sorted({batch for _, batch in self.durations}))

    def within(self, max_cores: int, max_batch: int) -> CoreProfile:
        """The part of the profile with at most ``max_cores`` cores and at most ``max_batch`` requests a batch."""
        return self._kept({pair for pair in self.durations if pair[0] <= max_cores and pair[1] <= max_batch})

    def with_cores(self, cores: Iterable[int]) -> CoreProfile:
        """The part of the profile on the core counts ``cores``."""
        chosen = set(cores)
        return self._kept({pair for pair in self.durations if pair[0] in chosen})

    def _kept(self, pairs: Set[tuple[int, int]]) -> CoreProfile:
        durations = {pair: seconds for pair, seconds in self.durations.items() if pair in pairs}
        return CoreProfile(self.name, durations, {pair: two for pair, two in self.spread.items() if pair in pairs})


def published_yolo_profile() -> CoreProfile:
    """The 30 points published with Sponge: batch 1 to 16 on 1 to 32 cores."""
    source = resources.files("harpagon.instances") / "data" / "sponge_yolo_cpu.csv"
    with resources.as_file(source) as path:
        return read_core_profile(path, name="yolo")


def read_core_profile(path: Path, name: str | None = None) -> CoreProfile:
    """Read a CSV file with the columns ``batch``, ``cores`` and ``latency_ms``.

    Raises
    ------
    InputError
        With the line, where the file is no such table, a value is not positive, or a pair stands twice.
    """
    durations: dict[tuple[int, int], float] = {}
    for line, (batch, cores, milliseconds) in read_number_table(path, ("batch", "cores", "latency_ms")):
        for column, value in (("batch", batch), ("cores", cores)):
            if value < 1 or not value.is_integer():
                raise InputError(str(path), f"line {line}", f"{column} is {value:g}", "Give a whole number from 1")
        if milliseconds <= 0:
            raise InputError(str(path), f"line {line}", f"latency_ms is {milliseconds:g}", "Give a positive number")
        pair = (int(cores), int(batch))
        if pair in durations:
            problem = f"{pair[0]} cores with batch {pair[1]} stand twice"
            raise InputError(str(path), f"line {line}", problem, "Keep one of the two lines")
        durations[pair] = milliseconds / 1e3
    return CoreProfile(name or path.stem, durations)
