"""Our simulator against a second one, completion by completion.

Unpaced runs show which items a join waits for; in paced ones that is hidden by the time until which results are held.
"""

from __future__ import annotations

import math
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from paced_cases import class_streams, random_plan
from referee import Referee

from harpagon.simulation import simulate
from harpagon.simulation.arrivals.processes import TraceArrivals
from harpagon.simulation.flow.station import Station

if TYPE_CHECKING:
    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan

ROOTS = 30
_PATIENCE = 20.0
"""Seconds after the last root request: every batch has timed out."""


def completions(
    instance: Instance, plan: Plan, times: np.ndarray, monkeypatch: pytest.MonkeyPatch, *, paced: bool
) -> dict[str, np.ndarray]:
    """When every request of every module is done in our simulator, in the order of the roots."""
    found: dict[int, list[np.ndarray]] = {}
    process = Station.process

    def recorded(station: Station, flow: Any) -> Any:
        leaving, finish = process(station, flow)
        found.setdefault(id(station), []).append(finish)
        return leaving, finish

    with monkeypatch.context() as patch:
        patch.setattr(Station, "process", recorded)
        simulate(instance, plan, TraceArrivals("stream", times), duration=float(times[-1]) + _PATIENCE, paced=paced)
    names = [module.name for module in simulate(instance, plan, duration=1e-3).pipelines[0].modules]
    return {name: np.concatenate(pieces) for name, pieces in zip(names, found.values(), strict=True)}


def detuned(plan: Plan, seed: int) -> Plan:
    """The plan with other time-outs: two batches that time out together would be done at once but for rounding."""
    rng = random.Random(seed)
    (planned,) = plan.pipelines
    modules = {}
    for name, module in planned.modules.items():
        assert module.pace is not None
        waits = tuple(wait * rng.uniform(0.8, 1.2) for wait in module.pace.close_after)
        modules[name] = replace(module, pace=replace(module.pace, close_after=waits))
    return replace(plan, pipelines=(replace(planned, modules=modules),))


@pytest.mark.parametrize("paced", [True, False], ids=["paced", "unpaced"])
@pytest.mark.parametrize("seed", range(16))
def test_every_completion_is_the_same(seed: int, paced: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    instance, plan = random_plan(seed)
    plan = plan if paced else detuned(plan, seed)
    pipeline, planned = instance.pipelines[0], plan.pipelines[0]
    assert math.isfinite(planned.latency)
    streams = class_streams(pipeline, planned, ROOTS, seed)
    name = sorted(streams)[seed % len(streams)]
    ours = completions(instance, plan, streams[name], monkeypatch, paced=paced)
    theirs = Referee(pipeline, planned, streams[name].tolist(), paced=paced).run()
    assert {module: times.size for module, times in ours.items()} == {module: len(theirs[module]) for module in ours}
    for module, times in ours.items():
        assert times == pytest.approx(np.array(theirs[module]), abs=1e-6), (module, name)
