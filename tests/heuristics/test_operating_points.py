"""Operating points: the figures latency splitters work with."""

from __future__ import annotations

import pytest
from heuristic_cases import DISPATCHES, WORKED_PROFILE, module, modules
from hypothesis import given
from hypothesis import strategies as st

from harpagon.formulations.problem import ModuleProblem
from harpagon.heuristics.harpagon.module_scheduler import schedule_module
from harpagon.heuristics.harpagon.operating_points import estimated_points, throughput_points
from harpagon.heuristics.scheduling_rules import SchedulingRules
from harpagon.instances.policies import APART, Billing, Dispatch

EXAMPLE = module(198.0, *WORKED_PROFILE)


def rounded(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(round(latency, 4), round(value, 4)) for latency, value in points]


def test_worked_example_with_and_without_dummies() -> None:
    without = estimated_points(EXAMPLE, SchedulingRules(Billing.FRACTIONAL, Dispatch.TC, dummies=False))
    assert rounded(without) == [(0.2111, 9.9), (0.2904, 6.1875), (0.9616, 4.95)]
    padded = estimated_points(EXAMPLE, SchedulingRules(Billing.WHOLE, Dispatch.TC))
    assert rounded(padded) == [(0.11, 10.0), (0.2857, 7.0), (0.96, 5.0)]


def test_round_robin_takes_twice_the_duration() -> None:
    points = estimated_points(EXAMPLE, SchedulingRules(Billing.WHOLE, Dispatch.ROUND_ROBIN))
    assert [point.latency for point in points] == pytest.approx([0.2, 0.5, 1.6])


def test_throughput_points_ignore_prices() -> None:
    rules = SchedulingRules(Billing.WHOLE, Dispatch.TC)
    dear = throughput_points(module(198.0, *WORKED_PROFILE, price=7.0), rules)
    assert dear == throughput_points(EXAMPLE, rules)
    assert [-point.value for point in dear] == pytest.approx([20.0, 32.0, 40.0])


@given(modules(), st.sampled_from(list(APART)), st.sampled_from(DISPATCHES))
def test_with_dummies_every_point_can_be_scheduled(
    problem: ModuleProblem, billing: Billing, dispatch: Dispatch
) -> None:
    rules = SchedulingRules(billing, dispatch)
    for points in (estimated_points(problem, rules), throughput_points(problem, rules)):
        for point in points:
            assert schedule_module(problem, point.latency, rules) is not None


@given(modules(), st.sampled_from(list(APART)), st.sampled_from(DISPATCHES))
def test_without_dummies_unreachable_points_are_left_out(
    problem: ModuleProblem, billing: Billing, dispatch: Dispatch
) -> None:
    rules = SchedulingRules(billing, dispatch, dummies=False)
    for point in (*estimated_points(problem, rules), *throughput_points(problem, rules)):
        assert schedule_module(problem, point.latency, rules) is not None
