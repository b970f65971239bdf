"""Listing schedules within caps that rise as latency falls: nothing between two caps is lost."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from harpagon.instances.generate import random_instance
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.exact.schedule_pool import SchedulePool
from harpagon.solvers.models.model_method import first_start
from harpagon.solvers.options import SolverOptions


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([Dispatch.TC, Dispatch.EDF]), st.data())
def test_rising_caps_keep_every_schedule_within_its_own(seed: int, dispatch: Dispatch, data: st.DataObject) -> None:
    """Of whole billing: in fractional billing costs are curves, and structures are listed instead."""
    instance = random_instance(random.Random(seed))
    limited = {name: replace(hardware, limit=1_000) for name, hardware in instance.hardware.items()}
    task = first_start(replace(instance, hardware=limited), Billing.WHOLE, dispatch, SolverOptions()).task
    pool = SchedulePool(task)
    dear = 1.5 * task.budget
    everything = [pool.column(0, point.schedule) for point in pool.distinct_points(0, {}, [(0.0, dear)])]
    probe = data.draw(st.sampled_from(sorted({column.latency for column in everything})))
    cheap = data.draw(st.floats(0.0, dear))
    listed = [pool.column(0, point.schedule) for point in pool.distinct_points(0, {}, [(probe, cheap), (0.0, dear)])]
    for column in everything:
        if column.cost <= (cheap if column.latency > probe else dear):
            assert any(
                other.cost <= column.cost + 1e-9
                and other.latency <= column.latency + 1e-9
                and all(used <= most + 1e-9 for used, most in zip(other.usage, column.usage, strict=True))
                for other in listed
            )
