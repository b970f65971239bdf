"""The latency formulas against figures worked out by hand."""

from __future__ import annotations

import math

import pytest

from harpagon.formulations.physics import collection_rate, execution, module_latency, tuple_latencies
from harpagon.instances.instance import Configuration
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Dispatch

SMALL, MIDDLE, LARGE = (Configuration("gpu", b, d, 1.0) for b, d in ((2, 0.1), (8, 0.25), (32, 0.8)))
SCHEDULE = (DispatchTuple.full(LARGE, 4), DispatchTuple.full(MIDDLE, 1), DispatchTuple.residual(SMALL, 6.0))


@pytest.mark.parametrize(
    ("dispatch", "expected"),
    [
        (Dispatch.TC, (0.8 + 32 / 198, 0.25 + 8 / 38, 0.1 + 2 / 6)),
        (Dispatch.FREE, (0.8 + 32 / 198, 0.25 + 8 / 38, 0.1 + 2 / 6)),
        (Dispatch.PER_CONFIG, (0.8 + 32 / 160, 0.25 + 8 / 32, 0.1 + 2 / 6)),
        (Dispatch.ROUND_ROBIN, (1.6, 0.5, 0.1 + 2 / 6)),
        (Dispatch.TC_SAFE, (0.8 + 32 / 198, 0.25 + 40 / 38, 0.1 + 42 / 6)),
    ],
)
def test_tuple_latencies(dispatch: Dispatch, expected: tuple[float, ...]) -> None:
    assert tuple_latencies(SCHEDULE, dispatch) == pytest.approx(expected)


def test_edf_bound_satisfies_the_demand_condition_tightly() -> None:
    bound = module_latency(SCHEDULE, Dispatch.EDF)

    def slack(latency: float) -> float:
        due = {part: latency - part.configuration.duration for part in SCHEDULE}
        return min(
            sum(part.rate * min(due[part], due[pivot]) for part in SCHEDULE)
            - sum(part.configuration.batch for part in SCHEDULE if due[part] <= due[pivot])
            for pivot in SCHEDULE
        )

    assert slack(bound) == pytest.approx(0.0, abs=1e-9)
    assert slack(bound - 1e-4) < 0


def test_one_configuration_is_the_same_under_every_batch_aware_policy() -> None:
    schedule = (DispatchTuple.full(LARGE, 5),)
    policies = (Dispatch.TC, Dispatch.FREE, Dispatch.PER_CONFIG, Dispatch.TC_SAFE, Dispatch.EDF)
    assert {round(module_latency(schedule, policy), 12) for policy in policies} == {0.96}


def test_the_rate_at_which_a_budget_is_met() -> None:
    """q = b / (L - d): at it the latency is the budget, and no rate does where the batch alone takes it."""
    assert collection_rate(MIDDLE, 0.45) == pytest.approx(40.0)
    assert collection_rate(MIDDLE, 0.25 + 1e-3) == pytest.approx(8000.0)
    assert collection_rate(MIDDLE, 0.25) == collection_rate(MIDDLE, 0.2) == math.inf


def test_a_stated_capacity_collects_nothing_and_takes_its_latency_once() -> None:
    stated = Configuration("gpu", 0, 0.9, 1.0, capacity=4.0)
    assert collection_rate(stated, 0.9) == collection_rate(stated, 1.0) == 0.0
    assert collection_rate(stated, 1.0 - 0.1 - 1e-12) == 0.0
    assert collection_rate(stated, 0.9 - 1e-6) == math.inf
    assert [execution(stated, policy) for policy in (Dispatch.TC, Dispatch.ROUND_ROBIN)] == [0.9, 0.9]
    assert [execution(MIDDLE, policy) for policy in (Dispatch.TC, Dispatch.ROUND_ROBIN)] == [0.25, 0.5]
