"""Guarded plans, and the study of formula against time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harpagon.formulations.checker import check
from harpagon.instances.library.suites import suite_workloads
from harpagon.instances.library.workloads import Workload
from harpagon.instances.policies import Billing, Dispatch
from harpagon.simulation import simulate
from harpagon.simulation.guard import guarded_plan, path_allowance, slack
from harpagon.solvers.methods import solve
from studies.dispatch.rows import DispatchRow, DispatchRowFile
from studies.dispatch.study import dispatch_tasks, prices, run_dispatch_study, summary

if TYPE_CHECKING:
    from pathlib import Path

    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan

LATE_WITHOUT_GUARD = "face-100rps-49ms-V100+A100"


def edf_optimum(instance: Instance) -> Plan | None:
    return solve(instance, "exact", Billing.WHOLE, Dispatch.EDF).plan


def workload(name: str) -> Instance:
    found = Workload.from_name(name)
    assert found is not None
    return found.instance()


def test_a_guarded_plan_is_never_late_where_the_plain_one_is() -> None:
    instance = workload(LATE_WITHOUT_GUARD)
    plain, guarded = edf_optimum(instance), guarded_plan(instance, edf_optimum)
    assert plain is not None and guarded is not None
    late, kept = (simulate(instance, plan, duration=500.0).pipelines[0] for plan in (plain, guarded))
    assert late.violations > 0 and late.late == 0
    assert kept.violations == 0
    assert guarded.cost > plain.cost
    assert check(instance, guarded).ok


@pytest.mark.parametrize("workload", suite_workloads("smoke")[::6], ids=lambda workload: workload.name)
def test_guarded_plans_leave_room_for_their_allowance(workload: Workload) -> None:
    instance = workload.instance()
    plan = guarded_plan(instance, edf_optimum)
    assert plan is not None
    for pipeline, planned in zip(instance.pipelines, plan.pipelines, strict=True):
        assert slack(pipeline, planned, plan.dispatch) >= -1e-9
        assert planned.latency + path_allowance(pipeline, planned, plan.dispatch) <= pipeline.slo + 1e-9


def test_the_study_resumes_and_finds_no_tuple_beyond_its_safe_bound(tmp_path: Path) -> None:
    tasks = dispatch_tasks([Workload("traffic", 50.0, 0.4)], guarded_seconds=40, seconds=20)
    file = DispatchRowFile(tmp_path / "rows.jsonl")
    rows = run_dispatch_study(tasks, file, workers=1)
    text = (tmp_path / "rows.jsonl").read_text()
    (tmp_path / "rows.jsonl").write_text(text[:-20])
    assert len(file.read()) == len(tasks) - 1
    assert run_dispatch_study(tasks, file, workers=1) == rows
    assert len(file.read()) == len(tasks)
    paced = [row for row in rows if row.paced and row.dispatch in (Dispatch.TC_SAFE, Dispatch.EDF)]
    assert len(paced) == 8
    assert not any(row.beyond or row.late_beyond for row in paced)
    assert not any(row.late for row in paced if row.guarded)
    assert summary(rows)["plans"].sum() == len(tasks)
    assert (prices(rows)["mean"] > 0).all()


def test_rows_without_a_plan_count_as_such() -> None:
    rows = [
        DispatchRow("w", billing.value, dispatch.value, True, guarded, 10, 2.0 if dispatch == "tc" else None)
        for billing in Billing
        for dispatch in Dispatch
        for guarded in (False, True)
    ]
    assert set(prices(rows)["without_plan"]) == {1}
    assert summary(rows)["plans"].sum() == 4
