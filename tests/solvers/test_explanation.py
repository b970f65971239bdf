"""Explanations: the path and its smallest reachable latency, the limit that binds, the smallest changes."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harpagon.cli import main
from harpagon.cli.exits import ExitCode
from harpagon.formulations.checker import check
from harpagon.formulations.problem import pipeline_problem
from harpagon.instances.files.instances import read_instance, write_instance
from harpagon.instances.generate import random_instance
from harpagon.instances.library.shipped import resolve, worked_example
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.enumeration.brute_force import solve_brute_force
from harpagon.solvers.exact.solve import solve_exact
from harpagon.solvers.result import Termination
from harpagon.solvers.sensitivity.changes import LooserSlo, MoreMachines, with_limits, with_rates, with_slos
from harpagon.solvers.sensitivity.explain import critical_paths, explain, path_report
from harpagon.solvers.sensitivity.remedies import Prober, find_remedy, smallest_steps
from studies.explanations.cases import cases

if TYPE_CHECKING:
    from harpagon.instances.instance import Instance
    from studies.explanations.cases import Case

BATCH_AWARE = (Dispatch.TC, Dispatch.FREE, Dispatch.PER_CONFIG, Dispatch.TC_SAFE, Dispatch.EDF)
SECONDS = 300.0
CASES = Path(__file__).parent.parent / "cases"


def tightened(instance: Instance, share: float, dispatch: Dispatch) -> Instance:
    """The instance with every SLO at ``share`` of the pipeline's smallest reachable latency."""
    slos = {p.name: share * path_report(pipeline_problem(instance, p), dispatch).reachable for p in instance.pipelines}
    return with_slos(instance, slos)


def test_worked_example_by_hand() -> None:
    instance = with_slos(worked_example(), {"example": 0.08})
    explanation = explain(instance, Billing.WHOLE, Dispatch.TC, SECONDS)
    (report,) = explanation.paths
    assert report.path == ("detect",)
    assert report.reachable == pytest.approx(0.1)
    assert report.shortfall == pytest.approx(0.02)
    (remedy,) = explanation.remedies
    assert remedy.change.values(instance, remedy.steps) == {"example": pytest.approx(100.1)}
    # b=2 takes 0.1 s and must collect within 0.1 ms: 20,000 req/s, at 20 req/s per machine.
    assert remedy.result.objective == pytest.approx(1000.0)
    assert remedy.practical is not None and remedy.practical.loose_cost == pytest.approx(5.0)
    assert remedy.practical.result.objective is not None and remedy.practical.result.objective <= 10.0


def test_round_robin_attains_twice_the_shortest_duration() -> None:
    instance = with_slos(worked_example(), {"example": 0.15})
    (remedy,) = explain(instance, Billing.WHOLE, Dispatch.ROUND_ROBIN, SECONDS).remedies
    assert remedy.change.values(instance, remedy.steps) == {"example": pytest.approx(200.0)}
    assert remedy.result.objective == pytest.approx(10.0)


def test_there_are_twenty_cases_of_different_causes() -> None:
    assert len(cases()) == len({case.cause for case in cases()}) == 20


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.cause)
def test_each_case_is_explained_and_its_changes_are_the_smallest(case: Case) -> None:
    instance, billing = case.instance, case.instance.billing
    explanation = explain(instance, billing, case.dispatch, SECONDS)
    assert explanation.result.termination is Termination.INFEASIBLE and explanation.complete
    assert {remedy.change.kind for remedy in explanation.remedies} == case.kinds
    for remedy in explanation.remedies:
        changed = remedy.change.apply(instance, remedy.steps)
        plan = remedy.result.plan
        assert plan is not None and check(changed, plan).ok
        assert remedy.smaller.termination is Termination.INFEASIBLE
    unlimited = with_limits(instance, dict.fromkeys(instance.hardware))
    missing = any(not report.feasible for report in explanation.paths)
    assert missing == (solve_exact(unlimited, billing, case.dispatch).termination is Termination.INFEASIBLE)


