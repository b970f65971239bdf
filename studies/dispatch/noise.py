"""Batches whose durations vary: plans on a 99th percentile of the duration beside plans on the mean.

    python -m studies.dispatch.noise --instances 20 --seconds 60

Both plans of a workload run on lognormal batch durations around the same means.
"""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import NormalDist
from typing import TYPE_CHECKING

import harpagon
from harpagon.instances.policies import Billing
from harpagon.simulation.dispatch.conditions import Conditions
from studies.suites import chosen_workloads, suite_parser

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.instances.instance import Instance


def at_quantile(instance: Instance, variation: float, share: float) -> Instance:
    """The instance with a quantile of lognormal durations stated beside every mean."""
    sigma = math.sqrt(math.log1p(variation**2))
    factor = math.exp(NormalDist().inv_cdf(share) * sigma - sigma**2 / 2)
    profiles = {
        model: tuple(replace(c, mean=c.duration, duration=c.duration * factor) for c in profile)
        for model, profile in instance.profiles.items()
    }
    return replace(instance, profiles=profiles)


def late_share(planned_for: Instance, variation: float, seconds: float) -> tuple[float, float]:
    """Cost of the plan for one instance, nan for none, and its share of late results."""
    plan = harpagon.solve(planned_for, billing=Billing.WHOLE).plan
    if plan is None:
        return math.nan, math.nan
    conditions = Conditions(variation=variation)
    report = harpagon.simulate(planned_for, plan, "even", duration=seconds, conditions=conditions)
    return plan.cost, max(pipeline.violation_share for pipeline in report.pipelines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the study."""
    import pandas as pd

    parser = suite_parser("dispatch.noise", __doc__, instances=20)
    parser.add_argument("--variation", type=float, default=0.05, help="coefficient of variation of batch durations")
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args(arguments)
    records = []
    for workload in chosen_workloads(options):
        instance = workload.instance()
        careful = at_quantile(instance, options.variation, 0.99)
        mean, late = late_share(instance, options.variation, options.seconds)
        safe, kept = late_share(careful, options.variation, options.seconds)
        records.append({"workload": workload.name, "mean: late": late, "p99: late": kept, "cost": safe / mean})
    table = pd.DataFrame(records)
    print(table.to_string(index=False))
    print(table.drop(columns="workload").describe().to_string())


if __name__ == "__main__":
    main()
