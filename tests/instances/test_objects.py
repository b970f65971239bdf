"""Objects check themselves: what a file is refused for, a script is refused for, in the same words."""

from __future__ import annotations

import copy
import math
import os
import pickle
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from bad_inputs import VALID

from harpagon.instances import frozen
from harpagon.instances.errors import InputError
from harpagon.instances.files.instances import from_document, instance_document, read_instance, write_instance
from harpagon.instances.files.plans import read_plan, write_plan
from harpagon.instances.generate import random_instance
from harpagon.instances.instance import Configuration, Hardware, Instance, Pipeline
from harpagon.instances.library.shipped import resolve, worked_example
from harpagon.instances.plan import DispatchTuple, ModulePlan, PipelinePlan, Plan
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.certificates import certificate
from harpagon.solvers.methods import solve


def two_stage(**changes: Any) -> Instance:
    """`VALID` as a script builds it; ``changes`` are the wrong figures of a script."""
    given: dict[str, Any] = {
        "name": "two-stage",
        "billing": Billing.WHOLE,
        "price": 3.06,
        "limit": 8,
        "configuration_price": 3.06,
        "batch": 8,
        "duration": 0.1294,
        "hardware": "V100",
        "rate": 50,
        "slo": 0.4,
        "pipeline": "traffic",
        "detect": {"model": "ssd320"},
        "classify": {"model": "resnet50", "join": "all"},
        "edge": {"fanout": 1.4, "transfer": 0.0},
        "further_edges": (),
        "further_configurations": (),
        "copies": 1,
    } | changes
    types = {"V100": Hardware("V100", given["price"], given["limit"]), "T4": Hardware("T4", 0.526)}
    profiles = {
        "ssd320": (
            Configuration("V100", 1, 0.0353, 3.06),
            Configuration(given["hardware"], given["batch"], given["duration"], given["configuration_price"]),
            Configuration("T4", 1, 0.0519, 0.526),
            *given["further_configurations"],
        ),
        "resnet50": (Configuration("V100", 1, 0.01278, 3.06), Configuration("V100", 8, 0.01365, 3.06)),
    }
    graph = nx.DiGraph()
    graph.add_node("detect", **given["detect"])
    graph.add_node("classify", **given["classify"])
    graph.add_edge("detect", "classify", **given["edge"])
    for tail, head in given["further_edges"]:
        graph.add_edge(tail, head)
    pipeline = Pipeline(given["pipeline"], given["rate"], given["slo"], graph)
    return Instance(given["name"], given["billing"], types, profiles, (pipeline,) * given["copies"])


def _document(*way: Any) -> Callable[[dict[str, Any]], None]:
    *steps, key, value = way

    def edit(document: Any) -> None:
        for step in steps:
            document = document[step]
        document[key] = value

    return edit


def _more_edges(*pairs: tuple[str, str]) -> Callable[[dict[str, Any]], None]:
    return lambda d: d["pipelines"][0]["edges"].extend({"from": tail, "to": head} for tail, head in pairs)


_MODULES, _EDGE = ("pipelines", 0, "modules"), ("pipelines", 0, "edges", 0)
_V100 = ("profiles", "ssd320", "V100")

