"""What a workload's name tells: application, rate, objective, how tight that is, and how far prices spread."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from harpagon.instances.library.applications import application, application_profiles
from harpagon.instances.library.workloads import Workload
from harpagon.instances.reference import reference_latency


@dataclass(frozen=True, slots=True)
class Features:
    """Of one workload.

    Attributes
    ----------
    application
        Name.
    rate
        Requests per second at the source.
    slo
        Seconds.
    tightness
        SLO as a multiple of the `reference_latency`: 1 is the tightest of the suite ``paper``.
    price_spread
        Price of the dearest hardware type over that of the cheapest.
    """

    application: str
    rate: float
    slo: float
    tightness: float
    price_spread: float


@cache
def features(workload_name: str) -> Features | None:
    """Features of a workload; None for an instance that is not made from a workload name."""
    workload = Workload.from_name(workload_name)
    if workload is None:
        return None
    profiles = application_profiles(workload.application, workload.hardware or None)
    reference = reference_latency(application(workload.application).graph, workload.rate, profiles)
    prices = {configuration.price for profile in profiles.values() for configuration in profile}
    tightness, spread = workload.slo / reference, max(prices) / min(prices)
    return Features(workload.application, workload.rate, workload.slo, tightness, spread)
