"""The checker: what each policy asks of the order of tuples."""

from __future__ import annotations

import networkx as nx
import pytest
from paced_cases import random_plan

from harpagon.formulations import paced
from harpagon.formulations.assembly import assemble_plan, plan_pipeline
from harpagon.formulations.checker import check
from harpagon.formulations.problem import ModuleProblem, pipeline_problems
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


class Counted(str):
    """A name that counts how often it is compared."""

    compared = 0
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        Counted.compared += 1
        return str.__eq__(self, other)


def test_a_check_compares_no_module_with_all_others() -> None:
    graph = nx.DiGraph()
    names = [Counted(f"m{k:03d}") for k in range(200)]
    graph.add_nodes_from(names, model="model")
    instance = Instance(
        "wide", Billing.WHOLE, {"gpu": Hardware("gpu", 1.0)}, {"model": (LARGE,)}, (Pipeline("p", 80.0, 5.0, graph),)
    )
    (problem,) = pipeline_problems(instance)
    planned = plan_pipeline(problem, [(DispatchTuple.full(LARGE, 1),)] * len(names), Dispatch.TC)
    plan = assemble_plan(instance, Billing.WHOLE, Dispatch.TC, [planned])
    Counted.compared = 0
    assert check(instance, plan).ok
    assert Counted.compared < 10 * len(names)


def test_a_paced_module_is_served_once_for_its_plan_and_once_for_its_check(monkeypatch: pytest.MonkeyPatch) -> None:
    served, service = [], ModuleProblem.service
    monkeypatch.setattr(ModuleProblem, "service", lambda *given: served.append(1) or service(*given))
    instance, plan = random_plan(3)
    modules = len(instance.pipelines[0].graph)
    assert len(served) == modules
    assert check(instance, plan).ok and len(served) == 2 * modules


def test_equal_modules_of_a_paced_chain_are_served_once(monkeypatch: pytest.MonkeyPatch) -> None:
    computed, in_step = [], paced.in_step
    monkeypatch.setattr(paced, "in_step", lambda *given: computed.append(1) or in_step(*given))
    graph = nx.path_graph(50, nx.DiGraph)
    nx.set_node_attributes(graph, "model", "model")
    pipeline = Pipeline("p", 79.0, 100.0, nx.relabel_nodes(graph, str))
    instance = Instance("chain", Billing.WHOLE, {"gpu": Hardware("gpu", 1.0)}, {"model": (LARGE,)}, (pipeline,))
    (problem,) = pipeline_problems(instance)
    planned = plan_pipeline(problem, [(DispatchTuple.full(LARGE, 1),)] * 50, Dispatch.PACED)
    assert check(instance, assemble_plan(instance, Billing.WHOLE, Dispatch.PACED, [planned])).ok
    assert len(computed) == 1
