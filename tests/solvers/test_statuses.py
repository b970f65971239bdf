"""What every model-based method says when it is done, stopped, interrupted, or given a plan to start from."""

from __future__ import annotations

import math
import os
import random
import signal
from dataclasses import replace
from itertools import count
from threading import Event, current_thread, main_thread
from types import SimpleNamespace
from typing import TYPE_CHECKING

import networkx as nx
import pytest

from harpagon.formulations.checker import check
from harpagon.instances.generate import random_instance
from harpagon.instances.instance import Configuration, Hardware, Instance, Pipeline
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.enumeration.brute_force import solve_brute_force
from harpagon.solvers.errors import CheckFailedError
from harpagon.solvers.exact.effort import Effort
from harpagon.solvers.exact.gap_closing import close_gap
from harpagon.solvers.exact.solve import solve_exact
from harpagon.solvers.methods import find_method, solve
from harpagon.solvers.models import pattern
from harpagon.solvers.options import SolverOptions
from harpagon.solvers.result import Result, Solution, SolveInterrupted, Termination

if TYPE_CHECKING:
    from collections.abc import Callable

METHODS = ("compact", "disjunctive-bigm", "disjunctive-hull", "cp-sat", "pattern")
GENERAL = ("compact", "disjunctive-bigm", "cp-sat")
WHOLE_TC = (Billing.WHOLE, Dispatch.TC)


@pytest.fixture(scope="module")
def hard() -> Instance:
    """Six modules, eight configurations each, up to thirty machines: seconds for a general solver."""
    return random_instance(
        random.Random(2), modules=(6, 6), configurations=(8, 8), hardware=(2, 2), machines=30, shape="chain"
    )


def two_types(limit: int, slo: float = 1.0) -> Instance:
    """20 req/s; a cheap type with ``limit`` machines and a dear type with one machine, 10 req/s each."""
    graph = nx.DiGraph()
    graph.add_node("m", model="model", join="all")
    cheap, dear = Configuration("cheap", 1, 0.1, 1.0), Configuration("dear", 1, 0.1, 3.0)
    hardware = {"cheap": Hardware("cheap", 1.0, limit), "dear": Hardware("dear", 3.0, 1)}
    return Instance("two", Billing.WHOLE, hardware, {"model": (cheap, dear)}, (Pipeline("p", 20.0, slo, graph),))


@pytest.mark.parametrize("method", METHODS)
def test_optimal(method: str) -> None:
    result = find_method(method).run(two_types(limit=1), *WHOLE_TC)
    assert result.termination is Termination.OPTIMAL
    assert result.objective == pytest.approx(4.0)
    assert result.dual_bound == pytest.approx(4.0)
    assert result.method == method
    assert result.solver.version
    assert result.build_time >= 0
    assert result.solve_time >= 0


@pytest.mark.parametrize("method", METHODS)
def test_infeasible_by_limits(method: str) -> None:
    result = find_method(method).run(two_types(limit=0), *WHOLE_TC)
    assert result.termination is Termination.INFEASIBLE
    assert result.plan is None
    assert result.dual_bound == math.inf


@pytest.mark.parametrize("method", METHODS)
def test_infeasible_by_slo(method: str) -> None:
    result = find_method(method).run(two_types(limit=9, slo=0.1), *WHOLE_TC)
    assert result.termination is Termination.INFEASIBLE
    assert result.dual_bound == math.inf


@pytest.mark.parametrize("method", METHODS)
def test_feasible_at_the_time_limit(method: str, hard: Instance) -> None:
    result = find_method(method).run(hard, *WHOLE_TC, SolverOptions(time_limit=0.0))
    optimum = solve_exact(hard, *WHOLE_TC).objective
    assert optimum is not None
    assert result.termination is Termination.FEASIBLE
    assert result.plan is not None
    assert check(hard, result.plan).ok
    assert 0 < result.dual_bound <= optimum <= result.plan.cost
    assert result.gap is not None
    assert result.gap > 0


@pytest.mark.parametrize("method", METHODS)
def test_a_plan_within_limits_even_without_time(method: str) -> None:
    """One configuration would take two cheap machines, one is left: the heuristic mixes in the dear one."""
    result = find_method(method).run(two_types(limit=1), *WHOLE_TC, SolverOptions(time_limit=0.0))
    assert result.objective == pytest.approx(4.0)
    assert 0 < result.dual_bound <= 4.0


@pytest.mark.parametrize("method", GENERAL)
def test_a_short_limit_returns_a_plan_and_a_valid_bound(method: str, hard: Instance) -> None:
    result = find_method(method).run(hard, *WHOLE_TC, SolverOptions(time_limit=1.0))
    optimum = solve_exact(hard, *WHOLE_TC).objective
    assert optimum is not None
    assert result.plan is not None
    assert check(hard, result.plan).ok
    assert result.dual_bound <= optimum * (1 + 1e-6)
    assert result.plan.cost >= optimum * (1 - 1e-6)


class CtrlC:
    """Presses Ctrl-C at the first bound that a solver's thread tells of; the thread waits until it was heard."""

    def __init__(self) -> None:
        self._pressed, self._heard = False, Event()
        signal.signal(signal.SIGINT, self._hear)

    def __call__(self, cost: float, bound: float) -> None:
        if not self._pressed and current_thread() is not main_thread():
            self._pressed = True
            os.kill(os.getpid(), signal.SIGINT)
            self._heard.wait()

    def _hear(self, *_: object) -> None:
        self._heard.set()
        raise KeyboardInterrupt


