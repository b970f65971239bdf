"""Fractional billing by curves: the least point of one, and optima that a bound over a part of them misses."""

from __future__ import annotations

import math
import random

import pytest

from harpagon.formulations.problem import pipeline_problems
from harpagon.formulations.structures import structures_with
from harpagon.graphs.shapes import chain
from harpagon.instances.instance import Configuration, Hardware, Instance, Pipeline
from harpagon.instances.library.benchmarks import benchmark_path, read_benchmarks
from harpagon.instances.library.shipped import resolve
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.exact import solve
from harpagon.solvers.exact.curve import Curve
from harpagon.solvers.exact.curve_master import CurveMaster
from harpagon.solvers.exact.quickest_structures import QuickestStructures
from harpagon.solvers.exact.solve import solve_exact
from harpagon.solvers.methods import find_method
from harpagon.solvers.result import Result, SolveInterrupted, Termination

POLICIES = (Dispatch.FREE, Dispatch.EDF, Dispatch.PACED, Dispatch.TC_SAFE)


@pytest.mark.parametrize("dispatch", POLICIES)
def test_least_point_of_a_curve_is_below_a_grid_of_its_points(dispatch: Dispatch) -> None:
    rng = random.Random(3)
    (problem,) = pipeline_problems(resolve("pose-316rps-89ms-V100+T4+A100"))
    compared = 0
    for _ in range(60):
        module = rng.choice(problem.modules)
        *others, residual = rng.sample(module.configurations, 4)
        full = tuple(DispatchTuple.full(c, rng.randint(1, 2)) for c in others[: rng.randint(0, 3)])
        for structure in structures_with(full, residual, module, dispatch):
            if structure.quickest == math.inf:
                continue
            curve = Curve(structure, structure.quickest * rng.choice((1.01, 1.3, 3)))
            second = 10 ** rng.uniform(-2, 5)
            least = curve.least(second)
            grid = [curve.low + (curve.high - curve.low) * step / 50 for step in range(51)]
            assert least.value <= min(curve.cost(latency) + second * latency for latency in grid) * (1 + 1e-9)
            share = structure.rate(least.latency) / residual.throughput
            assert least.cost == pytest.approx(curve.fixed + residual.price * share, rel=1e-9)
            compared += 1
    assert compared > 30


@pytest.mark.parametrize("dispatch", [Dispatch.TC, Dispatch.FREE])
@pytest.mark.parametrize(
    "name",
    [
        "traffic-79rps-158ms-T4+A100",
        "caption-398rps-178ms-V100+T4+A100",
        "actdet-501rps-112ms-V100+T4+A100",
        "caption-631rps-63ms-T4+A100",
    ],
)
def test_optimum_uses_structures_that_no_sample_finds(name: str, dispatch: Dispatch) -> None:
    stored = {one.case: one.best for one in read_benchmarks(benchmark_path("paper"))}
    result = solve_exact(resolve(name), Billing.FRACTIONAL, dispatch)
    assert result.termination is Termination.OPTIMAL
    assert result.objective == pytest.approx(stored[name, Billing.FRACTIONAL, dispatch], rel=2e-7)
    assert result.dual_bound == pytest.approx(result.objective, rel=2e-7)
    assert "columns" not in result.solver.options, "solved by branch and bound over curves alone"


def test_a_branch_whose_quickest_curves_are_nearly_too_slow_is_closed() -> None:
    """There a second costs more than any price at which a plan could be bought off."""
    result = solve_exact(resolve("caption-1259rps-141ms-V100+T4+A100"), Billing.FRACTIONAL, Dispatch.TC)
    assert result.termination is Termination.OPTIMAL
    assert "columns" not in result.solver.options


def test_a_master_of_curves_that_are_too_slow_together_has_no_choice() -> None:
    (problem,) = pipeline_problems(resolve("pose-316rps-89ms-V100+T4+A100"))
    configurations = [module.configurations[0] for module in problem.modules]
    structures = [
        next(iter(structures_with((DispatchTuple.full(c, 9),), None, module, Dispatch.TC)))
        for c, module in zip(configurations, problem.modules, strict=True)
    ]
    curves = [[Curve(structure, structure.quickest)] for structure in structures]
    length = problem.network.length([structure.quickest for structure in structures])
    for slo, bound in ((length * 1.001, sum(one.cost(one.low) for (one,) in curves)), (length * 0.999, math.inf)):
        assert CurveMaster(problem.network, slo, 1.0).relax(curves, math.inf).bound == pytest.approx(bound)