WRONG_SCRIPTS: list[tuple[str, dict[str, Any], Callable[[dict[str, Any]], None] | None, str]] = [
    ("misspelt fan-out", {"edge": {"fan_out": 2.5}}, _document(*_EDGE, "fan_out", 2.5), "Did you mean fanout?"),
    ("fan-out of zero", {"edge": {"fanout": 0}}, _document(*_EDGE, "fanout", 0), "must be above 0, found 0"),
    ("fan-out NaN", {"edge": {"fanout": math.nan}}, _document(*_EDGE, "fanout", math.nan), "must be a finite number"),
    ("fan-out as text", {"edge": {"fanout": "2"}}, _document(*_EDGE, "fanout", "2"), 'must be a number, found "2"'),
    ("negative transfer", {"edge": {"transfer": -1}}, _document(*_EDGE, "transfer_ms", -1), "must be at least 0"),
    (
        "unknown join",
        {"classify": {"model": "resnet50", "join": "some"}},
        _document(*_MODULES, "classify", "join", "some"),
        "must be 'all' or 'any', found \"some\"",
    ),
    ("misspelt join", {"detect": {"model": "ssd320", "joins": "any"}}, None, "Did you mean join?"),
    ("module without a model", {"detect": {}}, _document(*_MODULES, "detect", {}), "is missing"),
    (
        "unknown model",
        {"detect": {"model": "ssd302"}},
        _document(*_MODULES, "detect", "model", "ssd302"),
        'there is no profile of "ssd302". Did you mean ssd320?',
    ),
    ("module of an edge alone", {"further_edges": [("detect", "track")]}, None, "modules.track.model: is missing"),
    (
        "cycle",
        {"further_edges": [("classify", "detect")]},
        _more_edges(("classify", "detect")),
        "the edges form a cycle: detect -> classify -> detect",
    ),
    (
        "edge to itself",
        {"further_edges": [("detect", "detect")]},
        _more_edges(("detect", "detect")),
        "detect -> detect joins a module to itself",
    ),
    ("rate of zero", {"rate": 0}, _document("pipelines", 0, "rate_rps", 0), "must be above 0, found 0"),
    ("rate infinite", {"rate": math.inf}, _document("pipelines", 0, "rate_rps", math.inf), "must be a finite number"),
    ("rate too large", {"rate": 1e10}, _document("pipelines", 0, "rate_rps", 1e10), "must be at most 1e+09"),
    (
        "fan-out beyond measure",
        {"rate": 1e9, "edge": {"fanout": 1e9}},
        lambda d: (_document("pipelines", 0, "rate_rps", 1e9)(d), _document(*_EDGE, "fanout", 1e9)(d), None)[-1],
        "fan-outs bring its request rate to 1e+18 req/s",
    ),
    ("SLO negative", {"slo": -0.4}, _document("pipelines", 0, "slo_ms", -400), "must be above 0"),
    ("pipeline without a name", {"pipeline": ""}, _document("pipelines", 0, "name", ""), "must not be empty"),
    (
        "pipeline twice",
        {"copies": 2},
        lambda d: d["pipelines"].append(d["pipelines"][0]),
        'a second pipeline is called "traffic"',
    ),
    ("no pipeline", {"copies": 0}, _document("pipelines", []), "must not be empty. Add at least one entry"),
    ("price of zero", {"price": 0}, _document("hardware", "V100", "price_per_hour", 0), "must be above 0, found 0"),
    ("two prices", {"configuration_price": 1.0}, None, "V100 b=8 is priced 1, its hardware 3.06"),
    ("limit with a fraction", {"limit": 1.5}, _document("hardware", "V100", "limit", 1.5), "must be a whole number"),
    ("limit negative", {"limit": -1}, _document("hardware", "V100", "limit", -1), "must be at least 0, found -1"),
    ("batch of zero", {"batch": 0}, _document(*_V100, "0", 3), "must be at least 1, found 0"),
    ("batch with a fraction", {"batch": 2.5}, _document(*_V100, "2.5", 3), "must be a whole number"),
    ("duration NaN", {"duration": math.nan}, _document(*_V100, "8", math.nan), "must be a finite number"),
    ("duration true", {"duration": True}, _document(*_V100, "8", True), "must be a number, found true"),
    ("unknown hardware", {"hardware": "V10"}, _document("profiles", "ssd320", "V10", {"8": 3}), "Did you mean V100?"),
    (
        "batch twice",
        {"further_configurations": [Configuration("T4", 1, 0.1, 0.526)]},
        _document("profiles", "ssd320", "T4", "01", 3),
        "a batch size stands twice. Keep one entry per batch size",
    ),
    (
        "unknown billing",
        {"billing": "hourly"},
        _document("billing", "hourly"),
        " or 'shared', found \"hourly\"",
    ),
    ("name with a line break", {"name": "a\nb"}, _document("name", "a\nb"), "must be printable text"),
]


@pytest.mark.parametrize(("label", "changes", "edit", "words"), WRONG_SCRIPTS, ids=[row[0] for row in WRONG_SCRIPTS])
def test_wrong_scripts_and_files_are_refused_in_the_same_words(
    label: str, changes: dict[str, Any], edit: Callable[[dict[str, Any]], None] | None, words: str
) -> None:
    with pytest.raises(InputError) as caught:
        two_stage(**changes)
    assert words in str(caught.value)
    assert isinstance(caught.value, ValueError)
    assert caught.value.next_step
    if edit is not None:
        document = copy.deepcopy(VALID)
        edit(document)
        with pytest.raises(InputError) as refused:
            from_document(document, "file")
        assert words in str(refused.value)


