"""Plans of random pipelines on streams of their class, and a sample of them by a second simulation.

    python -m studies.dispatch.random_graphs --instances 5000 --every 50

Every pipeline is planned exactly under ``paced`` and run on the streams of its class in turn. Of every so many, all
completions of a short stream are compared with those of `studies.dispatch.referee`, which shares no code with the
simulator.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from harpagon.graphs.shapes import SHAPES
from harpagon.instances.generate import random_instance
from harpagon.instances.policies import APART, Billing, Dispatch
from harpagon.simulation import simulate
from harpagon.simulation.arrivals.processes import TraceArrivals
from harpagon.solvers.methods import solve
from studies.dispatch.completions import completions
from studies.dispatch.referee import Referee
from studies.dispatch.streams import class_streams

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan

_ROOTS = 30
"""Root requests of a stream whose completions are compared."""
_NEAR = 1e-6
"""Seconds by which two clocks may differ: sums of times round, and the second one holds a nanosecond per module."""


def draw(seed: int, number: int) -> Instance:
    """Instance ``number``: any shape, up to five modules, bursts of up to 5."""
    rng = random.Random(f"{seed}/{number}")
    instance = random_instance(rng, shape=sorted(SHAPES)[number % len(SHAPES)], modules=(1, 5), machines=5.0)
    burst = rng.choice((1, 1, 1, 2, 5))
    pipelines = tuple(
        replace(pipeline, burst=burst, slo=pipeline.slo + (burst - 1) / pipeline.rate)
        for pipeline in instance.pipelines
    )
    return replace(instance, pipelines=pipelines)


def differing(instance: Instance, plan: Plan, times: NDArray[np.float64]) -> int:
    """Requests of all modules that the second simulation has done at another time."""
    ours = completions(instance, plan, times, paced=True)
    theirs = Referee(instance.pipelines[0], plan.pipelines[0], times.tolist(), paced=True).run()
    found = 0
    for module, own in ours.items():
        other = np.array(theirs[module])
        found += own.size if own.size != other.size else int(np.sum(np.abs(own - other) > _NEAR))
    return found


def _apart(times: NDArray[np.float64], rate: float, seed: int) -> NDArray[np.float64]:
    """A stream of the class with gaps a little longer: no request and time-out fall on one instant but for rounding."""
    delays = np.random.default_rng(seed).uniform(1e-4, 1e-3, times.size) / rate
    return times + np.cumsum(delays)


def run(seed: int, instances: int, every: int, requests: int, billing: Billing) -> Counter[str]:
    """Counts over so many random pipelines, every so many compared with the second simulation."""
    counts: Counter[str] = Counter()
    for number in range(instances):
        instance = draw(seed, number)
        plan = solve(instance, "exact", billing, Dispatch.PACED).plan
        if plan is None:
            counts["without a plan"] += 1
            continue
        planned = plan.pipelines[0]
        streams = class_streams(instance.pipelines[0], planned, requests, number)
        name = list(streams)[number // len(SHAPES) % len(streams)]
        duration = float(streams[name][-1]) + 2 * planned.latency + 1.0
        report = simulate(instance, plan, TraceArrivals(name, streams[name]), duration=duration).pipelines[0]
        counts.update({"plans": 1, "requests": report.arrived, "results": report.latency.count})
        counts.update({"late": report.late, "past the objective": report.violations})
        if number % every == 0:
            short = _apart(streams[name][:_ROOTS], instance.pipelines[0].rate, number)
            counts.update({"compared": 1, "differing": differing(instance, plan, short)})
    return counts


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the study; exit code 1 where a result is late or a completion differs."""
    parser = argparse.ArgumentParser(prog="python -m studies.dispatch.random_graphs", description=__doc__)
    parser.add_argument("--instances", type=int, default=500)
    parser.add_argument("--every", type=int, default=50, help="one of so many is compared")
    parser.add_argument("--requests", type=int, default=300, help="root requests of every stream")
    parser.add_argument("--billing", choices=[*APART], default=Billing.WHOLE)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    counts = run(options.seed, options.instances, options.every, options.requests, Billing(options.billing))
    for name, count in counts.items():
        print(f"{name}: {count:,}")
    return 1 if counts["late"] or counts["past the objective"] or counts["differing"] else 0


if __name__ == "__main__":
    sys.exit(main())
