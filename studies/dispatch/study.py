"""The gap between formula and time: optimal plans under every dispatch policy, simulated with even arrivals.

For every workload of a suite, both billings and every policy, the optimal plan is simulated paced and unpaced, and
each tuple's largest latency is compared with its bound, each result with the SLO. Plans under ``paced``, which are
proven to keep theirs, have the long runs. Run it as

    python -m studies.dispatch.study --suite smoke --out studies/dispatch

It appends one line per simulated plan to ``rows.jsonl`` and can be stopped and started again; at the end it writes
``summary.csv`` and ``prices.csv`` beside it and prints both.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from harpagon.evaluation.sweep.row_file import JsonLines
from harpagon.evaluation.sweep.sweep import run_study
from harpagon.instances.policies import APART, Billing, Dispatch
from studies.dispatch.rows import DispatchRow, measured_row
from studies.suites import chosen_workloads, suite_parser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import pandas as pd

    from harpagon.instances.library.workloads import Workload
    from studies.dispatch.rows import RowKey

KEPT = (Dispatch.TC_SAFE, Dispatch.EDF, Dispatch.PACED)
_REFERENCES = (Dispatch.TC, Dispatch.FREE, Dispatch.EDF)
_KEPT_SECONDS = 1_800
_SECONDS = 60
_REPORT_EVERY = 50


@dataclass(frozen=True, slots=True)
class DispatchTask:
    """One plan to make, and to simulate for so many seconds."""

    workload: Workload
    billing: Billing
    dispatch: Dispatch
    paced: bool
    seconds: int

    @property
    def key(self) -> RowKey:
        """Key of the row it makes."""
        return (self.workload.name, self.billing.value, self.dispatch.value, self.paced, self.seconds)


def dispatch_tasks(workloads: Sequence[Workload], kept_seconds: int, seconds: int) -> list[DispatchTask]:
    """All combinations that there are plans for."""
    from harpagon.solvers.methods import find_method

    fluid = [policy for policy in Dispatch if policy is not Dispatch.PACED]
    plain = [DispatchTask(*case, seconds=seconds) for case in product(workloads, APART, fluid, (True, False))]
    kept = [
        DispatchTask(workload, billing, Dispatch.PACED, paced=True, seconds=kept_seconds)
        for workload, billing in product(workloads, APART)
        if (billing, Dispatch.PACED) in find_method("exact").capabilities.cases
    ]
    return plain + kept


def sharing(tasks: Sequence[DispatchTask], requests: float) -> list[DispatchTask]:
    """The same tasks, those under ``paced`` long enough for so many root requests in all, each of them as many."""
    share = requests / max(1, sum(task.dispatch is Dispatch.PACED for task in tasks))
    return [
        replace(task, seconds=math.ceil(share / sum(pipeline.rate for pipeline in task.workload.instance().pipelines)))
        if task.dispatch is Dispatch.PACED
        else task
        for task in tasks
    ]


def run_dispatch_task(task: DispatchTask) -> DispatchRow:
    """Plan and simulate one task."""
    from harpagon.simulation import simulate
    from harpagon.solvers.methods import solve

    instance = task.workload.instance()
    plan = solve(instance, "exact", task.billing, task.dispatch).plan
    if plan is None:
        return DispatchRow(*task.key, cost=None)
    report = simulate(instance, plan, duration=float(task.seconds), paced=task.paced)
    return measured_row(task.key, plan.cost, report)


def _counting(total: int) -> Callable[[DispatchRow], None]:
    """Says on standard error, now and then, how many of ``total`` rows there are."""
    count = 0

    def finished(row: DispatchRow) -> None:
        nonlocal count
        count += 1
        if count % _REPORT_EVERY == 0 or count == total:
            sys.stderr.write(f"{count} of {total} plans simulated\n")

    return finished


def summary(rows: Iterable[DispatchRow]) -> pd.DataFrame:
    """Per policy, billing and pacing: how often and by how much the measured maxima pass bounds and SLO."""
    import pandas as pd

    records = []
    groups: dict[tuple[str, str, bool], list[DispatchRow]] = {}
    for row in rows:
        groups.setdefault((row.dispatch, row.billing, row.paced), []).append(row)
    for (dispatch, billing, paced), group in groups.items():
        planned = [row for row in group if row.cost is not None]
        records.append(
            {
                "dispatch": dispatch,
                "billing": billing,
                "paced": paced,
                "plans": len(planned),
                "requests": sum(row.arrived for row in planned),
                "tuples": sum(row.tuples for row in planned),
                "over_bound": sum(row.over for row in planned),
                "beyond_allowance": sum(row.beyond for row in planned),
                "worst_excess": max((row.excess for row in planned), default=0.0),
                "plans_late": sum(row.late > 0 for row in planned),
                "results_late": sum(row.late for row in planned),
                "results_late_beyond_allowance": sum(row.late_beyond for row in planned),
                "worst_overrun": max((row.overrun for row in planned), default=0.0),
            }
        )
    return pd.DataFrame(records)


def prices(rows: Iterable[DispatchRow]) -> pd.DataFrame:
    """Cost of the kept optima over the fluid ones: mean, extremes, how often dearer."""
    import pandas as pd

    costs = {(row.workload, row.billing, row.dispatch): row.cost for row in rows}
    workloads = sorted({key[0] for key in costs})
    records = []
    for billing, safe, reference in product(APART, KEPT, _REFERENCES):
        asked = all((workloads[0], billing, policy) in costs for policy in (safe, reference))
        if not asked or safe is reference:
            continue
        pairs = [(costs[w, billing, safe], costs[w, billing, reference]) for w in workloads]
        ratios = [ours / theirs for ours, theirs in pairs if ours is not None and theirs is not None]
        records.append(
            {
                "billing": billing.value,
                "dispatch": safe.value,
                "over": reference.value,
                "plans": len(ratios),
                "without_plan": sum(ours is None for ours, _ in pairs),
                "mean": math.fsum(ratios) / len(ratios) if ratios else math.nan,
                "largest": max(ratios, default=math.nan),
                "smallest": min(ratios, default=math.nan),
                "dearer": sum(ratio > 1 + 1e-9 for ratio in ratios),
                "cheaper": sum(ratio < 1 - 1e-9 for ratio in ratios),
            }
        )
    return pd.DataFrame(records)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the study."""
    parser = suite_parser("dispatch.study", __doc__)
    parser.add_argument("--billing", nargs="+", choices=[*APART], default=[*APART])
    parser.add_argument("--dispatch", nargs="+", choices=[*Dispatch], default=[*Dispatch])
    parser.add_argument("--kept-seconds", type=int, default=_KEPT_SECONDS, help="per plan under paced")
    help_text = "root requests of all plans under paced together, such as 1e8; in the place of --kept-seconds"
    parser.add_argument("--requests", type=float, metavar="N", help=help_text)
    parser.add_argument("--seconds", type=int, default=_SECONDS, help="per other plan")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--out", type=Path, default=Path("studies/dispatch"), help="folder for rows and tables")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    every = dispatch_tasks(chosen_workloads(options), options.kept_seconds, options.seconds)
    tasks = [task for task in every if task.billing in options.billing and task.dispatch in options.dispatch]
    if options.requests:
        tasks = sharing(tasks, options.requests)
    file = JsonLines(options.out / "rows.jsonl", DispatchRow)
    rows = run_study(tasks, run_dispatch_task, file, options.workers, _counting(len(tasks)))
    for name, table in (("summary.csv", summary(rows)), ("prices.csv", prices(rows))):
        table.to_csv(options.out / name, index=False)
        print(table.to_string(index=False))


if __name__ == "__main__":
    main()
