"""The builder makes the instance that the file would, and refuses what the reader of files refuses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from harpagon.instances.errors import InputError
from harpagon.instances.files.instances import instance_document
from harpagon.instances.library.shipped import example, example_names
from harpagon.instances.model import Model, ModuleHandle, PipelineHandle


def rebuilt(name: str) -> Model:
    """A shipped instance, rebuilt call by call."""
    document = instance_document(example(name))
    model = Model(document["name"], billing=document["billing"], description=document.get("description", ""))
    for hardware, figures in document["hardware"].items():
        model.add_hardware(hardware, **figures)
    for profile, by_hardware in document["profiles"].items():
        for hardware, durations in by_hardware.items():
            model.add_profile(profile, hardware, {int(batch): duration for batch, duration in durations.items()})
    for given in document["pipelines"]:
        pipeline = model.add_pipeline(given["name"], rate_rps=given["rate_rps"], slo_ms=given["slo_ms"])
        modules = {module: model.add_module(pipeline, module, **keys) for module, keys in given["modules"].items()}
        for edge in given["edges"]:
            ends = modules[edge["from"]], modules[edge["to"]]
            model.add_edge(*ends, fanout=edge["fanout"], transfer_ms=edge["transfer_ms"])
    return model


@pytest.mark.parametrize("name", example_names())
def test_it_makes_what_the_file_makes(name: str) -> None:
    assert instance_document(rebuilt(name).instance()) == instance_document(example(name))


def small() -> tuple[Model, PipelineHandle, ModuleHandle]:
    model = Model("small")
    model.add_hardware("cpu", price_per_hour=1)
    model.add_profile("m", "cpu", {1: 10})
    pipeline = model.add_pipeline("p", rate_rps=1, slo_ms=100)
    return model, pipeline, model.add_module(pipeline, "a", model="m")


def test_memory_counts_as_in_a_file() -> None:
    model = Model("memory")
    model.add_hardware("gpu", price_per_hour=1, memory_gb=24)
    model.add_profile("m", "gpu", {1: 10}, memory_gb=9)
    model.add_module(model.add_pipeline("p", rate_rps=1, slo_ms=100), "a", model="m")
    document = instance_document(model.instance())
    assert document["hardware"]["gpu"]["memory_gb"] == 24
    assert document["profiles"]["m"]["gpu"]["memory_gb"] == 9


def test_numpy_figures_count_as_numbers() -> None:
    model = Model("numpy")
    model.add_hardware("cpu", price_per_hour=np.float64(1.5), limit=np.int64(3))  # type: ignore[arg-type]
    model.add_profile("m", "cpu", dict(zip(np.array([1, 2]), np.array([10.0, 15.0]), strict=True)))
    model.add_module(model.add_pipeline("p", rate_rps=np.float32(2), slo_ms=np.int64(100)), "a", model="m")  # type: ignore[arg-type]
    instance = model.instance()
    assert [c.batch for c in instance.profiles["m"]] == [1, 2] and instance.hardware["cpu"].limit == 3


def test_more_may_be_added_after_an_instance_is_made() -> None:
    model, pipeline, first = small()
    before = model.instance()
    model.add_edge(first, model.add_module(pipeline, "b", model="m"))
    assert len(before.pipelines[0].graph) == 1 and len(model.instance().pipelines[0].graph) == 2


WRONG: dict[str, tuple[Callable[[Model, PipelineHandle, ModuleHandle], object], str]] = {
    "hardware twice": (lambda m, p, a: m.add_hardware("cpu", price_per_hour=2), 'a second hardware "cpu"'),
    "unknown hardware": (lambda m, p, a: m.add_profile("m", "cpv", {1: 1}), 'no hardware "cpv". Did you mean cpu'),
    "profile twice": (lambda m, p, a: m.add_profile("m", "cpu", {1: 1}), 'a second profile of "m" on "cpu"'),
    "pipeline twice": (lambda m, p, a: m.add_pipeline("p", rate_rps=1, slo_ms=1), 'a second pipeline "p"'),
    "module twice": (lambda m, p, a: m.add_module(p, "a", model="m"), 'a second module of "p" "a"'),
    "stranger": (lambda m, p, a: m.add_module(PipelineHandle("q"), "b", model="m"), 'there is no pipeline "q"'),
    "two pipelines": (lambda m, p, a: m.add_edge(a, ModuleHandle("q", "b")), "Join modules of one pipeline"),
    "loop": (lambda m, p, a: m.add_edge(a, a), "joins a module to itself"),
    "unknown module": (lambda m, p, a: m.add_edge(a, ModuleHandle("p", "z")), 'there is no module "z"'),
    "no such model": (lambda m, p, a: m.add_module(p, "b", model="n"), 'there is no profile of "n"'),
    "bad join": (lambda m, p, a: m.add_module(p, "b", model="m", join="some"), "must be 'all' or 'any'"),  # type: ignore[arg-type]
    "price": (lambda m, p, a: m.add_hardware("x", price_per_hour=-1), "hardware.x.price_per_hour"),
    "limit": (lambda m, p, a: m.add_hardware("x", price_per_hour=1, limit=-1), "hardware.x.limit"),
    "duration": (lambda m, p, a: m.add_profile("n", "cpu", {1: float("nan")}), "profiles.n.cpu"),
    "batch": (lambda m, p, a: m.add_profile("n", "cpu", {0: 1.0}), "profiles.n.cpu"),
    "rate": (lambda m, p, a: m.add_pipeline("q", rate_rps=0, slo_ms=1), r"pipelines\[1\]"),
    "no modules": (lambda m, p, a: m.add_pipeline("q", rate_rps=1, slo_ms=1), r"pipelines\[1\].modules: must not be"),
    "billing": (lambda m, p, a: Model("x", billing="half").instance(), "billing"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("fault", WRONG)
def test_it_refuses_with_the_place(fault: str) -> None:
    act, message = WRONG[fault]
    model, pipeline, module = small()
    with pytest.raises(InputError, match=message) as caught:
        act(model, pipeline, module)
        model.instance()
    assert caught.value.file.startswith("Model(")