def test_the_right_script_is_the_right_file() -> None:
    assert two_stage().pipelines == from_document(VALID, "file").pipelines
    assert two_stage().digest() == from_document(VALID, "file").digest()


def test_an_empty_graph_is_no_pipeline() -> None:
    with pytest.raises(InputError, match="modules: must not be empty"):
        Pipeline("empty", 1.0, 1.0, nx.DiGraph())


def test_wrong_plans_are_refused() -> None:
    configuration = Configuration("gpu", 2, 0.1, 1.0)
    part = DispatchTuple.full(configuration, 2)
    module = ModulePlan(30.0, (part,), (0.2,), 0.2, 10.0, 2.0)
    pipeline = PipelinePlan("p", 1.0, 0.2, {"m": module})
    faults: list[Callable[[], object]] = [
        lambda: DispatchTuple.full(configuration, 0),
        lambda: DispatchTuple(configuration, math.nan, 1.0),
        lambda: DispatchTuple(configuration, 1, math.inf),
        lambda: replace(module, rate=-1.0),
        lambda: replace(module, latency=math.nan),
        lambda: replace(module, dummy_rate=math.nan),
        lambda: replace(module, cost=True),
        lambda: replace(module, rate=0.0),
        lambda: replace(module, tuple_latencies=()),
        lambda: replace(pipeline, slo=0.0),
        lambda: Plan("i", Billing.WHOLE, Dispatch.TC, (pipeline, pipeline), 4.0),
        lambda: Plan("i", Billing.WHOLE, Dispatch.TC, (pipeline,), math.inf),
        lambda: Plan("i", Billing.WHOLE, "lifo", (pipeline,), 2.0),  # type: ignore[arg-type]
    ]
    for fault in faults:
        with pytest.raises(InputError):
            fault()


def test_usage_counts_a_residual_by_its_fraction() -> None:
    small, large = Configuration("a", 2, 0.1, 1.0), Configuration("b", 8, 0.2, 3.0)
    parts = (DispatchTuple.full(large, 3), DispatchTuple.full(small, 2), DispatchTuple.residual(small, 5.0))
    module = ModulePlan(160.0, parts, (0.3, 0.3, 0.5), 0.5, 0.0, 11.25)
    plan = Plan("i", Billing.FRACTIONAL, Dispatch.TC, (PipelinePlan("p", 1.0, 0.5, {"m": module}),), 11.25)
    assert plan.usage() == {"b": 3.0, "a": 2.25}


def test_instances_cannot_be_changed() -> None:
    graph = nx.DiGraph()
    graph.add_node("m", model="model")
    pipeline = Pipeline("p", 1.0, 1.0, graph)
    graph.add_node("stray", model="none")
    assert list(pipeline.graph) == ["m"]
    with pytest.raises(nx.NetworkXError):
        pipeline.graph.add_node("stray")
    with pytest.raises(TypeError, match="cannot be changed"):
        pipeline.graph.nodes["m"]["model"] = "other"
    instance = worked_example()
    with pytest.raises(TypeError, match="cannot be changed"):
        instance.hardware["more"] = Hardware("more", 1.0)  # type: ignore[index]
    thawed = pipeline.graph.copy()
    thawed.nodes["m"]["model"] = "other"
    assert pipeline.graph.nodes["m"]["model"] == "model"


@pytest.mark.parametrize("name", ["worked-example", "traffic-198rps", "pose-700rps-60ms"])
def test_instances_and_plans_are_equal_after_pickling(name: str) -> None:
    instance = resolve(name)
    again = pickle.loads(pickle.dumps(instance))
    assert again == instance
    assert hash(again) == hash(instance)
    assert again.digest() == instance.digest()
    assert copy.deepcopy(instance) == instance
    plan = solve(instance).plan
    assert pickle.loads(pickle.dumps(plan)) == plan


