"""Service noise, stalls and lost machines: what they change, and what they must leave alone."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from simulation_cases import LARGE, MIDDLE, SMALL, pipeline_plan

from harpagon.instances.errors import InputError
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Dispatch
from harpagon.simulation import simulate
from harpagon.simulation.dispatch.conditions import Conditions, parse_conditions
from harpagon.simulation.dispatch.machines import Fault, LognormalService, MachineGroup


def test_lognormal_durations_have_their_mean_and_variation() -> None:
    service = LognormalService(0.3, np.random.default_rng(0))
    drawn = np.array([service(2.0) for _ in range(20_000)])
    assert drawn.mean() == pytest.approx(2.0, rel=0.01)
    assert drawn.std() / drawn.mean() == pytest.approx(0.3, rel=0.03)


def test_one_batch_stalls() -> None:
    group = MachineGroup(2, 1.0, fault=Fault(5.0, stall=0.5))
    assert [group.run(t) for t in (0.0, 4.9, 5.0, 5.0, 9.0)] == [1.0, 5.9, 6.5, 6.9, 10.0]


def test_lost_machines_finish_what_they_work_on() -> None:
    group = MachineGroup(3, 1.0, fault=Fault(5.0, lost=2))
    assert [group.run(t) for t in (4.5, 4.6, 4.7, 5.0, 5.0)] == [5.5, 5.6, 5.7, 6.7, 7.7]


def test_the_foremost_tuples_lose_first_and_keep_one() -> None:
    schedule = (DispatchTuple.full(LARGE, 3), DispatchTuple.full(MIDDLE, 2), DispatchTuple.residual(SMALL, 6.0))
    graph = nx.DiGraph()
    graph.add_node("m")
    _, plan = pipeline_plan(graph, 100.0, {"m": schedule}, Dispatch.EDF)
    module = plan.pipelines[0].modules["m"]
    assert [fault.lost for fault in Conditions(losses={"m": 3}).faults("m", module, 1.0)] == [2, 1, 0]
    with pytest.raises(InputError, match="can lose 3"):
        Conditions(losses={"m": 4}).fits(plan)
    with pytest.raises(InputError, match="no module"):
        Conditions(stalls={"n": 4}).fits(plan)


@pytest.mark.parametrize(
    "conditions", [Conditions(variation=0.3), Conditions(stalls={"m": 3.0}), Conditions(losses={"m": 2})], ids=str
)
def test_a_plan_promises_nothing_for_machines_that_are_not_as_profiled(conditions: Conditions) -> None:
    graph = nx.DiGraph()
    graph.add_node("m")
    schedule = (DispatchTuple.full(LARGE, 5),)
    instance, plan = pipeline_plan(graph, 198.0, {"m": schedule}, Dispatch.EDF, slo=1.0)
    exact = simulate(instance, plan, duration=60.0).pipelines[0]
    disturbed = simulate(instance, plan, duration=60.0, conditions=conditions).pipelines[0]
    assert exact.promised and exact.late == 0
    assert not disturbed.promised and disturbed.late > 0
    assert disturbed.kept


@pytest.mark.parametrize(
    ("service", "stall", "lose"),
    [
        ("normal:0.1", "", ""),
        ("lognormal:", "", ""),
        ("lognormal:99", "", ""),
        ("profile", "m", ""),
        ("profile", "m:-1", ""),
        ("profile", "", "m:0.5"),
        ("profile", "", "m:nan"),
    ],
)
def test_bad_flags_are_refused(service: str, stall: str, lose: str) -> None:
    with pytest.raises(InputError):
        parse_conditions(service, [stall] if stall else [], [lose] if lose else [])


def test_flags_are_read() -> None:
    assert parse_conditions("lognormal:0.1", ["a:b:5"], ["c:2"]) == Conditions(0.1, {"a:b": 0.005}, {"c": 2})
    assert not parse_conditions("profile", [], [])
