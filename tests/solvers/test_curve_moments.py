"""Long pipelines in fractional billing: points, grids and prices of moments, against what is known to be optimal."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from harpagon.formulations.planning.data import PlanningData
from harpagon.formulations.problem import pipeline_problems
from harpagon.graphs import PathNetwork
from harpagon.graphs.shapes import chain, random_dag, tree
from harpagon.instances.files.instances import read_instance
from harpagon.instances.instance import Configuration, Hardware, Instance, Pipeline
from harpagon.instances.library.profiles import library, library_hardware
from harpagon.instances.policies import Billing, Dispatch
from harpagon.instances.reference import reference_latency
from harpagon.solvers.exact import column_generation, curve_moments, curve_pricing, solve
from harpagon.solvers.exact.covers import Covers
from harpagon.solvers.exact.curve_moments import CurveMoments
from harpagon.solvers.exact.curve_pricing import ModuleCurves
from harpagon.solvers.exact.curve_table import CurveTable, Jump
from harpagon.solvers.exact.effort import Effort
from harpagon.solvers.exact.grid_prices import GridPrices
from harpagon.solvers.exact.pipeline import PipelineSearch
from harpagon.solvers.exact.point_generation import PointGeneration
from harpagon.solvers.exact.pricing import LIST_PRICES, Pricing
from harpagon.solvers.exact.quickest_structures import QuickestStructures
from harpagon.solvers.exact.schedule import ScheduleSearch
from harpagon.solvers.exact.solve import solve_exact
from harpagon.solvers.exact.structure_listing import Line, structures_below
from harpagon.solvers.models.model_method import first_start
from harpagon.solvers.options import SolverOptions
from harpagon.solvers.result import SolveInterrupted, Termination

if TYPE_CHECKING:
    from harpagon.formulations.problem import ModuleProblem

BILLING = Billing.FRACTIONAL
PROVEN = 2e-7
CASES = Path(__file__).parents[1] / "cases"


def draw(seed: int, pipelines: int = 1, most: int = 8) -> Instance:
    """Small trees and DAGs of shipped models, objectives from tight to loose."""
    rng = random.Random(seed)
    drawn = []
    for number in range(pipelines):
        modules = rng.randint(2, most)
        graph = tree(modules) if rng.random() < 0.3 else random_dag(modules, rng, density=rng.choice((0.2, 0.5)))
        for _, data in graph.nodes(data=True):
            data["model"] = rng.choice(sorted(library()))
        rate = float(rng.choice((20, 100, 300)))
        slo = rng.choice((1.1, 1.5, 2, 3)) * reference_latency(graph, rate, library())
        drawn.append(Pipeline(f"p{number}", rate, slo, graph))
    return Instance("drawn", BILLING, library_hardware(), library(), tuple(drawn))


def module_of(seed: int) -> ModuleProblem:
    (problem,) = pipeline_problems(draw(seed))
    return problem.modules[0]


def curves_of(module: ModuleProblem, latest: float, dispatch: Dispatch) -> ModuleCurves:
    earliest = min(c.duration for c in module.configurations)
    return ModuleCurves(module, earliest, latest, BILLING, dispatch, Effort())


@pytest.mark.parametrize("seed", range(8))
def test_least_of_all_curves_is_no_more_than_any_schedule_and_reached(seed: int) -> None:
    rng, module, dispatch = random.Random(seed), module_of(seed), (Dispatch.TC, Dispatch.PACED)[seed % 2]
    kind = curves_of(module, 20 * min(c.duration for c in module.configurations), dispatch)
    surcharges = {name: rng.uniform(0, 0.3) for name in library_hardware()} if seed % 4 > 1 else {}
    curves = kind.under(surcharges)
    search = ScheduleSearch(module, BILLING, dispatch, curves.pricing)
    budgets = [kind.earliest + (kind.latest - kind.earliest) * 0.8**power for power in range(25)]
    points = [point for point in map(search.cheapest, budgets) if point is not None]
    for _ in range(6):
        second = curves.cheapest / kind.earliest * 10 ** rng.uniform(-1.5, 1)
        found = curves.least(second, 1e-9)
        assert found.bound <= min(point.cost + second * point.latency for point in points) * (1 + 1e-9)
        assert found.known.value == pytest.approx(found.bound, abs=2e-9)
        schedule = found.curve.structure.schedule(found.curve.structure.rate(found.known.latency))
        charge = curves.pricing.charge_of(schedule) + second * module.latency(schedule, dispatch)
        assert charge <= found.known.value * (1 + 1e-9)


def test_a_bound_between_two_proven_prices_needs_no_search(monkeypatch: pytest.MonkeyPatch) -> None:
    module = module_of(2)
    curves = curves_of(module, 1.0, Dispatch.TC).under({})
    second = curves.cheapest * 5
    low, high = curves.least(second, 0.0), curves.least(2 * second, 0.0)
    between = curves.bound(1.5 * second)
    assert between >= (low.bound + high.bound) / 2 * (1 - 1e-12)
    monkeypatch.setattr(curves, "_list_below", pytest.fail)
    assert curves.least(1.5 * second, curves.known(1.5 * second)[0].value - between).bound == between


def test_looks_that_end_early_leave_the_bound_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for dispatch in (Dispatch.TC, Dispatch.EDF, Dispatch.PACED):
        module, second = module_of(3), 50.0
        known = curves_of(module, 0.5, dispatch).under({}).least(second, 0.0)
        monkeypatch.setattr(curve_pricing, "_LOOK", 0)
        hasty = curves_of(module, 0.5, dispatch).under({}).least(second, 0.0)
        monkeypatch.undo()
        assert hasty.bound == pytest.approx(known.bound, rel=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_a_table_is_the_cost_at_its_grid_and_below_it_elsewhere(seed: int) -> None:
    rng, module, dispatch = random.Random(seed), module_of(seed), (Dispatch.TC, Dispatch.PACED)[seed % 2]
    kind = curves_of(module, 12 * min(c.duration for c in module.configurations), dispatch)
    search, cells = ScheduleSearch(module, BILLING, dispatch), 25
    cap, cell = 8 * kind.under({}).cheapest, kind.latest / cells
    for structure in structures_below(
        module, Line(cap, 0.0), kind.earliest, kind.latest, dispatch, LIST_PRICES, kind.effort
    ):
        kind.add(structure)
    table = CurveTable.of(kind.under({}).all(), kind.earliest, cap, cell, cells)
    assert np.isfinite(table.cost).sum() > 10
    for k in range(cells):
        point = search.cheapest(k * cell, cap) if k else None
        assert table.cost[k] == pytest.approx(np.inf if point is None else point.cost, rel=1e-9)
        for _ in range(5):
            share = rng.random()
            point = search.cheapest((k + share) * cell)
            begins = [(0.0, table.under[k]), *((jump.share, jump.cost) for jump in table.jumps if jump.cell == k)]
            below = [
                cost + (share - begin) / (1 - begin) * (table.under[k + 1] - cost)
                for begin, cost in begins
                if begin <= share and np.isfinite(cost)
            ]
            if point is not None:
                assert min(below) <= point.cost * (1 + 1e-9)
    for jump in table.jumps:
        point = search.cheapest((jump.cell + jump.share) * cell * (1 + 1e-12))
        assert point is not None
        beside = [one.cost for one in table.jumps if one.cell == jump.cell and one.share <= jump.share * (1 + 1e-9)]
        assert min(beside) <= point.cost * (1 + 1e-9)


def test_lines_of_one_curve_stay_below_it_from_where_it_begins() -> None:
    known = [curve for seed in range(6) for curve in curves_of(module_of(seed), 1.0, Dispatch.TC).under({}).all()]
    curves = [curve for curve in known if curve.unit and curve.high > 1.01 * curve.low]
    assert len(curves) > 3
    for curve in curves:
        cell = (curve.high - curve.low) / 7.3
        cells = int(curve.high / cell) + 1
        table = CurveTable.of([curve], curve.low / 2, 1e9, cell, cells)
        (jump,) = table.jumps
        assert (jump.cell + jump.share) * cell == pytest.approx(curve.low)
        for step in range(100):
            latency = curve.low + (curve.high - curve.low) * step / 100
            k, share = divmod(latency / cell, 1)
            left, begin = (jump.cost, jump.share) if k == jump.cell else (table.under[int(k)], 0.0)
            line = left + max(0.0, share - begin) / (1 - begin) * (table.under[int(k) + 1] - left)
            assert line <= curve.cost(latency) * (1 + 1e-9)


def test_grid_prices_bound_every_choice_and_are_exact_where_no_module_has_two_predecessors() -> None:
    for seed in range(40):
        rng = random.Random(seed)
        is_tree = seed % 2 == 0
        graph = tree(rng.randint(2, 5)) if is_tree else random_dag(rng.randint(2, 5), rng, density=0.6)
        for _, _, data in graph.edges(data=True):
            data["transfer"] = rng.choice((0.0, 0.0, 1.0, 2.0, 0.5 + seed % 3))
        network, cells = PathNetwork.from_graph(graph), 12
        costs = [np.minimum.accumulate([np.inf, *(rng.uniform(0, 9) for _ in range(6))]) for _ in network.modules]
        choices = [
            choice
            for choice in product(range(1, 7), repeat=len(costs))
            if network.length([float(k) for k in choice]) <= cells
        ]
        least = min((sum(own[k] for own, k in zip(costs, one, strict=True)) for one in choices), default=np.inf)
        prices = GridPrices(network, cells, 1.0, np.zeros((len(network.edges()), cells + 1)), Effort(), rounded=False)
        prices.take(costs)
        for _ in range(3):
            bound = prices.sweep_back(1e3)
            assert bound <= least + 1e-9
            charged = [prices.at_latencies(m) for m in range(len(costs))]
            assert sum(own.min() for own in charged) == pytest.approx(bound)
            for m in range(len(costs)):
                beyond = charged[m] - charged[m].min()
                for choice in choices:
                    cost = sum(own[k] for own, k in zip(costs, choice, strict=True))
                    assert bound + beyond[choice[m]] <= cost + 1e-6
            if is_tree and choices and all(transfer == int(transfer) for transfer in network.edges().values()):
                assert bound == pytest.approx(least)
            prices.sweep_there(1e3)
        plans = GridPrices(network, cells, 1.0, prices.prices, Effort(), rounded=True)
        plans.take(costs)
        picked = plans.choice()
        assert picked is None or network.length([float(k) for k in picked]) <= cells


def test_a_jump_off_the_grid_counts_at_its_own_latency() -> None:
    """Two modules of 2.5 cells one after the other take 5, not 4 and not 6."""
    network = PathNetwork.from_graph(tree(2))
    costs = [np.array([np.inf, np.inf, 9.0, 1.0, 1.0, 1.0])] * 2
    for cells, bound in ((5, 2.0), (4, 18.0)):
        prices = GridPrices(network, cells, 1.0, np.zeros((1, cells + 1)), Effort(), rounded=False)
        prices.take([own[: cells + 1] for own in costs], [[Jump(2, 0.5, 1.0)]] * 2)
        found = prices.sweep_back(100.0)
        assert found <= bound + 1e-9
        assert found >= bound - 1e-9 if cells == 5 else found > 2.0
        charged = prices.at_latencies(0)
        assert cells == 4 or charged[2] == charged.min()
        prices.sweep_there(100.0)
        assert np.isfinite(prices.prices).all()


def test_prices_stay_numbers_where_data_come_too_late() -> None:
    graph = tree(2)
    for _, _, data in graph.edges(data=True):
        data["transfer"] = 1.0
    network, costs = PathNetwork.from_graph(graph), [np.array([np.inf, np.inf, np.inf, 1.0, 1.0, 1.0])] * 2
    prices = GridPrices(network, 6, 1.0, np.zeros((1, 7)), Effort(), rounded=False)
    prices.take(costs, [[Jump(2, 0.5, 1.0)]] * 2)
    for _ in range(2):
        assert prices.sweep_back(100.0) == pytest.approx(2.0)
        prices.sweep_there(100.0)
        assert np.isfinite(prices.prices).all()


@pytest.mark.parametrize("dispatch", [Dispatch.TC, Dispatch.PACED, Dispatch.EDF])
def test_bounds_hold_and_plans_are_near_where_the_optimum_is_known(
    dispatch: Dispatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curve_moments, "_MOST_CELLS", 2_000)
    for seed in range(200, 206):
        instance = draw(seed)
        known = solve_exact(instance, BILLING, dispatch)
        assert known.plan is not None
        task = first_start(instance, BILLING, dispatch, SolverOptions()).task
        data = PlanningData.compile(instance, task.problems, BILLING, dispatch, task.budget)
        points = PointGeneration(task, data, Effort())
        assert points.run()
        assert points.mixture is not None
        assert points.bound >= points.mixture.value * (1 - 1e-6)
        assert points.bound <= known.plan.cost * (1 + 1e-9)
        moments = CurveMoments(points)
        moments.run()
        assert points.bound <= moments.bound <= known.plan.cost * (1 + 1e-9)
        assert moments.bound >= known.plan.cost * (1 - 2e-3)
        assert known.plan.cost * (1 - PROVEN) <= task.incumbent.cost <= known.plan.cost * 1.05


def test_no_latency_of_a_better_plan_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bounds of finer cells hold where no better plan is found on the way."""
    monkeypatch.setattr(curve_moments, "_MOST_CELLS", 2_000)
    monkeypatch.setattr(curve_moments._Level, "_offer", lambda level, latencies: None)
    for seed in (19, 25, 26, 55, 57, 60):
        instance = draw(seed)
        known = solve_exact(instance, BILLING, Dispatch.TC).plan
        assert known is not None
        task = first_start(instance, BILLING, Dispatch.TC, SolverOptions()).task
        task.incumbent.plan = replace(known, cost=known.cost * (1 + 1e-6))
        points = PointGeneration(
            task, PlanningData.compile(instance, task.problems, BILLING, Dispatch.TC, 1e3), Effort()
        )
        points.run()
        moments = CurveMoments(points)
        moments.run()
        assert moments.bound <= known.cost * (1 + 1e-9)