@pytest.mark.usefixtures("hears_ctrl_c")
@pytest.mark.parametrize("method", GENERAL)
def test_interrupted(method: str, hard: Instance) -> None:
    """Ctrl-C stops the solver and carries out what it holds."""
    with pytest.raises(SolveInterrupted) as caught:
        find_method(method).run(hard, *WHOLE_TC, SolverOptions(time_limit=60.0, progress=CtrlC()))
    result = caught.value.result
    optimum = solve_exact(hard, *WHOLE_TC).objective
    assert optimum is not None
    assert result.termination is Termination.FEASIBLE
    assert result.plan is not None
    assert result.dual_bound <= optimum <= result.plan.cost * (1 + 1e-9)


def at_call(number: int, of: Callable[..., object]) -> Callable[..., object]:
    """``of``, with Ctrl-C pressed at its call of this number."""
    calls = count(1)

    def called(*arguments: object, **options: object) -> object:
        if next(calls) == number:
            raise KeyboardInterrupt
        return of(*arguments, **options)

    return called


@pytest.mark.parametrize("moment", [1, 30, 300])
@pytest.mark.parametrize("longest", [12, 0], ids=["frontiers", "columns"])
def test_ctrl_c_in_a_search_keeps_the_best_plan_checked_and_with_its_digest(
    moment: int, longest: int, hard: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    optimum = solve_exact(hard, *WHOLE_TC).objective
    monkeypatch.setattr("harpagon.solvers.exact.solve.LONG", longest)
    monkeypatch.setattr(Effort, "spend", at_call(moment, Effort.spend))
    with pytest.raises(SolveInterrupted) as caught:
        solve(hard, "exact", *WHOLE_TC)
    held = caught.value.result
    assert held.plan is not None
    assert held.plan.instance_digest == hard.digest()
    assert check(hard, held.plan).ok
    assert optimum is not None
    assert 0 < held.dual_bound <= optimum * (1 + 1e-9) <= held.plan.cost * (1 + 2e-9)


def test_ctrl_c_as_a_gap_is_widened_keeps_the_bound_of_the_steps_before() -> None:
    task = SimpleNamespace(ceiling=100.0, report=print, late=lambda: False, is_proven=lambda _: False)
    nothing = Solution("", Termination.LIMIT, None, 60.0)
    chosen = replace(nothing, dual_bound=90.0)
    bound, interrupted = close_gap(task, 60.0, 1e-2, nothing, at_call(2, print), lambda *_: chosen)
    assert (bound, interrupted) == (70.0, True), "a quarter of the gap was listed"


def test_ctrl_c_between_two_solver_calls_keeps_the_best_plan(hard: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    target = "harpagon.solvers.models.pattern.frontier"
    monkeypatch.setattr(target, at_call(2, pattern.frontier))
    with pytest.raises(SolveInterrupted) as caught:
        solve(hard, "pattern", *WHOLE_TC)
    assert caught.value.result.termination is Termination.FEASIBLE
    assert caught.value.result.dual_bound > 0


def test_a_plan_kept_on_ctrl_c_is_refereed(hard: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    held = find_method("harpagon").run(hard, *WHOLE_TC)
    assert held.plan is not None
    broken = replace(held, plan=replace(held.plan, cost=held.plan.cost / 2))

    def stopped(*_: object) -> Result:
        raise SolveInterrupted(broken)

    monkeypatch.setattr("harpagon.solvers.exact.solve.solve_exact", stopped)
    with pytest.raises(CheckFailedError):
        solve(hard, "exact", *WHOLE_TC)


@pytest.mark.parametrize("method", METHODS)
def test_a_start_plan_is_checked_and_reported(method: str, hard: Instance) -> None:
    best = solve_exact(hard, *WHOLE_TC).plan
    assert best is not None
    used = find_method(method).run(hard, *WHOLE_TC, SolverOptions(time_limit=0.0, start=best))
    assert used.plan == best
    assert used.solver.options["start"] == "used"
    other = replace(best, dispatch=Dispatch.FREE)
    refused = find_method(method).run(hard, *WHOLE_TC, SolverOptions(time_limit=0.0, start=other))
    assert str(refused.solver.options["start"]).startswith("refused: a plan for whole billing under free dispatch")
    broken = replace(best, cost=best.cost / 2)
    refused = find_method(method).run(hard, *WHOLE_TC, SolverOptions(time_limit=0.0, start=broken))
    assert "cost_per_hour" in str(refused.solver.options["start"])


@pytest.mark.parametrize("method", METHODS)
def test_a_gap_is_kept(method: str) -> None:
    instance = random_instance(random.Random(5), modules=(3, 3))
    optimum = solve_brute_force(instance, *WHOLE_TC).objective
    result = find_method(method).run(instance, *WHOLE_TC, SolverOptions(gap=0.5))
    assert optimum is not None
    assert result.plan is not None
    assert result.gap is not None
    assert result.gap <= 0.5
    assert result.dual_bound <= optimum * (1 + 1e-6)
