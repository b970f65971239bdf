"""Our simulator against a second one, completion by completion.

Unpaced runs show which items a join waits for; in paced ones that is hidden by the time until which results are held.
"""

from __future__ import annotations

import math
import random
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from paced_cases import random_plan

from studies.dispatch.completions import completions
from studies.dispatch.referee import Referee
from studies.dispatch.streams import class_streams

if TYPE_CHECKING:
    from harpagon.instances.plan import Plan

ROOTS = 30


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
def test_every_completion_is_the_same(seed: int, paced: bool) -> None:
    instance, plan = random_plan(seed)
    plan = plan if paced else detuned(plan, seed)
    pipeline, planned = instance.pipelines[0], plan.pipelines[0]
    assert math.isfinite(planned.latency)
    streams = class_streams(pipeline, planned, ROOTS, seed)
    name = sorted(streams)[seed % len(streams)]
    ours = completions(instance, plan, streams[name], paced=paced)
    theirs = Referee(pipeline, planned, streams[name].tolist(), paced=paced).run()
    assert {module: times.size for module, times in ours.items()} == {module: len(theirs[module]) for module in ours}
    for module, times in ours.items():
        assert times == pytest.approx(np.array(theirs[module]), abs=1e-6), (module, name)
