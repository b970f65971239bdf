"""The gap study: which tasks it consists of, how they are run, and the files it leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harpagon.evaluation.gaps.frame import comparison_frame
from harpagon.evaluation.gaps.tables import REFERENCE, reference_dispatches, summarise, summary_records
from harpagon.evaluation.sweep.rows import Task
from harpagon.evaluation.sweep.sweep import sweep
from harpagon.instances.files.writing import replacing
from harpagon.solvers.method import Kind
from harpagon.solvers.methods import find_method
from harpagon.solvers.options import DEFAULT_OPTIONS
from harpagon.solvers.plugins import portable_solve

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harpagon.evaluation.sweep.rows import Row, RowFile
    from harpagon.instances.instance import Instance
    from harpagon.instances.policies import Billing, Dispatch
    from harpagon.solvers.method import Method
    from harpagon.solvers.options import SolverOptions


def study_tasks(
    instances: Sequence[Instance],
    methods: Sequence[str],
    billings: Sequence[Billing] | None = None,
    options: SolverOptions = DEFAULT_OPTIONS,
) -> list[Task]:
    """Every instance under every billing: the exact optimum under each reference dispatch, then every method.

    A heuristic plans for its default policy; an exact method, compared in time alone, for the first reference policy.

    Parameters
    ----------
    instances
        Workloads.
    methods
        Names; the reference runs whether it is named or not.
    billings
        Billings to compare under; None for that of each instance.
    options
        For every exact method.
    """
    others = [method for method in dict.fromkeys(methods) if method != REFERENCE]
    return [
        Task(instance, method, billing, dispatch, options)
        for instance in instances
        for billing in billings or [instance.billing]
        for method, dispatch in _plans(others, billing)
    ]


def _plans(methods: Sequence[str], billing: Billing) -> list[tuple[str, Dispatch]]:
    references = [(REFERENCE, dispatch) for dispatch in reference_dispatches(billing)]
    return references + [(name, _dispatch(find_method(name), billing)) for name in methods]


def _dispatch(method: Method, billing: Billing) -> Dispatch:
    usual = method.dispatch_for(billing)
    proven = (policy for policy in reference_dispatches(billing) if (billing, policy) in method.capabilities.cases)
    return next(proven, usual) if method.kind is Kind.EXACT else usual


def run_tasks(
    tasks: Sequence[Task],
    file: RowFile | None = None,
    workers: int = 1,
    **sweeping: Any,
) -> list[Row]:
    """Rows of the tasks, as `sweep` returns them for the same options; methods registered here go to the workers."""
    return sweep(tasks, portable_solve(task.method for task in tasks), file, workers, **sweeping)


def write_tables(rows: Sequence[Row], folder: Path) -> list[Path]:
    """Write ``rows.csv``, ``rows.parquet`` and ``summary.csv`` into ``folder``; returns their paths."""
    import pandas as pd

    records = comparison_frame(rows)
    summary = pd.DataFrame(summary_records(summarise(rows)))
    paths = [folder / name for name in ("rows.csv", "rows.parquet", "summary.csv")]
    with replacing(paths[0]) as csv, replacing(paths[1]) as parquet, replacing(paths[2]) as summed:
        records.to_csv(csv, index=False)
        records.to_parquet(parquet, index=False)
        summary.to_csv(summed, index=False)
    return paths
