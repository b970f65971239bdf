"""When the simulator has every request of every module done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np

from harpagon.simulation import simulate
from harpagon.simulation.arrivals.processes import TraceArrivals
from harpagon.simulation.flow.station import Station

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan

_PATIENCE = 20.0
"""Seconds after the last root request: every batch has timed out."""


def completions(
    instance: Instance, plan: Plan, times: NDArray[np.float64], *, paced: bool
) -> dict[str, NDArray[np.float64]]:
    """Per module of the one pipeline the seconds at which its requests are done, in the order of the roots."""
    found: dict[int, list[NDArray[np.float64]]] = {}
    process = Station.process

    def recorded(station: Station, flow: Any) -> Any:
        leaving, finish = process(station, flow)
        found.setdefault(id(station), []).append(finish)
        return leaving, finish

    with patch.object(Station, "process", recorded):
        simulate(instance, plan, TraceArrivals("stream", times), duration=float(times[-1]) + _PATIENCE, paced=paced)
    names = [module.name for module in simulate(instance, plan, duration=1e-3).pipelines[0].modules]
    return {name: np.concatenate(pieces) for name, pieces in zip(names, found.values(), strict=True)}
