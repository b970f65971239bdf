"""The systems that Harpagon compares with, each in every reading that its public texts allow.

A ratio of costs depends on how a baseline is read, so every reading has a name of its own in the registry of methods.
The first reading of a system is its default. Where the texts leave a choice, that is the reading under which the system
is cheapest: what is not known is decided in favour of the baseline.

Nexus, InferLine and Clipper are modules beside this one. Scrooge (SoCC 2021) finds batch sizes, machine types and
allocations of a whole application by mathematical programming under its latency and throughput objectives; its rows are
not public to us [R]. Adapted: it is the exact method under its own policy, with any number of tuples a module, and a
partly used machine paid for in proportion under ``fractional`` billing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of a system: name of the method, and what it takes the texts to mean."""

    method: str
    meaning: str


@dataclass(frozen=True, slots=True)
class System:
    """A system with its readings.

    Attributes
    ----------
    name
        As its authors call it.
    readings
        The default first.
    reason
        Why that one is the default.
    """

    name: str
    readings: tuple[Reading, ...]
    reason: str

    @property
    def default(self) -> Reading:
        """The reading that carries the system's name."""
        return self.readings[0]


SYSTEMS: Final = (
    System(
        "Nexus",
        (Reading("nexus", "the last machine pays its duty cycle"),),
        "the published scheduler packs machines by duty cycle; there is nothing to choose",
    ),
    System(
        "Scrooge",
        (
            Reading("scrooge", "one program; all machines of a configuration collect together"),
            Reading("scrooge-2d", "one program; every machine collects from its own share"),
        ),
        "its formulation is not public to us; the cheaper of the two latencies",
    ),
    System(
        "InferLine",
        (
            Reading("inferline", "the last machine pays its occupancy"),
            Reading("inferline-whole", "the last machine is bought whole"),
        ),
        "the paper counts replicas, the fractional billing of the comparison counts use; the cheaper of the two",
    ),
    System(
        "Clipper",
        (
            Reading("clipper", "the last machine pays its occupancy"),
            Reading("clipper-whole", "the last machine is bought whole"),
        ),
        "it bills nothing; as for InferLine",
    ),
)
"""In the order of the tables."""

READINGS: Final = tuple(reading.method for system in SYSTEMS for reading in system.readings)
"""Methods of all readings."""
DEFAULT_READINGS: Final = tuple(system.default.method for system in SYSTEMS)
"""Methods of the default readings."""
