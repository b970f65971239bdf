"""Instance files: read, check as a whole, and write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harpagon.instances.checks import expect, located
from harpagon.instances.files.documents import read_document
from harpagon.instances.files.graphs import pipeline_graph
from harpagon.instances.files.objectives import check_objectives
from harpagon.instances.files.profiles import profile_document, read_profiles
from harpagon.instances.files.schema import InstanceFile, PipelineFile
from harpagon.instances.files.units import milliseconds, seconds
from harpagon.instances.files.validation import validate
from harpagon.instances.files.writing import write_text
from harpagon.instances.instance import Hardware, Instance, Pipeline
from harpagon.instances.mistakes import warn_of_mistakes
from harpagon.instances.policies import Billing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harpagon.instances.errors import Place


def read_instance(path: str | Path) -> Instance:
    """Instance of a JSON or YAML file in the format ``harpagon-instance/1``.

    Parameters
    ----------
    path
        File; `documents.read_document` says how its language is told.

    Returns
    -------
    Instance
        In seconds, requests per second and dollars per hour.

    Raises
    ------
    InputError
        With file, place, problem and next step, for whatever is wrong with the file.

    Warns
    -----
    HarpagonWarning
        For what is valid and most likely a mistake: wrong units, a module apart from the rest, and the like.
    """
    instance = from_document(read_document(path), str(path))
    warn_of_mistakes(instance, str(path))
    return instance


def from_document(document: Any, source: str) -> Instance:
    """Instance of plain data, as `read_document` returns it; ``source`` names it in messages.

    Raises
    ------
    InputError
        Where the data is no valid instance.
    """
    file = validate(InstanceFile, document, source)
    hardware = {
        name: Hardware(name, item.price_per_hour, item.limit, item.bundle, item.memory_gb)
        for name, item in file.hardware.items()
    }
    profiles = read_profiles(file.profiles, hardware, source)
    pipelines = tuple(_pipeline(item, ("pipelines", position), source) for position, item in enumerate(file.pipelines))
    with located(source, ()):
        instance = Instance(file.name, Billing(file.billing), hardware, profiles, pipelines, file.description)
    check_objectives(instance, source)
    return instance


def _pipeline(file: PipelineFile, place: Place, source: str) -> Pipeline:
    graph = pipeline_graph(file, place, source)
    with located(source, place):
        return Pipeline(file.name, file.rate_rps, seconds(file.slo_ms), graph, file.burst, file.spare)


def instance_document(instance: Instance) -> dict[str, Any]:
    """Plain data of an instance in the format ``harpagon-instance/1``; the inverse of `from_document`."""
    return {
        "format": "harpagon-instance/1",
        "name": instance.name,
        **({"description": instance.description} if instance.description else {}),
        "billing": instance.billing.value,
        "hardware": {name: _hardware_document(item) for name, item in instance.hardware.items()},
        "profiles": {model: profile_document(profile) for model, profile in instance.profiles.items()},
        "pipelines": [_pipeline_document(pipeline) for pipeline in instance.pipelines],
    }


def _hardware_document(hardware: Hardware) -> dict[str, Any]:
    return {
        "price_per_hour": hardware.price,
        **({} if hardware.limit is None else {"limit": hardware.limit}),
        **({} if hardware.bundle == 1 else {"bundle": hardware.bundle}),
        **({} if hardware.memory_gb is None else {"memory_gb": hardware.memory_gb}),
    }


def _pipeline_document(pipeline: Pipeline) -> dict[str, Any]:
    nodes: Iterator[tuple[str, dict[str, Any]]] = pipeline.graph.nodes(data=True)
    modules = {name: {"model": data["model"], "join": data.get("join", "all")} for name, data in nodes}
    edges = [
        {
            "from": tail,
            "to": head,
            "fanout": data.get("fanout", 1.0),
            "transfer_ms": milliseconds(data.get("transfer", 0.0)),
        }
        for tail, head, data in pipeline.graph.edges(data=True)
    ]
    return {
        "name": pipeline.name,
        "rate_rps": pipeline.rate,
        "slo_ms": milliseconds(pipeline.slo),
        **({} if pipeline.burst == 1 else {"burst": pipeline.burst}),
        **({} if pipeline.spare == 0 else {"spare": pipeline.spare}),
        "modules": modules,
        "edges": edges,
    }


def write_instance(path: str | Path, instance: Instance) -> None:
    """Write an instance as JSON.

    Raises
    ------
    InputError
        Where an argument is of another class.
    MachineError
        Where the file cannot be written.
    """
    expect(Instance, instance=instance)
    write_json(path, instance_document(instance))


def write_json(path: str | Path, document: Mapping[str, Any]) -> None:
    """Write plain data as JSON, indented, with a newline at the end; never NaN or Infinity."""
    write_text(path, json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False) + "\n")
