"""What sharing machines saves: ``python -m studies.shared.savings``, with ``--suite paper --instances 113`` on another.

Per workload the optimum under `whole` and `shared` billing (``paced``), the relaxation by share of time, the optimum
under `fractional` (``edf``), the heuristics, and Harpagon's fractional plan with its residuals packed into whole
machines, first fit by decreasing share, latencies left aside: what its figure means where machines are bought whole.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from harpagon.formulations.problem import pipeline_problems
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.exact.effort import Effort
from harpagon.solvers.methods import solve
from harpagon.solvers.options import DEFAULT_OPTIONS
from harpagon.solvers.result import Termination
from harpagon.solvers.shared.problem import SharedProblem
from harpagon.solvers.shared.relaxation import share_of_time_bound
from studies.suites import chosen_instances, suite_parser
from studies.timing import timed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan

HEURISTICS = ("squishy", "packing")
_SAME = 1e-6


@dataclass(frozen=True, slots=True)
class Saving:
    """One workload; costs in dollars per hour, None where there is no plan.

    Attributes
    ----------
    rate
        Requests per second of its first pipeline.
    whole, shared, fractional
        Optima; ``shared`` is proven where ``proven``.
    relaxed
        Optimum of the relaxation by share of time.
    hosts
        Shared machines of the plan.
    seconds
        Processor seconds to the proof under ``shared``.
    squishy, packing
        The heuristics.
    harpagon, packed
        Harpagon's fractional plan, and its machines after packing.
    """

    workload: str
    rate: float
    whole: float
    shared: float
    proven: bool
    relaxed: float
    fractional: float
    hosts: int
    seconds: float
    squishy: float | None
    packing: float | None
    harpagon: float | None
    packed: float | None


def measure(instance: Instance, seconds: float | None = None) -> Saving:
    """Solve one workload in every way; ``seconds`` limits the exact solve under ``shared``."""
    options = DEFAULT_OPTIONS if seconds is None else type(DEFAULT_OPTIONS)(time_limit=seconds)
    whole = solve(instance, "exact", Billing.WHOLE, Dispatch.PACED)
    shared, taken = timed(solve, instance, "exact", Billing.SHARED, options=options)
    assert whole.plan is not None, "workloads of the suites have plans"
    assert shared.plan is not None, "a whole plan is a shared one"
    fractional = solve(instance, "exact", Billing.FRACTIONAL, Dispatch.EDF).plan
    harpagon = solve(instance, "harpagon", Billing.FRACTIONAL).plan
    problem = SharedProblem.compile(instance, pipeline_problems(instance), whole.plan.cost)
    return Saving(
        workload=instance.name,
        rate=instance.pipelines[0].rate,
        whole=whole.plan.cost,
        shared=shared.plan.cost,
        proven=shared.termination is Termination.OPTIMAL,
        relaxed=share_of_time_bound(problem, DEFAULT_OPTIONS, Effort()),
        fractional=0.0 if fractional is None else fractional.cost,
        hosts=len(shared.plan.shared_machines()),
        seconds=taken,
        **{name: solve(instance, name, Billing.SHARED).objective for name in HEURISTICS},
        harpagon=None if harpagon is None else harpagon.cost,
        packed=None if harpagon is None else packed_cost(instance, harpagon),
    )


def packed_cost(instance: Instance, plan: Plan) -> float:
    """Dollars per hour of a fractional plan whose residuals fill machines, first fit by decreasing share."""
    cost = sum(part.cost for part in plan.tuples() if not part.is_residual)
    shares: defaultdict[str, list[float]] = defaultdict(list)
    for part in plan.tuples():
        if part.is_residual:
            shares[part.configuration.hardware].append(part.machines)
    return cost + sum(instance.hardware[name].price * _bins(parts) for name, parts in shares.items())


def _bins(shares: Sequence[float]) -> int:
    bins: list[float] = []
    for share in sorted(shares, reverse=True):
        fits = [k for k, filled in enumerate(bins) if filled + share <= 1 + 1e-9]
        if fits:
            bins[fits[0]] += share
        else:
            bins.append(share)
    return len(bins)


def summary(rows: Sequence[Saving]) -> list[str]:
    """What the rows say, in lines."""
    ratios = [row.shared / row.whole for row in rows]
    cheaper = sum(ratio < 1 - _SAME for ratio in ratios)
    lines = [
        f"{len(rows)} workloads, {sum(row.proven for row in rows)} proven; cheaper than whole: {cheaper}",
        f"shared / whole: mean {statistics.fmean(ratios):.4f}, least {min(ratios):.4f}",
        f"over the relaxation by share of time: mean {statistics.fmean(r.shared / r.relaxed for r in rows):.4f}",
        f"over the fractional optimum: mean {statistics.fmean(r.shared / r.fractional for r in rows):.4f}",
        "processor time to the proof: median {:.3f} s, 95 % {:.3f} s, longest {:.3f} s".format(*_times(rows)),
    ]
    for name in HEURISTICS:
        found = [(getattr(row, name), row) for row in rows]
        gaps = [cost / row.shared - 1 for cost, row in found if cost is not None]
        optimal = sum(gap <= _SAME for gap in gaps)
        lines.append(
            f"{name}: plans {len(gaps)}, optimal {optimal}, mean gap {100 * statistics.fmean(gaps):.2f} %, "
            f"largest {100 * max(gaps):.2f} %"
        )
    packed = [row.packed / row.harpagon for row in rows if row.packed is not None and row.harpagon]
    lines.append(f"harpagon's fractional figure after packing: mean {statistics.fmean(packed):.4f} of it")
    return lines


def _times(rows: Sequence[Saving]) -> tuple[float, float, float]:
    seconds = sorted(row.seconds for row in rows)
    return statistics.median(seconds), seconds[int(0.95 * (len(seconds) - 1))], seconds[-1]


def by_rate(rows: Sequence[Saving]) -> list[str]:
    """Mean ratio of shared over whole, relaxation and fractional, by rate."""
    rates = sorted({row.rate for row in rows})
    heads = f"{'/ whole':>8} {'least':>6} {'/ relaxed':>9} {'/ fractional':>12}"
    lines = [f"{'req/s':>8} {'workloads':>9} {'cheaper':>7} {heads}"]
    for rate in rates:
        mine = [row for row in rows if row.rate == rate]
        ratios = [row.shared / row.whole for row in mine]
        relaxed = statistics.fmean(row.shared / row.relaxed for row in mine)
        fractional = statistics.fmean(row.shared / row.fractional for row in mine)
        cheaper = sum(ratio < 1 - _SAME for ratio in ratios)
        means = f"{statistics.fmean(ratios):>8.3f} {min(ratios):>6.3f} {relaxed:>9.3f} {fractional:>12.3f}"
        lines.append(f"{rate:>8g} {len(mine):>9} {cheaper:>7} {means}")
    return lines


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = suite_parser("shared.savings", "What sharing machines saves over a suite.")
    parser.add_argument("--time-limit", type=float, default=None, help="seconds for each exact solve under shared")
    options = parser.parse_args(arguments)
    rows = []
    for instance in chosen_instances(options):
        rows.append(measure(instance, options.time_limit))
        print(", ".join(f"{key} {value}" for key, value in asdict(rows[-1]).items()), flush=True)
    print("\n".join([*by_rate(rows), *summary(rows)]))


if __name__ == "__main__":
    main()
