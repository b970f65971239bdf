"""What a plan with headroom keeps in runs that did not choose it: share of fresh runs that meet the promise.

    python -m studies.dispatch.out_of_sample --instances 20 --runs 100 --seconds 10

For workloads spread over a suite and Poisson and gamma arrivals in turn, `harpagon headroom` finds the plan for the
percentile and the confidence; then it is run with seeds that the search has not seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import harpagon
from harpagon.instances.policies import Billing
from studies.suites import chosen_workloads, suite_parser

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.instances.library.workloads import Workload

_FRESH = 1_000_000
"""First seed of the fresh runs: the search takes those from 0 on."""
_ARRIVALS = ("poisson", "gamma:2")


def row(workload: Workload, arrivals: str, runs: int, seconds: float, percentile: float) -> dict[str, object]:
    """One plan: its headroom, whether it is run paced, and the share of fresh runs that meet the percentile."""
    instance = workload.instance()
    found = harpagon.headroom(instance, percentile, arrivals, duration=seconds, billing=Billing.WHOLE)
    record: dict[str, object] = {"workload": workload.name, "arrivals": arrivals}
    if found is None:
        return record
    met = 0
    for seed in range(_FRESH, _FRESH + runs):
        report = harpagon.simulate(instance, found.plan, arrivals, duration=seconds, seed=seed, paced=found.paced)
        met += max(pipeline.violation_share for pipeline in report.pipelines) <= 1 - percentile / 100
    return record | {"headroom": found.headroom, "paced": found.paced, "met": met / runs}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the study."""
    import pandas as pd

    parser = suite_parser("dispatch.out_of_sample", __doc__, instances=20)
    parser.add_argument("--runs", type=int, default=100, help="fresh runs per plan")
    parser.add_argument("--seconds", type=float, default=10.0, help="length of every run")
    parser.add_argument("--percentile", type=float, default=99.0)
    options = parser.parse_args(arguments)
    records = []
    for number, workload in enumerate(chosen_workloads(options)):
        arrivals = _ARRIVALS[number % len(_ARRIVALS)]
        records.append(row(workload, arrivals, options.runs, options.seconds, options.percentile))
        print(records[-1], flush=True)
    table = pd.DataFrame(records)
    known = table.dropna()
    print(f"{len(known)} of {len(table)} have a plan; of their fresh runs {known['met'].mean():.1%} meet the promise,")
    print(f"least {known['met'].min():.0%}; headroom {known['headroom'].min():.0%} to {known['headroom'].max():.0%}")


if __name__ == "__main__":
    main()
