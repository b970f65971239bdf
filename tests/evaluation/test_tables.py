"""Tables: every method is compared with the optimum that the heading names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harpagon.evaluation.gaps.tables import summarise
from harpagon.evaluation.sweep.row_file import JsonLines
from harpagon.evaluation.sweep.rows import Row
from harpagon.evaluation.sweep.sweep import run_study
from harpagon.instances.library.workloads import Workload
from harpagon.instances.policies import Dispatch
from studies.dispatch.rows import DispatchRow
from studies.dispatch.study import DispatchTask, dispatch_tasks, prices, run_dispatch_task, sharing

if TYPE_CHECKING:
    from pathlib import Path


def row(method: str, dispatch: str, cost: float, status: str = "optimal") -> Row:
    """Row of one workload."""
    names = ("key", "workload", "instance", method, "whole", dispatch, status)
    return Row(*names, cost=cost, bound=cost, build_s=0.0, solve_s=0.0, runs=1, version="1", made="")


def test_gaps_are_over_the_optimum_of_their_policy() -> None:
    rows = [row("exact", "tc", 10.0), row("exact", "free", 8.0), row("mine", "tc", 12.0, "feasible")]
    tc, free, mine = summarise(rows)
    assert mine.gaps[Dispatch.TC].mean == pytest.approx(0.2)
    assert mine.gaps[Dispatch.FREE].mean == pytest.approx(0.5)
    assert tc.gaps[Dispatch.FREE].mean == pytest.approx(0.25)
    assert free.gaps[Dispatch.TC].mean == pytest.approx(-0.2)


def test_prices_of_kept_plans_are_over_the_reference_they_name() -> None:
    costs = {"tc": 10.0, "free": 8.0, "tc-safe": 12.0, "edf": 16.0, "paced": 20.0}
    rows = [
        DispatchRow("w", billing, name, True, 60, cost)
        for billing in ("whole", "fractional")
        for name, cost in costs.items()
    ]
    table = prices(rows).set_index(["billing", "dispatch", "over"])["mean"]
    assert len(table) == 16
    for (_, dispatch, over), mean in table.items():
        assert mean == pytest.approx(costs[dispatch] / costs[over])


def test_plans_under_paced_share_the_requests_asked_for() -> None:
    workloads = [Workload("traffic", 50.0, 0.4), Workload("traffic", 100.0, 0.4)]
    tasks = sharing(dispatch_tasks(workloads, kept_seconds=4, seconds=2), 40_000)
    paced = [task for task in tasks if task.dispatch is Dispatch.PACED]
    assert sum(task.seconds * task.workload.rate for task in paced) == pytest.approx(40_000)
    assert {task.seconds for task in tasks if task not in paced} == {2}


def test_a_study_resumes_after_a_line_that_was_cut_off(tmp_path: Path) -> None:
    tasks = dispatch_tasks([Workload("traffic", 50.0, 0.4)], kept_seconds=4, seconds=2)[:4]
    file = JsonLines(tmp_path / "rows.jsonl", DispatchRow)
    rows = run_study(tasks, run_dispatch_task, file)
    file.path.write_bytes(file.path.read_bytes()[:-20])
    assert list(file.read().values()) == rows[:3]
    ran: list[DispatchRow] = []

    def run(task: DispatchTask) -> DispatchRow:
        ran.append(run_dispatch_task(task))
        return ran[-1]

    assert run_study(tasks, run, file) == rows
    assert ran == rows[3:]
