"""Instance and plan files say what the objects say, in both directions."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path

import networkx as nx
import pytest
from bad_inputs import VALID, VALID_PLAN
from hypothesis import given, settings
from hypothesis import strategies as st

from harpagon.formulations.assembly import assemble_plan, plan_pipeline
from harpagon.formulations.checker import check
from harpagon.formulations.problem import pipeline_problems
from harpagon.instances.errors import MachineError
from harpagon.instances.files.documents import read_document
from harpagon.instances.files.instances import from_document, instance_document, read_instance, write_instance
from harpagon.instances.files.plans import (
    Certificate,
    plan_document,
    plan_from_document,
    read_plan,
    write_plan,
)
from harpagon.instances.generate import random_instance
from harpagon.instances.instance import Instance
from harpagon.instances.library.profiles import DATA
from harpagon.instances.library.shipped import worked_example
from harpagon.instances.plan import DispatchTuple, Plan
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.methods import solve

CERTIFICATE = Certificate("exact", "optimal", 5.0, 0.0, 0.001, 0.002, {"name": "exact", "options": {"limit": math.inf}})


def one_tuple_plan(instance: Instance) -> Plan:
    """Enough machines of every module's first configuration."""
    pipelines = []
    for problem in pipeline_problems(instance):
        schedules = []
        for module in problem.modules:
            configuration = module.configurations[0]
            schedules.append([DispatchTuple.full(configuration, math.ceil(module.rate / configuration.throughput))])
        pipelines.append(plan_pipeline(problem, schedules, Dispatch.TC))
    return assemble_plan(instance, Billing.WHOLE, Dispatch.TC, pipelines)


def assert_same_instance(left: Instance, right: Instance) -> None:
    assert (left.name, left.billing, left.hardware, left.description) == (
        right.name,
        right.billing,
        right.hardware,
        right.description,
    )
    for model, profile in left.profiles.items():
        twin = {(c.hardware, c.batch): c for c in right.profiles[model]}
        assert len(twin) == len(profile)
        for c in profile:
            assert twin[c.hardware, c.batch].duration == pytest.approx(c.duration, rel=1e-14)
    for one, other in zip(left.pipelines, right.pipelines, strict=True):
        assert (one.name, one.rate) == (other.name, other.rate)
        assert one.slo == pytest.approx(other.slo, rel=1e-14)
        assert nx.utils.graphs_equal(one.graph, other.graph)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 3), st.sampled_from(Billing))
def test_instance_survives_a_file(
    tmp_path_factory: pytest.TempPathFactory, seed: int, pipelines: int, billing: Billing
) -> None:
    instance = random_instance(random.Random(seed), pipelines=pipelines, limits=True, billing=billing)
    path = tmp_path_factory.mktemp("files") / "instance.json"
    write_instance(path, instance)
    assert_same_instance(read_instance(path), instance)


def test_json_and_yaml_and_both_kinds_of_batch_keys_are_the_same(tmp_path: Path) -> None:
    import yaml

    numbered = json.loads(json.dumps(VALID))
    for by_hardware in numbered["profiles"].values():
        for name, durations in by_hardware.items():
            by_hardware[name] = {int(batch): duration for batch, duration in durations.items()}
    (tmp_path / "a.json").write_text(json.dumps(VALID))
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(numbered))
    (tmp_path / "no-ending").write_text(json.dumps(VALID))
    documents = [instance_document(read_instance(tmp_path / name)) for name in ("a.json", "a.yaml", "no-ending")]
    assert documents[0] == documents[1] == documents[2] == instance_document(from_document(numbered, "code"))


def test_units_are_converted_at_the_edge() -> None:
    instance = from_document(VALID, "code")
    configuration = instance.profiles["ssd320"][0]
    assert (configuration.hardware, configuration.batch, configuration.duration) == ("V100", 1, 0.0353)
    assert configuration.price == 3.06
    assert instance.pipelines[0].slo == 0.4
    assert instance.hardware["V100"].limit == 8
    assert instance_document(instance)["profiles"]["ssd320"] == VALID["profiles"]["ssd320"]


def test_yaml_words_are_those_of_yaml_1_2(tmp_path: Path) -> None:
    path = tmp_path / "words.yaml"
    path.write_text("a: 1e3\nb: no\nc: 2024-01-01\nd: '8'\n8: 0o7\ne: ~\nf: true\ng: 1_000\n")
    expected = {"a": 1000.0, "b": "no", "c": "2024-01-01", "d": "8", "8": "0o7", "e": None, "f": True, "g": "1_000"}
    assert read_document(path) == expected


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 2))
def test_plan_survives_a_file(tmp_path_factory: pytest.TempPathFactory, seed: int, pipelines: int) -> None:
    instance = random_instance(random.Random(seed), pipelines=pipelines, tightness=(50.0, 60.0))
    plan = one_tuple_plan(instance)
    path = tmp_path_factory.mktemp("plans") / "plan.json"
    write_plan(path, plan, CERTIFICATE)
    again = read_plan(path, instance)
    assert check(instance, again).violations == check(instance, plan).violations == ()
    assert plan_document(again, CERTIFICATE) == plan_document(plan, CERTIFICATE)


