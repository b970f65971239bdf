"""Do plans that share machines keep their word? ``python -m studies.shared.kept --requests 1e7``.

Every workload of a suite is planned under `shared` billing and simulated with even arrivals and with a stream that uses
up the promised class: dense for stretches, with gaps just beyond the times after which batches close. Counted are the
requests that modules served and the results that came later than the plan claims; the command exits with 1 if any did.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harpagon.instances.policies import Billing
from harpagon.simulation import simulate
from harpagon.simulation.arrivals.processes import CHUNK, EvenArrivals
from harpagon.solvers.methods import solve
from studies.suites import chosen_instances, suite_parser

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan
    from harpagon.simulation.arrivals.processes import Arrivals

_BEYOND = 1e-7
"""Seconds by which a gap passes the time after which a batch closes."""
_DENSE = 0.85
"""Share of the gaps that are as short as the promise allows."""


@dataclass(frozen=True, slots=True)
class PromisedArrivals:
    """Requests 1 / rate apart for stretches, and gaps just beyond ``closings`` seconds between them."""

    closings: tuple[float, ...]

    def __str__(self) -> str:
        return "promised"

    def times(self, rate: float, duration: float, generator: np.random.Generator) -> Iterator[np.ndarray]:
        """Yield sorted pieces of arrival times."""
        beyond = np.array([max(1 / rate, closing + _BEYOND) for closing in self.closings])
        now = 0.0
        while now < duration:
            gaps = np.where(generator.random(CHUNK) < _DENSE, 1 / rate, generator.choice(beyond, CHUNK))
            piece = now + np.cumsum(gaps)
            now = float(piece[-1])
            yield piece[: np.searchsorted(piece, duration)]


@dataclass(frozen=True, slots=True)
class Kept:
    """Of one run: requests that modules served, results out, those later than claimed, and the nearest to the claim."""

    served: int
    results: int
    late: int
    nearest: float


def run(instance: Instance, plan: Plan, arrivals: Arrivals, requests: float) -> Kept:
    """Simulate until modules have served about so many requests."""
    rates = [module.rate for pipeline in plan.pipelines for module in pipeline.modules.values()]
    report = simulate(instance, plan, arrivals, duration=max(10.0, requests / sum(rates)))
    assert all(pipeline.promised for pipeline in report.pipelines), "arrivals are of the promised class"
    return Kept(
        served=sum(module.finished for pipeline in report.pipelines for module in pipeline.modules),
        results=sum(pipeline.latency.count for pipeline in report.pipelines),
        late=sum(pipeline.late for pipeline in report.pipelines),
        nearest=max(m.latency.maximum / m.bound for pipeline in report.pipelines for m in pipeline.modules),
    )


def closings(plan: Plan) -> tuple[float, ...]:
    """Times after which the batches of a plan close, seconds."""
    paces = [module.pace for pipeline in plan.pipelines for module in pipeline.modules.values()]
    return tuple(seconds for pace in paces if pace is not None for seconds in pace.close_after)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    parser = suite_parser("shared.kept", "Simulate plans that share machines.")
    parser.add_argument("--requests", type=float, default=1e7, help="requests that modules serve in all")
    options = parser.parse_args(arguments)
    plans = [(one, solve(one, billing=Billing.SHARED).plan) for one in chosen_instances(options)]
    shared = [(instance, plan) for instance, plan in plans if plan is not None and plan.shared_machines()]
    each = options.requests / (2 * len(shared)) if shared else 0.0
    found: dict[str, list[Kept]] = {"even": [], "promised": []}
    for instance, plan in shared:
        found["even"].append(run(instance, plan, EvenArrivals(), each))
        found["promised"].append(run(instance, plan, PromisedArrivals(closings(plan)), each))
    print(f"{len(shared)} of {len(plans)} plans share machines")
    for name, rows in found.items():
        served, results, late = (sum(getattr(row, key) for row in rows) for key in ("served", "results", "late"))
        nearest = max((row.nearest for row in rows), default=0.0)
        print(f"{name}: {served:,} served, {results:,} results, {late} late; a module's largest / claim: {nearest:.6f}")
    return int(any(row.late for rows in found.values() for row in rows))


if __name__ == "__main__":
    sys.exit(main())
