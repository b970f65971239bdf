"""Suite ``paper``: 1,131 workloads, our counterpart of the evaluation of Harpagon (arXiv 2412.06161).

The paper has 1,131 workloads of five applications [R]; which rates, objectives and profiles they have is not public
to us. This is a grid of our own, filtered and sampled; docs/paper-suite.md describes it in full.
"""

from __future__ import annotations

import hashlib
import itertools
from functools import cache
from typing import TYPE_CHECKING

from harpagon.instances.files.units import seconds
from harpagon.instances.library.applications import application, application_profiles
from harpagon.instances.library.profiles import library, library_hardware
from harpagon.instances.library.workloads import Workload
from harpagon.instances.reference import reference_latency

if TYPE_CHECKING:
    from collections.abc import Iterator

APPLICATIONS = ("actdet", "caption", "face", "pose", "traffic")
"""The five applications of the paper [R]."""
WORKLOADS = 1131
"""Workloads in the paper's evaluation [R]."""
RATES = tuple(float(round(10 ** (k / 10))) for k in range(10, 34))
"""10 to 1,995 req/s, ten preferred numbers a decade."""
OBJECTIVES_MS = tuple(round(10 ** (k / 20)) for k in range(20, 81))
"""10 to 10,000 ms, twenty preferred numbers a decade."""
TIGHTEST, LOOSEST = 1.0, 8.0
"""Bounds on the SLO as a multiple of the reference latency."""
_SEED = 2412


def paper_workloads() -> tuple[Workload, ...]:
    """The suite: applications by name, 227 workloads of the first and 226 of every other, each in grid order."""
    share, extra = divmod(WORKLOADS, len(APPLICATIONS))
    return tuple(
        workload for k, name in enumerate(APPLICATIONS) for workload in _sample(candidates(name), share + (k < extra))
    )


@cache
def candidates(application_name: str) -> tuple[Workload, ...]:
    """Workloads of the grid that pass the filter, by hardware, rate and SLO.

    A workload passes where ``TIGHTEST`` <= SLO / `reference_latency` <= ``LOOSEST``: the lower bound makes it feasible
    in both billings, the upper bound leaves out objectives that no longer bind.
    """
    found = []
    for hardware in hardware_sets(application_name):
        profiles = application_profiles(application_name, hardware)
        for rate in RATES:
            reference = reference_latency(application(application_name).graph, rate, profiles)
            found += [
                Workload(application_name, rate, seconds(slo), hardware)
                for slo in OBJECTIVES_MS
                if TIGHTEST * reference <= seconds(slo) <= LOOSEST * reference
            ]
    return tuple(found)


def hardware_sets(application_name: str) -> Iterator[tuple[str, ...]]:
    """Sets of two or more hardware types: every model runs on one of them, every type runs a model."""
    types_of = [{c.hardware for c in library()[model]} for model in application(application_name).models]
    useful = [name for name in library_hardware() if any(name in types for types in types_of)]
    for size in range(2, len(useful) + 1):
        for chosen in itertools.combinations(useful, size):
            if all(types & set(chosen) for types in types_of):
                yield chosen


def _sample(workloads: tuple[Workload, ...], count: int) -> list[Workload]:
    """``count`` of the workloads in their order: those whose names have the smallest seeded SHA-256.

    A hash instead of a random generator: the sample is the same in every release of Python.
    """
    ranked = sorted(workloads, key=lambda one: hashlib.sha256(f"{_SEED} {one.name}".encode()).digest())
    chosen = set(ranked[:count])
    return [workload for workload in workloads if workload in chosen]
