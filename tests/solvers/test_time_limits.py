"""Time limits: whatever is cut off leaves a plan and a valid bound, and nothing goes on behind the deadline."""

from __future__ import annotations

import math
from itertools import count

import pytest

from harpagon.formulations.checker import check
from harpagon.formulations.problem import pipeline_problems
from harpagon.instances.instance import Instance
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.exact.effort import Effort, OutOfEffortError
from harpagon.solvers.exact.schedule import ScheduleSearch
from harpagon.solvers.exact.solve import solve_exact
from harpagon.solvers.methods import solve
from harpagon.solvers.models import incumbent
from harpagon.solvers.models.model_method import first_start
from harpagon.solvers.options import SolverOptions
from harpagon.solvers.result import Termination
from studies.growth.workloads import AXES
from studies.hard_solves import main, solve_apart

AT_ONCE = SolverOptions(time_limit=0.0)


def long_chain(modules: int) -> Instance:
    return AXES["modules in a chain"].workload(modules, Billing.WHOLE, Dispatch.TC)


@pytest.mark.parametrize("dispatch", [Dispatch.TC, Dispatch.EDF, Dispatch.PACED])
def test_a_long_pipeline_has_a_plan_and_a_bound_without_any_time(dispatch: Dispatch) -> None:
    instance = long_chain(400)
    result = solve_exact(instance, Billing.WHOLE, dispatch, AT_ONCE)
    assert result.termination is Termination.FEASIBLE
    assert result.plan is not None and check(instance, result.plan).ok
    assert 0 < result.dual_bound <= result.plan.cost


def test_all_that_a_solve_by_columns_takes_is_in_its_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second solve, for the quickest of the cheapest plans, has what they leave of the limit."""
    seconds = count()
    monkeypatch.setattr("time.perf_counter", lambda: float(next(seconds)))
    result = solve_exact(long_chain(20), Billing.WHOLE, Dispatch.TC)
    assert result.build_time + result.solve_time == next(seconds) - 1


def test_harpagon_gives_up_at_its_time_limit() -> None:
    instance = long_chain(30)
    assert solve(instance, "harpagon").plan is not None
    late = solve(instance, "harpagon", options=AT_ONCE)
    assert late.termination is Termination.LIMIT and late.plan is None


def test_harpagon_is_left_out_where_it_takes_longer_than_the_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its splitter takes minutes on a thousand modules, which column generation proves in seconds."""
    instance = long_chain(10)
    with_it = first_start(instance, Billing.WHOLE, Dispatch.TC, SolverOptions())
    monkeypatch.setattr(incumbent, "_MOST_MODULES", 5)
    without = first_start(instance, Billing.WHOLE, Dispatch.TC, SolverOptions())
    assert with_it.task.budget < without.task.budget < math.inf


@pytest.mark.parametrize("dispatch", [Dispatch.TC, Dispatch.PACED])
def test_no_search_begins_behind_the_deadline(dispatch: Dispatch) -> None:
    module = pipeline_problems(long_chain(2))[0].modules[0]
    assert ScheduleSearch(module, Billing.WHOLE, dispatch, effort=Effort()).cheapest(10.0) is not None
    with pytest.raises(OutOfEffortError):
        ScheduleSearch(module, Billing.WHOLE, dispatch, effort=Effort(deadline=0.0)).cheapest(10.0)


def test_only_what_unlimited_types_reach_is_known_to_have_a_plan() -> None:
    """An objective that limited machines alone come near to may have none."""
    row = solve_apart(148, 0, "exact", 5.0)
    assert row is not None and not row.feasible and not row.has_plan and row.has_bound


def test_the_families_of_hard_solves_end_with_plan_and_bound(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--numbers", "0", "1", "4", "--limits", "0.2"])
    output = capsys.readouterr().out
    assert "no plan (" not in output and "no bound" not in output and "does not stop" not in output
