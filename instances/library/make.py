"""Seeded instances for experiments: of a shipped application, or small ones of a shape."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from typing import TYPE_CHECKING

from harpagon.graphs.shapes import SHAPES
from harpagon.instances.errors import InputError, suggestion
from harpagon.instances.generate import random_instance
from harpagon.instances.library.applications import application, application_profiles
from harpagon.instances.library.profiles import library_hardware
from harpagon.instances.library.workloads import Workload
from harpagon.instances.policies import Billing

if TYPE_CHECKING:
    from harpagon.instances.instance import Instance

_RATES = (20.0, 1000.0)
"""Requests per second of application workloads, drawn with equal weight per factor."""
_TIGHTNESS = (1.2, 6.0)
"""SLO of application workloads as a multiple of their `reference_latency`, drawn the same way."""


def make_instances(
    seed: int,
    *,
    application: str | None = None,
    shape: str | None = None,
    count: int = 1,
    billing: Billing = Billing.WHOLE,
) -> tuple[Instance, ...]:
    """Draw ``count`` instances; number i depends on ``seed`` and i alone.

    Parameters
    ----------
    seed
        Any integer.
    application
        A shipped application: rate, SLO and hardware are drawn, the figures are the library's.
    shape
        A key of `harpagon.graphs.shapes.SHAPES`: a small instance with random figures. Without application and shape,
        a shape is drawn per instance.
    count
        At least 1.
    billing
        Default billing of the instances.

    Raises
    ------
    InputError
        Where application or shape are unknown or both given, or ``count`` is below 1.
    """
    if application is not None and shape is not None:
        raise InputError("instances make", "shape", "stands beside an application", "Give one of the two")
    if count < 1:
        raise InputError("instances make", "count", f"must be at least 1, found {count}", "Give a positive number")
    if shape is not None and shape not in SHAPES:
        raise InputError("instances make", "shape", f"there is no shape {shape!r}", suggestion(shape, SHAPES))
    generators = [random.Random(f"{seed}/{number}") for number in range(count)]
    if application is not None:
        return tuple(_random_workload(rng, application).instance(billing) for rng in generators)
    label = shape or "random"
    return tuple(
        replace(random_instance(rng, shape=shape, billing=billing), name=f"{label}-seed{seed}-{number}")
        for number, rng in enumerate(generators)
    )


def _random_workload(rng: random.Random, name: str) -> Workload:
    usable = [
        hardware
        for hardware in library_hardware()
        if any(item.hardware == hardware for profile in application_profiles(name).values() for item in profile)
    ]
    hardware = tuple(item for item in usable if rng.random() < 0.7)
    if not _serves(name, hardware):
        hardware = tuple(usable)
    rate = round(_between(rng, _RATES))
    return Workload.with_tightness(name, float(rate), _between(rng, _TIGHTNESS), hardware)


def _serves(name: str, hardware: tuple[str, ...]) -> bool:
    """Whether every model of the application has figures on some of the hardware."""
    profiles = application_profiles(name)
    return all(
        profiles[model] and {c.hardware for c in profiles[model]} & {*hardware} for model in application(name).models
    )


def _between(rng: random.Random, bounds: tuple[float, float]) -> float:
    low, high = bounds
    return math.exp(rng.uniform(math.log(low), math.log(high)))
