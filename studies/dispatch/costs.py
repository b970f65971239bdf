"""Cost and time of the optima under ``paced`` over those of other policies, without a simulation.

    python -m studies.dispatch.costs --suite paper --out studies/dispatch

It appends one line per workload, billing and policy to ``costs.jsonl`` and can be stopped and started again; at the end
it prints both tables. Times are of one solve each, in seconds of processor time: compare policies of one run only.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from harpagon.evaluation.sweep.row_file import JsonLines
from harpagon.evaluation.sweep.sweep import run_study
from harpagon.instances.policies import APART, Billing, Dispatch
from studies.suites import chosen_workloads, suite_parser
from studies.timing import timed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from harpagon.instances.library.workloads import Workload

CostKey = tuple[str, str, str]
_OTHERS = (Dispatch.EDF, Dispatch.TC, Dispatch.FREE)
_SAME = 1e-9


@dataclass(frozen=True, slots=True)
class CostRow:
    """Optimum of one workload: dollars per hour, None without a plan; whether it is proven; seconds."""

    workload: str
    billing: str
    dispatch: str
    cost: float | None
    proven: bool
    seconds: float

    @property
    def key(self) -> CostKey:
        """What was solved."""
        return (self.workload, self.billing, self.dispatch)


@dataclass(frozen=True, slots=True)
class CostTask:
    """One solve."""

    workload: Workload
    billing: Billing
    dispatch: Dispatch

    @property
    def key(self) -> CostKey:
        """Key of the row it makes."""
        return (self.workload.name, self.billing.value, self.dispatch.value)


def run_cost_task(task: CostTask) -> CostRow:
    """Solve one task."""
    from harpagon.solvers.methods import solve
    from harpagon.solvers.result import Termination

    instance = task.workload.instance()
    result, seconds = timed(solve, instance, "exact", task.billing, task.dispatch)
    proven = result.termination in (Termination.OPTIMAL, Termination.INFEASIBLE)
    return CostRow(*task.key, result.objective, proven, seconds)


def ratios(rows: Iterable[CostRow]) -> pd.DataFrame:
    """Per billing and other policy: the optimum under ``paced`` over its, and the time over its."""
    import pandas as pd

    known = {row.key: row for row in rows}
    names = sorted({row.workload for row in known.values()})
    records = []
    for billing, other in product(APART, _OTHERS):
        keys = [((name, billing.value, Dispatch.PACED.value), (name, billing.value, other.value)) for name in names]
        pairs = [(known[a], known[b]) for a, b in keys if a in known and b in known]
        costs = [own.cost / its.cost for own, its in pairs if own.cost and its.cost]
        times = [own.seconds / its.seconds for own, its in pairs]
        if costs:
            records.append(
                {
                    "billing": billing.value,
                    "over": other.value,
                    "workloads": len(costs),
                    "mean": math.fsum(costs) / len(costs),
                    "least": min(costs),
                    "largest": max(costs),
                    "cheaper": sum(ratio < 1 - _SAME for ratio in costs),
                    "dearer": sum(ratio > 1 + _SAME for ratio in costs),
                    "time": math.exp(math.fsum(map(math.log, times)) / len(times)),
                }
            )
    return pd.DataFrame(records)


def proofs(rows: Iterable[CostRow]) -> pd.DataFrame:
    """Per billing and policy: solves, proven ones, those without a plan, the longest time."""
    import pandas as pd

    table = pd.DataFrame([asdict(row) for row in rows])
    table["without"] = table["cost"].isna()
    groups = table.groupby(["billing", "dispatch"], sort=False)
    figures = {"proven": ["count", "sum"], "without": "sum", "seconds": ["median", "max"]}
    return groups.agg(figures)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the study."""
    parser = suite_parser("dispatch.costs", __doc__)
    parser.add_argument("--billing", nargs="+", choices=[*APART], default=[*APART])
    parser.add_argument("--dispatch", nargs="+", choices=[*Dispatch], default=[Dispatch.PACED, *_OTHERS])
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--out", type=Path, default=Path("studies/dispatch"), help="folder for the rows")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    cases = product(chosen_workloads(options), map(Billing, options.billing), map(Dispatch, options.dispatch))
    tasks = [CostTask(*case) for case in cases]
    rows = run_study(tasks, run_cost_task, JsonLines(options.out / "costs.jsonl", CostRow), options.workers)
    print(proofs(rows).to_string())
    print(ratios(rows).to_string(index=False))


if __name__ == "__main__":
    main()
