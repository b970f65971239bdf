"""Plans on every kind of stream that they claim their latency for: results, late ones, the largest latency.

python -m studies.dispatch.promises tests/cases/late-skip.json pose-700rps-60ms --requests 20000
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from harpagon.instances.library.shipped import resolve
from harpagon.instances.policies import APART, Billing, Dispatch
from harpagon.simulation import simulate
from harpagon.simulation.arrivals.processes import TraceArrivals
from harpagon.solvers.methods import solve
from studies.dispatch.streams import class_streams

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def runs(name: str, billing: Billing, requests: int, seed: int) -> Iterator[dict[str, object]]:
    """One record per stream of the first pipeline of an instance."""
    instance = resolve(name)
    result = solve(instance, "exact", billing, Dispatch.PACED)
    plan = result.plan
    if plan is None:
        raise SystemExit(f"{name}: {result.termination}, no plan")
    planned = plan.pipelines[0]
    for stream, times in class_streams(instance.pipelines[0], planned, requests, seed).items():
        duration = float(times[-1]) + 2 * planned.latency + 1.0
        report = simulate(instance, plan, TraceArrivals(stream, times), duration=duration).pipelines[0]
        yield {
            "instance": instance.name,
            "billing": billing.value,
            "cost": plan.cost,
            "proof": result.termination.value,
            "stream": stream,
            "results": report.latency.count,
            "late": report.violations,
            "beyond claim": report.late,
            "largest / claim": report.latency.maximum / planned.latency,
        }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the study; exit code 1 where a result is late."""
    import pandas as pd

    parser = argparse.ArgumentParser(prog="python -m studies.dispatch.promises", description=__doc__)
    parser.add_argument("instances", nargs="+", help="names or files of instances")
    parser.add_argument("--billing", nargs="+", choices=[*APART], default=[Billing.WHOLE])
    parser.add_argument("--requests", type=int, default=2_000, help="root requests of every stream")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    table = pd.DataFrame(
        record
        for name in options.instances
        for billing in map(Billing, options.billing)
        for record in runs(name, billing, options.requests, options.seed)
    )
    print(table.to_string(index=False))
    return 1 if table["late"].any() or table["beyond claim"].any() else 0


if __name__ == "__main__":
    sys.exit(main())
