"""Whether a plan can be run at all: machines for every module, with batches, and none that claims more than it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.instances.checks import Checks
from harpagon.instances.figures import figure

if TYPE_CHECKING:
    from harpagon.instances.errors import Place
    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import DispatchTuple, Plan

_CHECK = "Run harpagon check to see all that is wrong with the plan"
_ROUNDING = 1e-3
"""Relative excess of a tuple's claimed rate over its machines' that counts as rounding."""


def require_schedules(instance: Instance, plan: Plan) -> None:
    """Refuse plans without machines for a module, and tuples without batches or faster than their machines.

    Raises
    ------
    InputError
        With the place in the plan.
    """
    check = Checks(f"plan for {plan.instance}")
    planned = {pipeline.name: pipeline for pipeline in plan.pipelines}
    for pipeline in instance.pipelines:
        if pipeline.name not in planned:
            check.refuse(("pipelines",), f"leaves pipeline {pipeline.name} out", _CHECK)
        modules = planned[pipeline.name].modules
        for name in pipeline.graph:
            place = ("pipelines", pipeline.name, "modules", name)
            if name not in modules or not modules[name].tuples:
                check.refuse(place, "the plan gives this module no machines", _CHECK)
            for position, part in enumerate(modules[name].tuples):
                _require_machines(check, (*place, "tuples", position), part)


def _require_machines(check: Checks, place: Place, part: DispatchTuple) -> None:
    if part.configuration.is_capacity:
        step = "Plan with a profile of batch sizes"
        check.refuse(place, "a simulation needs batch durations, a capacity profile has none", step)
    speed = part.machines * part.configuration.throughput
    if part.rate > speed * (1 + _ROUNDING):
        check.refuse(place, f"claims {figure(part.rate)} req/s, its machines do {figure(speed)}", _CHECK)
