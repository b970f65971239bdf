"""Harpagon's latency reassigner: leftover latency turned into savings."""

from __future__ import annotations

from heuristic_cases import DISPATCHES, WORKED_PROFILE, module, random_instances

from harpagon.formulations.physics import TIME_TOLERANCE
from harpagon.formulations.problem import PipelineProblem, pipeline_problems
from harpagon.graphs import PathNetwork
from harpagon.graphs.shapes import chain
from harpagon.heuristics.fleet import left_over
from harpagon.heuristics.harpagon.latency_reassigner import reassign_latency
from harpagon.heuristics.harpagon.module_scheduler import schedule_module
from harpagon.heuristics.harpagon.plan import HarpagonOptions, Splitter, schedule_pipeline
from harpagon.heuristics.scheduling_rules import ModuleSchedule, SchedulingRules
from harpagon.instances.policies import APART, Billing, Dispatch

RULES = SchedulingRules(Billing.WHOLE, Dispatch.TC)


def two_modules(slo: float) -> PipelineProblem:
    modules = (module(198.0, *WORKED_PROFILE), module(99.0, *WORKED_PROFILE))
    return PipelineProblem("pipeline", slo, PathNetwork.from_graph(chain(2)), modules)


def scheduled(problem: PipelineProblem, budget: float) -> list[ModuleSchedule]:
    schedules = [schedule_module(one, budget, RULES) for one in problem.modules]
    assert None not in schedules
    return [schedule for schedule in schedules if schedule is not None]


def estimated(dispatch: Dispatch) -> HarpagonOptions:
    """The splitter that leaves most to the reassigner."""
    return HarpagonOptions(dispatch=dispatch, splitter=Splitter.ESTIMATE, reassignments=0)


def test_leftover_latency_goes_to_the_module_that_gains_most() -> None:
    problem = two_modules(slo=1.3)
    before = scheduled(problem, 0.3)
    after = reassign_latency(problem, before, RULES, rounds=1)
    assert [schedule.tuples == old.tuples for schedule, old in zip(after, before, strict=True)] == [False, True]
    assert after[0].cost == 5.0


def test_no_rounds_change_nothing() -> None:
    problem = two_modules(slo=1.3)
    before = scheduled(problem, 0.3)
    assert reassign_latency(problem, before, RULES, rounds=0) == before


def test_never_dearer_and_within_the_slo() -> None:
    improved = 0
    for instance in random_instances(60):
        (problem,) = pipeline_problems(instance)
        for billing in APART:
            for dispatch in DISPATCHES:
                rules = SchedulingRules(billing, dispatch)
                before = schedule_pipeline(problem, rules, estimated(dispatch))
                if before is None:
                    continue
                after = reassign_latency(problem, before, rules)
                assert problem.network.length([s.latency for s in after]) <= problem.slo + TIME_TOLERANCE
                costs = sum(s.cost for s in before), sum(s.cost for s in after)
                assert costs[1] <= costs[0]
                improved += costs[1] < costs[0]
    assert improved > 0


def test_left_over_counts_a_residual_by_its_fraction() -> None:
    schedule = schedule_module(
        module(50.0, (2, 0.1)), 0.4, SchedulingRules(Billing.FRACTIONAL, Dispatch.TC, dummies=False)
    )
    assert left_over({"gpu": 4.0, "other": 1.0}, [schedule]) == {"gpu": 1.5, "other": 1.0}
    assert left_over(None, [schedule]) is None
