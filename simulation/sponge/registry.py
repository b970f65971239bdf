"""Scalers by name, as the command line and the study call them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.formulations.sponge.problem import SpongeVariant
from harpagon.instances.errors import InputError
from harpagon.simulation.flow.order import Order
from harpagon.simulation.sponge.planner import IntervalPlanner
from harpagon.simulation.sponge.scalers import HorizontalScaler, RestartScaler, SpongeScaler, StaticScaler

if TYPE_CHECKING:
    from harpagon.instances.cpu.profile import CoreProfile
    from harpagon.simulation.sponge.scalers import Scaler

SCALERS = {
    "sponge": "cores change in place, formula of the paper",
    "sponge-code": "cores change in place, formula of the published code (0.9 SLO)",
    "sponge-fcfs": "as sponge, first come first served",
    "fa2": "one-core replicas with a start-up delay, formula of the published code (cl_max, 0.9 SLO)",
    "fa2-blind": "as fa2, planned for the whole SLO without knowing the link",
    "fa2-informed": "as fa2, formula of the paper (cl_max, whole SLO, the queue)",
    "vpa": "one container that restarts to change its cores",
    "static-N": "N cores for ever",
}
"""Name to what it does."""
HORIZONTAL = ("fa2", "fa2-blind", "fa2-informed")
"""Readings of the horizontal autoscaler: the published code's, and two that bracket what it knows of the link."""


def make_scaler(name: str, profile: CoreProfile, slo: float, change_cost: float = 0.0) -> Scaler:
    """A fresh scaler.

    Parameters
    ----------
    name
        One of `SCALERS`, with a core count of the profile for N.
    profile
        Batch durations to plan with.
    slo
        Seconds.
    change_cost
        Cores that a change in place must save to be worth it.

    Raises
    ------
    InputError
        Where the name is unknown, or the profile lacks the core count it needs.
    """
    if name in ("sponge", "sponge-fcfs"):
        order = Order.DEADLINE if name == "sponge" else Order.ARRIVAL
        return SpongeScaler(IntervalPlanner(profile, slo, change_cost=change_cost), order)
    if name == "sponge-code":
        return SpongeScaler(IntervalPlanner(profile, slo, SpongeVariant.PUBLISHED_CODE, change_cost))
    if name == "vpa":
        return RestartScaler(IntervalPlanner(profile, slo))
    if name in HORIZONTAL:
        one_core = _need_cores(profile, name, 1).with_cores([1])
        variant = SpongeVariant.PUBLISHED_CODE if name == "fa2" else SpongeVariant.PAPER
        planner = IntervalPlanner(one_core, slo, variant, sees_link=name != "fa2-blind")
        return HorizontalScaler(planner, max_replicas=profile.cores[-1])
    head, _, cores = name.partition("-")
    if head != "static" or not (cores.isascii() and cores.isdigit()):
        raise InputError(name, "", "is no scaler", f"Known here: {', '.join(SCALERS)}")
    return StaticScaler(IntervalPlanner(_need_cores(profile, name, int(cores)), slo), int(cores))


def default_scalers(profile: CoreProfile) -> tuple[str, ...]:
    """Sponge and the baselines of its paper, as far as the profile has the core counts they need."""
    static = [cores for cores in profile.cores if cores in (8, 16)] or [profile.cores[-1]]
    horizontal = HORIZONTAL if 1 in profile.cores else ()
    return ("sponge", "sponge-code", *horizontal, "vpa", *(f"static-{cores}" for cores in static))


def _need_cores(profile: CoreProfile, name: str, cores: int) -> CoreProfile:
    if cores not in profile.cores:
        known = ", ".join(map(str, profile.cores))
        raise InputError(name, "", f"needs {cores} cores, the profile has {known}", "Leave this scaler out")
    return profile
