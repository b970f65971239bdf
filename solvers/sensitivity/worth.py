"""What a little more of everything that may bind is worth, by solving again."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harpagon.solvers.result import Termination
from harpagon.solvers.sensitivity.changes import ONE_BY_ONE, LooserSlo, LowerRate, MoreMachines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan
    from harpagon.solvers.result import Result
    from harpagon.solvers.sensitivity.changes import Change
    from harpagon.solvers.sensitivity.remedies import Prober


@dataclass(frozen=True, slots=True)
class Worth:
    """What a small change saves.

    Attributes
    ----------
    change, steps
        1 ms of SLO (1 % of the SLOs of several pipelines), 1 % of the rate, or one machine.
    result
        The exact method on the changed instance.
    saving
        Dollars per hour less than the plan as it stands. Negative where the change makes the plan dearer, which a
        lower rate can in fractional billing.
    """

    change: Change
    steps: int
    result: Result
    saving: float


def worths_of(instance: Instance, plan: Plan, prober: Prober) -> tuple[tuple[Worth, ...], bool]:
    """What every small change saves, and whether the time sufficed for all of them."""
    found: list[Worth] = []
    complete = True
    for change, steps in _small_changes(instance):
        if time.perf_counter() > prober.deadline:
            return tuple(found), False
        result = prober.solve(change.apply(instance, steps))
        if result.termination is not Termination.OPTIMAL:
            complete = False
        elif result.plan is not None:
            found.append(Worth(change, steps, result, plan.cost - result.plan.cost))
    return tuple(found), complete


def _small_changes(instance: Instance) -> Iterator[tuple[Change, int]]:
    names = tuple(pipeline.name for pipeline in instance.pipelines)
    groups = [(name,) for name in names] if len(names) <= ONE_BY_ONE else [names]
    for group in groups:
        yield LooserSlo(group), 10
    for group in groups:
        yield LowerRate(group), 10
    for name, hardware in instance.hardware.items():
        if hardware.limit is not None:
            yield MoreMachines((name,)), hardware.bundle
