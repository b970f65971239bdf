"""Vertical, horizontal and joint scaling of the same pipelines, each at its proven optimum."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from harpagon.formulations.checker import check
from harpagon.heuristics.baselines.vertical import plan_vertical
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.exact.solve import solve_exact

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan


def scaling_rows(instances: Iterable[Instance], dispatch: Dispatch = Dispatch.TC) -> pd.DataFrame:
    """One row per instance: cores of the cheapest vertical, horizontal and joint plan, None where there is none.

    Vertical: one container a module, any size. Horizontal: any number of one-core containers. Joint: any number of
    containers of any size. Whole billing, a core costs 1.
    """
    rows = []
    for instance in instances:
        joint = solve_exact(instance, Billing.WHOLE, dispatch).plan
        vertical = plan_vertical(instance, Billing.WHOLE, dispatch)
        horizontal = solve_exact(one_core(instance), Billing.WHOLE, dispatch).plan
        for plan in (joint, vertical, horizontal):
            if plan is not None and not check(instance, plan).ok:
                raise RuntimeError(f"{instance.name}: a plan failed the check")
        rows.append(
            {
                "instance": instance.name,
                "vertical": _cores(vertical),
                "horizontal": _cores(horizontal),
                "joint": _cores(joint),
            }
        )
    table = pd.DataFrame(rows).astype({"vertical": float, "horizontal": float, "joint": float})
    table["alone"] = table[["vertical", "horizontal"]].min(axis=1)
    table["saving"] = 1 - table["joint"] / table["alone"]
    return table


def one_core(instance: Instance) -> Instance:
    """The instance with one-core containers only."""
    return replace(
        instance,
        hardware={"cpu-1": instance.hardware["cpu-1"]},
        profiles={
            model: tuple(configuration for configuration in profile if configuration.hardware == "cpu-1")
            for model, profile in instance.profiles.items()
        },
    )


def _cores(plan: Plan | None) -> float | None:
    return None if plan is None else plan.cost
