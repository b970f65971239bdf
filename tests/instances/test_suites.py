"""The library, the applications and the suites: figures as published, workloads feasible and repeatable."""

from __future__ import annotations

import csv
import math
import os
import subprocess
import sys

import networkx as nx
import pytest

from harpagon.formulations.assembly import assemble_plan, plan_pipeline
from harpagon.formulations.checker import check
from harpagon.formulations.problem import pipeline_problems
from harpagon.graphs import PathNetwork, decompose
from harpagon.instances import __all__ as public_names
from harpagon.instances.errors import InputError
from harpagon.instances.files.instances import from_document, instance_document
from harpagon.instances.files.units import milliseconds
from harpagon.instances.instance import Instance
from harpagon.instances.library.applications import application, application_names, application_profiles, build
from harpagon.instances.library.make import make_instances
from harpagon.instances.library.profiles import DATA, library, library_hardware, prices
from harpagon.instances.library.shipped import resolve, worked_example
from harpagon.instances.library.suites import suite, suite_workloads
from harpagon.instances.library.workloads import Workload
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import APART, Billing, Dispatch

SMOKE = suite("smoke")


def test_library_figures_are_the_published_ones() -> None:
    with (DATA / "gpu_latency.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 317
    assert all(row["source"] for row in rows)
    published = {(r["model"], r["gpu"], int(r["batch"]), float(r["latency_ms"])) for r in rows}
    for model, profile in library().items():
        for c in profile:
            assert (model, c.hardware, c.batch, milliseconds(c.duration)) in published
            assert c.price == prices()[c.hardware]


def test_library_takes_half_precision_and_priced_hardware_only() -> None:
    assert set(library_hardware()) == {"V100", "T4", "A100", "A10"}
    resnet50 = {(c.hardware, c.batch): c.duration for c in library()["resnet50"]}
    assert resnet50["V100", 1] == 0.01278  # amp; fp32 is 10.37 ms
    assert resnet50["V100", 64] == 0.02318
    assert {c.hardware for c in library()["resnet50-trt"]} == {"A10", "A100"}
    for profile in library().values():
        assert len({(c.hardware, c.batch) for c in profile}) == len(profile)


@pytest.mark.parametrize("name", application_names())
def test_applications_say_what_stands_in(name: str) -> None:
    app = application(name)
    assert app.name == name
    assert "tand-in" in app.description
    assert name == "tts" or all(model in app.description for model in app.models)
    assert set(app.models) <= set(library())
    assert 2 <= app.graph.number_of_nodes() <= 5


def test_the_applications_differ_in_structure() -> None:
    graphs = {name: application(name).graph for name in application_names()}
    assert sorted(graphs) == ["actdet", "caption", "face", "pose", "traffic", "tts"]
    trees = {name: decompose(PathNetwork.from_graph(graph)) for name, graph in graphs.items()}
    assert [name for name, tree in trees.items() if tree is None] == ["actdet"]
    different = [graph for name, graph in graphs.items() if name != "face"]
    for i, left in enumerate(different):
        assert not any(nx.is_isomorphic(left, right) for right in different[i + 1 :])


def test_smoke_suite_covers_applications_rates_objectives_and_hardware() -> None:
    workloads = suite_workloads("smoke")
    assert len(workloads) == 42
    assert {workload.application for workload in workloads} == set(application_names())
    assert len({workload.name for workload in workloads}) == len(workloads)
    for name in application_names():
        mine = [workload for workload in workloads if workload.application == name]
        assert len({workload.rate for workload in mine}) == 7
        assert len({workload.hardware for workload in mine}) == 3
    assert all(len(instance.hardware) >= 2 for instance in SMOKE)


@pytest.mark.parametrize("billing", APART)
@pytest.mark.parametrize("instance", SMOKE, ids=lambda instance: instance.name)
def test_smoke_workloads_are_feasible(instance: Instance, billing: Billing) -> None:
    """One configuration per module, the one with the least d + b / T, is a plan that the checker passes."""
    (problem,) = pipeline_problems(instance)
    schedules = []
    for module in problem.modules:
        quickest = min(module.configurations, key=lambda c: c.duration + c.batch / module.rate)
        schedules.append([DispatchTuple.full(quickest, math.ceil(module.rate / quickest.throughput))])
    pipeline = plan_pipeline(problem, schedules, Dispatch.TC)
    assert check(instance, assemble_plan(instance, billing, Dispatch.TC, [pipeline])).violations == ()


@pytest.mark.parametrize("name", ["paper", "smoke"])
def test_workload_names_tell_the_whole_recipe(name: str) -> None:
    for workload in suite_workloads(name):
        assert Workload.from_name(workload.name) == workload
        assert instance_document(resolve(workload.name)) == instance_document(workload.instance())


def test_shipped_instances_are_valid_files() -> None:
    for instance in SMOKE:
        document = instance_document(instance)
        assert instance_document(from_document(document, instance.name)) == document


def test_the_traffic_example_holds_the_figures_of_the_library() -> None:
    shipped = instance_document(resolve("traffic-198rps"))
    built = instance_document(build("traffic", 198, 0.5, hardware=("V100", "T4"), label="traffic-198rps"))
    assert {**shipped, "description": ""} == {**built, "description": ""}


def test_worked_example_is_the_one_of_the_fixtures(request: pytest.FixtureRequest) -> None:
    fixture = request.getfixturevalue("worked_example")
    shipped = worked_example()
    assert shipped.billing is Billing.FRACTIONAL
    assert dict(shipped.profiles) == dict(fixture.profiles)
    assert (shipped.pipelines[0].rate, shipped.pipelines[0].slo) == (198, 1.0)


def test_hardware_subset_and_its_errors() -> None:
    instance = build("face", 100, 0.5, hardware=["A100"])
    assert set(instance.hardware) == {"A100"}
    assert {c.hardware for profile in instance.profiles.values() for c in profile} == {"A100"}
    with pytest.raises(InputError, match="no figures of resnet50-trt on V100"):
        application_profiles("face", ["V100"])
    with pytest.raises(InputError, match="Did you mean smoke"):
        suite("smok")


DIGEST = """
import hashlib, json
from harpagon.instances.files.instances import instance_document
from harpagon.instances.library.make import make_instances
from harpagon.instances.library.suites import suite
made = [*suite("smoke"), *make_instances(5, application="pose", count=3), *make_instances(5, count=10)]
print(hashlib.sha256(json.dumps([instance_document(item) for item in made]).encode()).hexdigest())
"""


def test_suites_and_made_instances_do_not_depend_on_the_hash_seed() -> None:
    def digest(seed: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", DIGEST]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout

    assert digest("1") == digest("2") != ""


def test_made_instances_depend_on_seed_and_number_alone() -> None:
    few, many, other = (make_instances(seed, count=count) for seed, count in ((1, 2), (1, 5), (2, 5)))
    assert [instance_document(item) for item in few] == [instance_document(item) for item in many[:2]]
    assert instance_document(many[0])["pipelines"] != instance_document(other[0])["pipelines"]
    (workload,) = make_instances(3, application="tts", billing=Billing.FRACTIONAL)
    assert workload.billing is Billing.FRACTIONAL
    assert instance_document(resolve(workload.name))["pipelines"] == instance_document(workload)["pipelines"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"shape": "dimond"}, "Did you mean diamond"),
        ({"application": "poze"}, "Did you mean pose"),
        ({"application": "pose", "shape": "chain"}, "one of the two"),
        ({"count": 0}, "at least 1"),
    ],
)
def test_make_refuses_what_it_cannot_make(arguments: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        make_instances(0, **arguments)  # type: ignore[arg-type]


def test_public_names_exist() -> None:
    import harpagon.instances as layer

    assert all(getattr(layer, name) is not None for name in public_names)
    assert not hasattr(layer, "planet")