@pytest.fixture
def only_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """No search over curves, and none over columns in fractional billing: what is left is the plan to start from."""
    monkeypatch.setattr(solve, "QUICK_OVER_CURVES", 0)
    monkeypatch.setattr(QuickestStructures, "run", lambda search: (search.task.floor, False))


@pytest.mark.usefixtures("only_the_start")
def test_column_generation_starts_from_a_plan_of_whole_billing() -> None:
    instance = resolve("sixty-configurations-dag")
    whole = solve_exact(instance, Billing.WHOLE, Dispatch.PACED)
    started = solve_exact(instance, Billing.FRACTIONAL, Dispatch.PACED)
    assert whole.objective is not None
    assert started.objective is not None
    assert started.termination is Termination.FEASIBLE
    assert started.objective <= whole.objective * 1.01


@pytest.mark.usefixtures("only_the_start")
def test_ctrl_c_while_the_start_is_made_ends_the_solve_with_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = resolve("sixty-configurations-dag")
    held = solve_exact(instance, Billing.WHOLE, Dispatch.PACED)

    def interrupted(*_: object) -> Result:
        raise SolveInterrupted(held)

    monkeypatch.setattr(solve, "solve_exact", interrupted)
    with pytest.raises(SolveInterrupted) as raised:
        solve_exact(instance, Billing.FRACTIONAL, Dispatch.PACED)
    assert held.objective is not None
    assert raised.value.result.objective is not None
    assert raised.value.result.objective <= held.objective * (1 + 1e-9)


def test_a_machine_busy_all_the_time_at_its_worst_is_paid_for_by_its_mean() -> None:
    """Its residual serves just what batches at their stated quantile allow, nine tenths of what they do in the mean."""
    rate = 7.5
    busy = Configuration("g", 1, 1 / rate, 1.0, mean=0.9 / rate)
    other = Configuration("g", 2, 0.64 / 3, 1.0, mean=0.9 * 0.64 / 3)
    graph = chain(2)
    for (_, data), model in zip(graph.nodes(data=True), "ab", strict=True):
        data["model"] = model
    instance = Instance(
        "busy",
        Billing.FRACTIONAL,
        {"g": Hardware("g", 1.0)},
        {"a": (busy,), "b": (other,)},
        (Pipeline("p", rate, 0.55, graph),),
    )
    for method in ("exact", "brute-force"):
        result = find_method(method).run(instance, Billing.FRACTIONAL, Dispatch.PACED)
        assert result.plan is not None
        assert result.plan.pipelines[0].modules["m0"].cost == pytest.approx(0.9)


def test_full_machines_may_leave_a_residual_just_what_its_machine_serves_at_worst() -> None:
    busy = Configuration("g", 1, 1 / 7.5, 1.0, mean=0.9 / 7.5)
    graph = chain(1)
    for _, data in graph.nodes(data=True):
        data["model"] = "a"
    pipelines = (Pipeline("p", 15.0, 0.8, graph),)
    instance = Instance("busy", Billing.FRACTIONAL, {"g": Hardware("g", 1.0)}, {"a": (busy,)}, pipelines)
    (problem,) = pipeline_problems(instance)
    full = (DispatchTuple.full(busy, 1),)
    structures = structures_with(full, busy, problem.modules[0], Dispatch.PACED)
    assert any(one.least <= one.most and one.quickest < 0.5 for one in structures)


def test_points_of_capacity_profiles_leave_a_residual_what_they_do_not_serve() -> None:
    points = (Configuration("g", 0, 0.03, 1.0, capacity=3.0), Configuration("g", 0, 0.1, 1.0, capacity=4.5))
    graph = chain(2)
    for _, data in graph.nodes(data=True):
        data["model"] = "a"
    pipelines = (Pipeline("p", 10.0, 0.15, graph),)
    instance = Instance("stated", Billing.FRACTIONAL, {"g": Hardware("g", 1.0)}, {"a": points}, pipelines)
    for method in ("exact", "brute-force"):
        result = find_method(method).run(instance, Billing.FRACTIONAL, Dispatch.PACED)
        assert result.plan is not None
        assert result.plan.cost == pytest.approx(10 / 3 + 10 / 4.5)
