"""Plans for recorded traces: cost over the plan for the mean rate, requests late on the trace and on a burstier one.

    python -m studies.dispatch.traces --seeds 4 --seconds 60

For every arrival process and seed a trace of the instance is drawn, planned for, and run through the plan; so is a
trace of the same mean rate with peaks of six times that, which the plan does not promise to keep.
"""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING

import numpy as np

from harpagon.instances.library.shipped import resolve
from harpagon.instances.policies import Billing
from harpagon.simulation import simulate
from harpagon.simulation.arrivals.named import parse_arrivals
from harpagon.simulation.arrivals.processes import CountArrivals, TraceArrivals
from harpagon.simulation.recorded import plan_for_trace
from harpagon.solvers.methods import solve

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from harpagon.instances.instance import Instance
    from harpagon.simulation.arrivals.processes import Arrivals

PROCESSES = ("poisson", "gamma:2", "mmpp:2,0.3,5", "mmpp:3,0.2,5", "daily")
_OUTSIDE = "mmpp:6,0.1,5"
_SWING = 0.5
"""Share of the mean rate by which the daily trace rises and falls, one day in one trace."""


def trace(process: str, rate: float, seconds: int, seed: int) -> Arrivals:
    """A recorded trace drawn from a process; ``daily`` are Poisson counts per second around a sine."""
    generator = np.random.default_rng(seed)
    if process == "daily":
        wave = 1 + _SWING * np.sin(2 * np.pi * np.arange(seconds) / seconds)
        return CountArrivals(f"daily {seed}", generator.poisson(rate * wave))
    pieces = parse_arrivals(process).times(rate, float(seconds), generator)
    return TraceArrivals(f"{process} {seed}", np.concatenate(list(pieces)))


def row(instance: Instance, process: str, seconds: int, seed: int) -> dict[str, object]:
    """One trace, planned for and run."""
    rate = instance.pipelines[0].rate
    recorded, outside = trace(process, rate, seconds, seed), trace(_OUTSIDE, rate, seconds, seed + 1_000)
    plan = plan_for_trace(instance, recorded, billing=Billing.WHOLE).plan
    mean = solve(instance, billing=Billing.WHOLE).objective
    if plan is None or mean is None:
        return {"process": process, "cost": math.nan}
    own, other = (simulate(instance, plan, run, duration=seconds + 5.0).pipelines[0] for run in (recorded, outside))
    return {
        "process": process,
        "cost": plan.cost / mean,
        "results": own.latency.count,
        "late": own.violations,
        "late_outside": other.violations / other.latency.count,
    }


def summary(rows: Sequence[dict[str, object]]) -> pd.DataFrame:
    """Per process: traces, cost over the plan for the mean rate, results, late ones, share late outside the burst."""
    import pandas as pd

    groups = pd.DataFrame(rows).groupby("process", sort=False)
    columns = {"cost": ["count", "mean", "max"], "results": "sum", "late": "sum", "late_outside": "mean"}
    return groups.agg(columns)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(prog="python -m studies.dispatch.traces", description=__doc__)
    parser.add_argument("--instance", default="traffic-198rps", help="name or file of an instance of one pipeline")
    parser.add_argument("--seeds", type=int, default=4, help="traces per process")
    parser.add_argument("--seconds", type=int, default=60, help="length of every trace")
    options = parser.parse_args(arguments)
    instance = resolve(options.instance)
    rows = [row(instance, process, options.seconds, seed) for process in PROCESSES for seed in range(options.seeds)]
    print(summary(rows).to_string())


if __name__ == "__main__":
    main()