@pytest.mark.parametrize("number", [12, 13, 16])
def test_brute_force_agrees_on_both_sides_of_a_change(number: int) -> None:
    case = cases()[number]
    for remedy in explain(case.instance, case.instance.billing, case.dispatch, SECONDS).remedies:
        for steps, feasible in ((remedy.steps, True), (remedy.steps - 1, False)):
            changed = remedy.change.apply(case.instance, steps)
            result = solve_brute_force(changed, case.instance.billing, case.dispatch)
            assert (result.plan is not None) == feasible


@pytest.mark.parametrize("seed", range(4))
def test_infeasible_agrees_with_brute_force(seed: int) -> None:
    instance = random_instance(random.Random(100 + seed), modules=(1, 2), machines=2.0)
    for share in (0.5, 0.999):
        tight = tightened(instance, share, Dispatch.TC)
        assert any(not path_report(pipeline_problem(tight, p), Dispatch.TC).feasible for p in tight.pipelines)
        assert solve_brute_force(tight, Billing.WHOLE, Dispatch.TC).termination is Termination.INFEASIBLE


@pytest.mark.parametrize("dispatch", BATCH_AWARE)
def test_the_bound_is_approached_but_not_attained(dispatch: Dispatch) -> None:
    report = path_report(pipeline_problem(worked_example(), worked_example().pipelines[0]), dispatch)
    assert not report.attained
    assert not replace(report, slo=report.reachable).feasible
    assert replace(report, slo=report.reachable * 1.001).feasible


def test_critical_paths_of_a_plan_are_as_long_as_its_latency() -> None:
    instance = random_instance(random.Random(5), shape="skip", modules=(4, 5))
    plan = solve_exact(instance, Billing.WHOLE, Dispatch.TC).plan
    assert plan is not None
    (pipeline,), (planned,) = instance.pipelines, plan.pipelines
    paths = critical_paths(instance, plan)[pipeline.name]
    assert paths
    for path in paths:
        transfers = sum(pipeline.graph.edges[edge].get("transfer", 0.0) for edge in pairwise(path))
        assert sum(planned.modules[name].latency for name in path) + transfers == pytest.approx(planned.latency)


def test_worths_are_differences_of_optima() -> None:
    instance = resolve("traffic-198rps-350ms")
    explanation = explain(instance, Billing.FRACTIONAL, Dispatch.TC, SECONDS)
    assert [worth.change.kind for worth in explanation.worths] == ["slo", "rate"]
    looser = with_slos(instance, {"traffic": 0.351})
    lighter = with_rates(instance, {"traffic": 198 * 0.99})
    for worth, other in zip(explanation.worths, (looser, lighter), strict=True):
        objective = solve_exact(other, Billing.FRACTIONAL, Dispatch.TC).objective
        assert explanation.result.objective is not None and objective is not None
        assert worth.saving == pytest.approx(explanation.result.objective - objective)
    assert explanation.worths[1].saving > 0


def test_only_in_fractional_billing_does_cost_move_between_steps(capfd: pytest.CaptureFixture[str]) -> None:
    instance = with_slos(worked_example(), {"example": 0.3})
    for billing, costs in ((Billing.WHOLE, 1), (Billing.FRACTIONAL, 3)):
        slos = (0.3, 0.3001, 0.3002)
        found = {solve_exact(with_slos(instance, {"example": slo}), billing, Dispatch.PACED).objective for slo in slos}
        assert len(found) == costs
        assert explain(instance, billing, Dispatch.PACED, SECONDS).moves_in_steps is (costs == 1)
    for billing, words in (("whole", "moves in steps"), ("fractional", "between steps")):
        main(["explain", "worked-example", "--billing", billing])
        assert words in capfd.readouterr().out


def test_one_more_machine_of_a_binding_limit_saves_money() -> None:
    feasible = with_limits(cases()[15].instance, {"T4": 4, "V100": 5})
    saving = {w.change.targets: w.saving for w in explain(feasible, Billing.WHOLE, Dispatch.TC, SECONDS).worths}
    # 150 req/s: three T4 and a V100, or five T4.
    assert saving["T4",] == pytest.approx(3.06 - 2 * 0.53)
    assert saving["V100",] == 0


def test_smallest_steps_of_every_threshold() -> None:
    for threshold in range(1, 40):
        assert smallest_steps(lambda steps, least=threshold: steps >= least, 39) == threshold
    assert smallest_steps(lambda steps: False, 39) is None


