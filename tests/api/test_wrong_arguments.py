"""Wrong arguments of the public functions: each ends in one `InputError` that names the argument."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest

import harpagon

CASE = harpagon.read_instance("worked-example")
PLAN = harpagon.solve(CASE, dispatch="tc").plan
HUGE = 10**5000
ANY: Any = harpagon

WRONG: dict[str, tuple[Callable[[], object], str]] = {
    "a name to solve": (lambda: ANY.solve("worked-example"), 'instance: must be an Instance, found "worked-example"'),
    "no method": (lambda: ANY.solve(CASE, None), "method: must be text, found null"),
    "methods in a list": (lambda: ANY.solve(CASE, ["exact"]), "method: must be text, found a list"),
    "time limit as text": (lambda: ANY.solve(CASE, time_limit="5"), 'time_limit: is "5"'),
    "time limit beyond floats": (lambda: ANY.solve(CASE, time_limit=HUGE), "time_limit: is a whole number of"),
    "gap true": (lambda: ANY.solve(CASE, gap=True), "gap: is true"),
    "spare with a fraction": (lambda: ANY.solve(CASE, spare=0.5), "spare: must be a whole number, found 0.5"),
    "a plan to explain": (lambda: ANY.explain(PLAN), "instance: must be an Instance, found a Plan"),
    "a name to trade off": (lambda: ANY.curve("worked-example"), "instance: must be an Instance"),
    "range as text": (lambda: ANY.curve(CASE, low="1"), "low and high: are 1"),
    "one instance to compare": (lambda: ANY.compare(CASE), "instances: must be a list, found an Instance"),
    "names to compare": (lambda: ANY.compare(["worked-example"]), r"instances: \[0\]: must be an Instance"),
    "workers with a fraction": (lambda: ANY.compare([CASE], workers=1.5), "workers: must be a whole number"),
    "swapped": (lambda: ANY.check(PLAN, CASE), "instance: must be an Instance, found a Plan"),
    "a result to check": (lambda: ANY.check(CASE, ANY.solve(CASE)), "plan: must be a Plan, found a Result"),
    "nothing to simulate": (lambda: ANY.simulate(CASE, None), "plan: must be a Plan, found null"),
    "seed below zero": (lambda: ANY.simulate(CASE, PLAN, seed=-1), "seed: must be at least 0"),
    "duration as text": (lambda: ANY.simulate(CASE, PLAN, duration="5"), "duration: is 5"),
    "no percentile": (lambda: ANY.headroom(CASE, None), "percentile: is None"),
    "nothing to assemble": (lambda: ANY.assemble(None, {}), "instance: must be an Instance, found null"),
    "a plan's certificate": (lambda: ANY.certificate(PLAN), "result: must be a Result, found a Plan"),
    "file and instance swapped": (lambda: ANY.write_instance(CASE, "x.json"), "instance: must be an Instance"),
    "file and plan swapped": (lambda: ANY.read_plan(CASE, "x.json"), 'instance: must be an Instance, found "x.json"'),
    "no certificate": (lambda: ANY.write_plan("x.json", PLAN, None), "certificate: must be a Certificate"),
    "a name to build": (lambda: ANY.formulation("compact").build("x"), "instance: must be an Instance"),
    "budget as text": (lambda: ANY.formulation("compact").build(CASE, budget="5"), "budget: is 5"),
    "no formulation": (lambda: ANY.formulation(None), "method: must be text"),
    "no suite": (lambda: ANY.suite(None), "suite: must be text"),
    "no plugin": (lambda: harpagon.load_plugin(Path("none.py")), "none.py: there is no such Python file"),
    "another table": (lambda: harpagon.plot_gaps(pd.DataFrame()), "comparison: is no table"),
    "no curve": (lambda: ANY.plot_curve(None), "curve: must be a Curve"),
    "no report": (lambda: ANY.plot_simulation(PLAN), "report: must be a SimulationReport"),
    "picture swapped": (lambda: ANY.plot_plan(PLAN, CASE), "instance: must be an Instance"),
    "price beyond floats": (lambda: harpagon.Hardware("g", HUGE), "price: must be at most 1e"),
    "batch beyond measure": (lambda: harpagon.Configuration("g", HUGE, 0.1, 1.0), "batch: must be at most 1e"),
    "an array for a number": (lambda: ANY.Hardware("g", np.array([1.0])), "price: must be a number"),
    "NumPy's true": (lambda: ANY.Hardware("g", np.True_), "price: must be a number"),
    "NumPy's NaN": (lambda: harpagon.Hardware("g", np.float32(math.nan)), "price: must be a finite number"),
    "undirected": (lambda: ANY.Pipeline("p", 1.0, 1.0, nx.Graph([(0, 1)])), "graph: must be a networkx.DiGraph"),
    "edges that repeat": (lambda: ANY.Pipeline("p", 1.0, 1.0, nx.MultiDiGraph()), "must be a networkx.DiGraph"),
    "one configuration": (
        lambda: ANY.Instance("i", "whole", CASE.hardware, {"m": 5}, ()),
        "profiles.m: must be a list",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_arguments_are_named(case: str) -> None:
    call, words = WRONG[case]
    with pytest.raises(harpagon.InputError, match=words):
        call()


WRONG_MODELS: dict[str, tuple[dict[str, Any], str]] = {
    "name of a list": ({"hardware": ["g"]}, "hardware: must be text, found a list"),
    "durations in a list": ({"batch_ms": [10, 20]}, "profiles.dnn.g: must be a mapping"),
    "no durations": ({"batch_ms": None}, "profiles.dnn.g: must be a mapping"),
    "batch with a fraction": ({"batch_ms": {1.5: 10}}, "a batch size must be a whole number"),
    "batch true": ({"batch_ms": {True: 10}}, "a batch size must be a whole number"),
    "batch too large": ({"batch_ms": {10**12: 10}}, r"must be at most 1e\+06, found 1000000000000"),
    "rate beyond floats": ({"rate": HUGE}, "rate_rps: is too large"),
    "price of NumPy's true": ({"price": np.True_}, "price_per_hour: must be a number, found true"),
}


def one_module(**changes: Any) -> harpagon.Instance:
    given: dict[str, Any] = {"hardware": "g", "price": 1.0, "batch_ms": {1: 10, 4: 30}, "rate": 10} | changes
    model = harpagon.Model("m")
    model.add_hardware(given["hardware"], price_per_hour=given["price"])
    model.add_profile("dnn", given["hardware"], given["batch_ms"])
    model.add_module(model.add_pipeline("p", rate_rps=given["rate"], slo_ms=400), "a", model="dnn")
    return model.instance()


@pytest.mark.parametrize("case", WRONG_MODELS)
def test_wrong_models_are_refused(case: str) -> None:
    changes, words = WRONG_MODELS[case]
    with pytest.raises(harpagon.InputError, match=words):
        one_module(**changes)


def test_batches_of_a_model_may_be_numpys() -> None:
    assert one_module(batch_ms={np.int64(1): np.float64(10), np.int64(4): 30}).digest() == one_module().digest()