@pytest.mark.parametrize("dispatch", [Dispatch.TC, Dispatch.PACED])
def test_a_surcharge_is_a_dearer_machine(dispatch: Dispatch) -> None:
    for seed in range(40, 46):
        instance, rng = draw(seed, most=4), random.Random(seed)
        surcharges = {name: rng.uniform(0, 2) for name in instance.hardware}
        (problem,) = pipeline_problems(instance)
        search = PipelineSearch(problem, BILLING, dispatch, SolverOptions(), Effort(), Covers(Pricing(surcharges)))
        found = search.run()
        dearer = {
            name: replace(one, price=one.price + surcharges[name], limit=None)
            for name, one in instance.hardware.items()
        }
        profiles = {
            model: tuple(replace(c, price=c.price + surcharges[c.hardware]) for c in profile)
            for model, profile in instance.profiles.items()
        }
        known = solve_exact(replace(instance, hardware=dearer, profiles=profiles), BILLING, dispatch).plan
        assert known is not None
        assert found.plan is not None
        assert found.plan.cost == pytest.approx(known.cost, rel=PROVEN)
        assert found.dual_bound <= known.cost * (1 + 1e-9)
        assert found.dual_bound >= known.cost * (1 - PROVEN)


@pytest.mark.parametrize("dispatch", [Dispatch.TC, Dispatch.PACED])
def test_pipelines_under_limits_have_a_bound_of_whole_choices(
    dispatch: Dispatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(3):
        instance = draw(seed, pipelines=3, most=2)
        loose = solve_exact(instance, BILLING, dispatch).plan
        assert loose is not None
        used = loose.usage()
        name = max(used, key=used.__getitem__)
        hardware = {**instance.hardware, name: replace(instance.hardware[name], limit=max(1, int(0.7 * used[name])))}
        limited = replace(instance, hardware=hardware)
        known = solve_exact(limited, BILLING, dispatch, SolverOptions(time_limit=20))
        monkeypatch.setattr(column_generation, "_FEW", 0)
        monkeypatch.setattr(QuickestStructures, "run", lambda search: (search.task.floor, False))
        found = solve_exact(limited, BILLING, dispatch)
        monkeypatch.undo()
        if known.termination is Termination.OPTIMAL:
            assert known.plan is not None
            assert found.plan is not None
            assert found.dual_bound <= known.plan.cost * (1 + 1e-9)
            assert found.plan.cost >= known.plan.cost * (1 - PROVEN)
            assert found.dual_bound >= loose.cost * (1 - PROVEN)


def test_a_proof_holds_where_shares_of_machines_are_tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifteen modules whose machines are used to a ten-millionth: solvers keep rows to 1e-9 of a machine."""
    instance = read_instance(CASES / "tiny-shares-chain.json")
    found = solve_exact(instance, BILLING, Dispatch.PACED)
    monkeypatch.setattr(solve, "LONG", 100)
    known = solve_exact(instance, BILLING, Dispatch.PACED)
    assert known.plan is not None
    assert found.plan is not None
    assert found.termination is Termination.OPTIMAL
    assert found.plan.cost == pytest.approx(known.plan.cost, rel=PROVEN)


def test_the_only_machine_stays_however_little_it_does() -> None:
    hardware, batches = {"a": Hardware("a", 1.0)}, (Configuration("a", 1, 1e-7, 1.0), Configuration("a", 8, 3e-7, 1.0))
    graph = chain(2)
    for _, data in graph.nodes(data=True):
        data["model"] = "x"
    instance = Instance("idle", BILLING, hardware, {"x": batches}, (Pipeline("p", 1e-3, 1000.0, graph),))
    for dispatch in (Dispatch.TC, Dispatch.PACED):
        found = solve_exact(instance, BILLING, dispatch)
        assert found.plan is not None
        assert all(module.tuples for module in found.plan.pipelines[0].modules.values())


def test_a_residual_that_fills_its_machine_is_a_full_machine() -> None:
    unit = 0.0006143193095744063
    profiles = {
        "a": tuple(Configuration("g", batch, 2 * batch * unit, 1.5) for batch in (2, 4)),
        "b": tuple(Configuration("g", batch, batch * unit, 1.5) for batch in (1, 2, 4, 8)),
    }
    for models in ("baab", "baab" * 4):
        graph = chain(len(models))
        for (_, data), model in zip(graph.nodes(data=True), models, strict=True):
            data["model"] = model
        for number, (_, _, data) in enumerate(graph.edges(data=True)):
            data["fanout"] = (2.0, 2.0, 0.5, 0.5)[number % 4]
        slo = 0.005 * len(models)
        pipeline = Pipeline("p", 813.9089756862675, slo, graph)
        instance = Instance("filled", BILLING, {"g": Hardware("g", 1.5)}, profiles, (pipeline,))
        found = solve_exact(instance, BILLING, Dispatch.PACED, SolverOptions(time_limit=5))
        assert found.plan is not None
        if len(models) == 4:
            assert found.plan.cost == pytest.approx(11.25, rel=1e-8)


def test_what_is_held_outlives_ctrl_c_in_the_search_for_a_whole_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = draw(200, most=8)
    known = solve_exact

    def stopped(*arguments: object, **more: object) -> object:
        if arguments[1] is Billing.WHOLE:
            raise KeyboardInterrupt
        return known(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(solve, "LONG", 0)
    monkeypatch.setattr(solve, "solve_exact", stopped)
    with pytest.raises(SolveInterrupted) as caught:
        known(instance, BILLING, Dispatch.TC)
    assert caught.value.result.plan is not None