def test_no_time_leaves_questions_open() -> None:
    explanation = explain(with_slos(worked_example(), {"example": 0.08}), Billing.WHOLE, Dispatch.TC, 0.0)
    assert not explanation.complete and not explanation.remedies


def test_looser_slos_of_several_pipelines_share_a_factor() -> None:
    instance = cases()[7].instance
    slos = [p.slo for p in LooserSlo(("first", "second")).apply(instance, 100).pipelines]
    assert slos == pytest.approx([0.033, 0.044])


def test_command_names_the_limit_and_the_changes(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "short.json"
    write_instance(path, cases()[12].instance)
    assert main(["explain", str(path)]) == ExitCode.NO_PLAN
    text = capfd.readouterr().out
    assert "T4 binds: 2 more machines would do" in text and "rate_rps of a 200 -> 133.2" in text
    assert main(["explain", str(path), "--json"]) == ExitCode.NO_PLAN
    document = json.loads(capfd.readouterr().out)
    assert [remedy["change"] for remedy in document["remedies"]] == ["rate_rps", "limit"]
    assert {remedy["a_step_less"]["status"] for remedy in document["remedies"]} == {"infeasible"}


@pytest.mark.parametrize(
    ("name", "slo"), [("mall-unreachable-slo.yaml", 14.8), ("mall-unreachable-slo-limit.yaml", 17.3)]
)
def test_the_smallest_slo_is_one_that_is_met(name: str, slo: float) -> None:
    """14.7 ms can be approached but not reached; six machines of the quick type carry so much and no more."""
    instance = read_instance(CASES / name)
    explanation = explain(instance, Billing.WHOLE, Dispatch.TC, 20.0)
    (remedy,) = (remedy for remedy in explanation.remedies if remedy.change.kind == "slo")
    changed = remedy.change.apply(instance, remedy.steps)
    assert changed.pipelines[0].slo * 1e3 == pytest.approx(slo)
    assert remedy.result.plan is not None and check(changed, remedy.result.plan).ok
    assert remedy.smaller.termination is Termination.INFEASIBLE
    assert all(not report.feasible for report in explanation.paths)


def test_short_capacity_has_one_consistent_answer() -> None:
    """5 machines of g3 serve 278 of 654 req/s; 12 would do, and 11 would not."""
    instance = read_instance(CASES / "capacity-below-rate.json")
    explanation = explain(instance, Billing.FRACTIONAL, Dispatch.EDF, 20.0)
    assert explanation.result.termination is Termination.INFEASIBLE and explanation.complete
    found = {remedy.change.kind: remedy for remedy in explanation.remedies}
    assert found["machines"].change.values(instance, found["machines"].steps) == {"g3": 12}
    assert found["machines"].smaller.termination is Termination.INFEASIBLE
    assert 277 < found["rate"].change.values(instance, found["rate"].steps)["p0"] < 278
    assert "slo" not in found


def test_more_machines_are_found_where_limits_leave_nothing() -> None:
    instance = read_instance(CASES / "no-plan-within-limits.json")
    change = MoreMachines(("g0",))
    remedy = find_remedy(instance, change, Prober(Billing.WHOLE, Dispatch.TC, math.inf))
    assert remedy is not None and remedy.result.plan is not None
    assert check(change.apply(instance, remedy.steps), remedy.result.plan).ok
    assert remedy.smaller.termination is Termination.INFEASIBLE


def test_a_remedy_whose_plan_is_not_found_again_in_time_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A change known to help, and no time left to solve it: no remedy is shown, and the answer says so."""
    instance = with_slos(worked_example(), {"example": 0.08})
    (remedy,) = explain(instance, Billing.WHOLE, Dispatch.TC, SECONDS).remedies
    empty = replace(remedy.result, plan=None, termination=Termination.LIMIT)
    monkeypatch.setattr(Prober, "solve", lambda *_: empty)
    monkeypatch.setattr(Prober, "feasible", lambda *_: True)
    prober = Prober(Billing.WHOLE, Dispatch.TC, math.inf)
    assert find_remedy(instance, remedy.change, prober) is None
    assert prober.undecided