def test_a_residual_keeps_its_fraction() -> None:
    document = json.loads(json.dumps(VALID_PLAN))
    module = document["pipelines"][0]["modules"]["detect"]
    module["tuples"].append({"hardware": "gpu", "batch": 2, "machines": 0.3, "rate_rps": 6, "latency_ms": 433})
    plan = plan_from_document(document, worked_example(), "code")
    full, residual = plan.pipelines[0].modules["detect"].tuples
    assert (full.machines, full.is_residual) == (5, False)
    assert (residual.machines, residual.is_residual) == (0.3, True)


def test_the_plan_document_of_the_worked_example_is_that_of_the_design() -> None:
    instance = worked_example()
    (problem,) = pipeline_problems(instance)
    largest = max(problem.modules[0].configurations, key=lambda c: c.batch)
    pipeline = plan_pipeline(problem, [[DispatchTuple.full(largest, 5)]], Dispatch.TC)
    plan = assemble_plan(instance, Billing.FRACTIONAL, Dispatch.TC, [pipeline])
    solver = {"name": "exact", "version": "1", "options": {}}
    assert plan_document(plan, Certificate("exact", "optimal", 5.0, 0.0, 0.001, 0.002, solver)) == VALID_PLAN
    assert check(instance, plan_from_document(VALID_PLAN, instance, "code")).ok


def test_a_plan_of_the_first_format_is_still_read() -> None:
    document = json.loads(json.dumps(VALID_PLAN)) | {"format": "harpagon-plan/1"}
    for key in ("instance_digest", "headroom", "spare"):
        del document[key]
    module = document["pipelines"][0]["modules"]["detect"]
    module["dummy_rps"] = module.pop("spare_rps")
    assert plan_from_document(document, worked_example(), "code") == plan_from_document(
        VALID_PLAN, worked_example(), "code"
    )


def test_a_paced_plan_says_how_each_module_keeps_its_latency() -> None:
    instance = worked_example()
    plan = solve(instance, billing=Billing.WHOLE, dispatch=Dispatch.PACED).plan
    assert plan is not None
    document = plan_document(plan, CERTIFICATE)
    module = document["pipelines"][0]["modules"]["detect"]
    assert (module["dispatcher"], module["start_ms"], module["hold_until_ms"]) == ("in-step", 0.0, 960.0)
    assert module["tuples"][0]["close_after_ms"] == pytest.approx(160.0)
    again = plan_from_document(document, instance, "code")
    assert again == plan
    assert check(instance, again).ok


@pytest.mark.parametrize(
    ("place", "claim"),
    [("start_ms", 1.0), ("dispatcher", "at-once"), ("close_after_ms", 1.0), ("instance_digest", "sha256:0")],
)
def test_what_a_paced_plan_claims_is_checked(place: str, claim: object) -> None:
    instance = worked_example()
    plan = solve(instance, billing=Billing.WHOLE, dispatch=Dispatch.PACED).plan
    assert plan is not None
    document = plan_document(plan, CERTIFICATE)
    module = document["pipelines"][0]["modules"]["detect"]
    target = {"close_after_ms": module["tuples"][0], "instance_digest": document}.get(place, module)
    target[place] = claim
    (violation,) = check(instance, plan_from_document(document, instance, "code")).violations
    assert place.removesuffix("_ms").split("_")[0] in str(violation)


def test_unknown_bounds_are_null(tmp_path: Path) -> None:
    plan = plan_from_document(VALID_PLAN, worked_example(), "code")
    write_plan(tmp_path / "plan.json", plan, Certificate("nexus", "feasible", -math.inf, math.nan, 0.0, 0.1))
    document = json.loads((tmp_path / "plan.json").read_text(), parse_constant=pytest.fail)
    assert document["lower_bound"] is None
    assert document["gap"] is None
    assert plan_document(plan, CERTIFICATE)["solver"]["options"] == {"limit": None}
    assert read_plan(tmp_path / "plan.json", worked_example()) == plan


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "instance.json"
    with pytest.raises(MachineError, match="cannot be written"):
        write_instance(path, worked_example())


@pytest.mark.parametrize("path", sorted((DATA / "examples").glob("*")), ids=lambda path: path.name)
def test_every_shipped_instance_file_reads(path: Path) -> None:
    instance = read_instance(path)
    assert instance.name == path.stem
    assert "[R]" in instance.description or "measured" in instance.description
