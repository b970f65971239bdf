"""The checker: what each policy asks of the order of tuples."""

from __future__ import annotations

import networkx as nx
import pytest

from harpagon.formulations.assembly import assemble_plan, plan_pipeline
from harpagon.formulations.checker import check
from harpagon.formulations.problem import pipeline_problems
from harpagon.instances.instance import Configuration, Hardware, Instance, Pipeline
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Billing, Dispatch

LARGE, SMALL = Configuration("gpu", 8, 0.1, 1.0), Configuration("gpu", 1, 0.05, 1.0)
ORDERED = (Dispatch.TC, Dispatch.TC_SAFE)


@pytest.mark.parametrize("dispatch", [*ORDERED, Dispatch.FREE, Dispatch.EDF, Dispatch.PER_CONFIG])
@pytest.mark.parametrize("turned", [False, True])
def test_tuples_stand_in_the_order_that_the_policy_asks_for(dispatch: Dispatch, turned: bool) -> None:
    """80 and 20 req/s for 100; all that the plan claims follows from the order it has."""
    graph = nx.DiGraph()
    graph.add_node("m", model="model", join="all")
    hardware = {"gpu": Hardware("gpu", 1.0)}
    pipeline = Pipeline("p", 100.0, 5.0, graph)
    instance = Instance("ordered", Billing.WHOLE, hardware, {"model": (LARGE, SMALL)}, (pipeline,))
    schedule = (DispatchTuple.full(LARGE, 1), DispatchTuple.full(SMALL, 1))
    (problem,) = pipeline_problems(instance)
    planned = plan_pipeline(problem, [schedule[::-1] if turned else schedule], dispatch)
    report = check(instance, assemble_plan(instance, Billing.WHOLE, dispatch, [planned]))
    faults = [violation.message for violation in report.violations]
    if turned and dispatch in ORDERED:
        assert faults == ["tuples do not stand in descending order of throughput-cost ratio"]
    else:
        assert faults == []