def test_a_digest_knows_content_not_order() -> None:
    shuffled = copy.deepcopy(VALID)
    for key in ("hardware", "profiles"):
        shuffled[key] = dict(reversed(shuffled[key].items()))
    shuffled["pipelines"][0]["modules"] = dict(reversed(shuffled["pipelines"][0]["modules"].items()))
    instance = from_document(VALID, "a")
    assert from_document(shuffled, "b").digest() == instance.digest()
    assert from_document(shuffled, "b") == instance
    edits = [
        _document("name", "other"),
        _document("billing", "fractional"),
        _document("hardware", "V100", "limit", 9),
        _document("hardware", "V100", "bundle", 2),
        _document(*_V100, "8", 129.5),
        _document("pipelines", 0, "slo_ms", 401),
        _document("pipelines", 0, "burst", 2),
        _document(*_EDGE, "fanout", 1.5),
        _document(*_EDGE, "transfer_ms", 1),
        _document(*_MODULES, "classify", "join", "any"),
    ]
    digests = {instance.digest()}
    for edit in edits:
        document = copy.deepcopy(VALID)
        edit(document)
        digests.add(from_document(document, "c").digest())
    assert len(digests) == 1 + len(edits)
    assert replace(instance, name="known by then").digest() not in digests
    assert replace(instance, description="not a figure").digest() == instance.digest()


def test_a_digest_writes_out_attributes_once_that_many_modules_have(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, canonical = [], frozen.canonical
    monkeypatch.setattr(frozen, "canonical", lambda value: calls.append(1) or canonical(value))
    graph = nx.path_graph(1_000, nx.DiGraph)
    nx.set_node_attributes(graph, "model", "model")
    content = frozen.canonical(Pipeline("p", 1.0, 1.0, nx.relabel_nodes(graph, str)))
    assert len(calls) < 100
    nodes, edges = content[3]
    assert nodes[:2] == [["0", [["join", "all"], ["model", "model"]]], ["1", [["join", "all"], ["model", "model"]]]]
    assert edges[0] == [["0", "1"], [["fanout", "1"], ["transfer", "0"]]] and len(edges) == 999


def test_a_digest_survives_files_and_processes() -> None:
    for seed in range(30):
        instance = random_instance(random.Random(seed), pipelines=2, limits=True)
        assert from_document(instance_document(instance), "file").digest() == instance.digest()
    code = "from harpagon.instances import worked_example; print(worked_example().digest())"
    for hash_seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": hash_seed}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
        assert done.stdout.strip() == worked_example().digest()


def test_figures_of_other_kinds_become_what_a_file_holds(tmp_path: Path) -> None:
    graph = nx.DiGraph()
    graph.add_node("a", model="m")
    graph.add_node("b", model="m")
    graph.add_edge("a", "b", fanout=np.float32(1.5), transfer=Fraction(1, 8))
    hardware = Hardware("g", np.float32(0.5), np.int64(30))  # type: ignore[arg-type]
    configuration = Configuration("g", np.int32(4), Fraction(1, 64), np.float32(0.5))  # type: ignore[arg-type]
    pipeline = Pipeline("p", np.int64(20), Fraction(1, 2), graph)  # type: ignore[arg-type]
    instance = Instance("odd", Billing.WHOLE, {"g": hardware}, {"m": (configuration,)}, (pipeline,))
    write_instance(tmp_path / "odd.json", instance)
    assert read_instance(tmp_path / "odd.json") == instance
    assert {type(value) for value in (hardware.limit, configuration.batch, pipeline.rate)} == {int}


def test_a_plan_of_numpys_figures_can_be_written(tmp_path: Path) -> None:
    result = solve(worked_example(), dispatch=Dispatch.TC)
    assert result.plan is not None
    ((name, module), *_) = result.plan.pipelines[0].modules.items()
    part = module.tuples[0]
    odd = DispatchTuple(part.configuration, np.int64(2), np.float32(part.rate))  # type: ignore[arg-type]
    claimed = replace(module, tuples=(odd, *module.tuples[1:]), cost=np.float32(3.0))
    modules = {**result.plan.pipelines[0].modules, name: claimed}
    plan = replace(result.plan, pipelines=(replace(result.plan.pipelines[0], modules=modules),))
    write_plan(tmp_path / "plan.json", plan, certificate(result))
    assert read_plan(tmp_path / "plan.json", worked_example()).pipelines[0].modules[name].tuples[0].machines == 2


def test_profiles_that_can_be_read_once_are_refused() -> None:
    """They would be empty once they are checked."""
    instance = worked_example()
    profiles: Any = {model: iter(profile) for model, profile in instance.profiles.items()}
    with pytest.raises(InputError, match="must be a list"):
        replace(instance, profiles=profiles)
