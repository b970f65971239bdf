"""Build an instance step by step, with the keys, units and checks of the instance file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from harpagon.instances.checks import Checks, plain
from harpagon.instances.errors import InputError, shown, suggestion
from harpagon.instances.files.instances import from_document

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harpagon.instances.instance import Instance


@dataclass(frozen=True, slots=True)
class PipelineHandle:
    """A pipeline of a `Model`, to add modules to."""

    name: str


@dataclass(frozen=True, slots=True)
class ModuleHandle:
    """A module of a `Model`, to add edges between."""

    pipeline: str
    name: str


class Model:
    """An instance under construction.

    Figures are in the units of the instance file: milliseconds, requests per second, dollars per hour. What `add_`
    methods return is handed to later ones. `instance` checks the whole in the words of the file reader.

    Parameters
    ----------
    name
        Of the instance.
    billing
        ``whole``, ``fractional`` or ``shared``: how machines are billed unless a solve says otherwise.
    description
        Free text.

    Examples
    --------
    >>> import harpagon
    >>> model = harpagon.Model("one-camera")
    >>> model.add_hardware("T4", price_per_hour=0.526)
    >>> model.add_profile("detector", "T4", {1: 51.9, 8: 195.5})
    >>> camera = model.add_pipeline("camera", rate_rps=60, slo_ms=500)
    >>> detect = model.add_module(camera, "detect", model="detector")
    >>> read = model.add_module(camera, "read", model="detector")
    >>> model.add_edge(detect, read, fanout=0.5)
    >>> harpagon.solve(model.instance()).plan.cost
    2.104
    """

    def __init__(
        self, name: str = "model", *, billing: Literal["whole", "fractional", "shared"] = "whole", description: str = ""
    ) -> None:
        self._name = name
        self._document: dict[str, Any] = {
            "format": "harpagon-instance/1",
            "name": name,
            "description": description,
            "billing": str(billing),
            "hardware": {},
            "profiles": {},
            "pipelines": [],
        }

    def add_hardware(
        self, name: str, *, price_per_hour: float, limit: int | None = None, memory_gb: float | None = None
    ) -> None:
        """Add a machine type.

        Parameters
        ----------
        name
            New in this model.
        price_per_hour
            Dollars per hour of one machine.
        limit
            Machines available to all pipelines together; None for no limit.
        memory_gb
            Gigabytes that the models on one machine may take together; None where they do not count.

        Raises
        ------
        InputError
            Where the name is taken.
        """
        hardware = self._document["hardware"]
        self._check_new("hardware", name, hardware)
        memory = {} if memory_gb is None else {"memory_gb": plain(memory_gb)}
        hardware[name] = {"price_per_hour": plain(price_per_hour), "limit": plain(limit), **memory}

    def add_profile(
        self, model: str, hardware: str, batch_ms: Mapping[int, float], *, memory_gb: float | None = None
    ) -> None:
        """Add the batch durations of a model on one machine type.

        Parameters
        ----------
        model
            Name that modules refer to.
        hardware
            A machine type of this model.
        batch_ms
            Batch size to the milliseconds that one machine takes for one batch.
        memory_gb
            Gigabytes that the model takes on such a machine; None where they do not count.

        Raises
        ------
        InputError
            Where the machine type is unknown, or the model has a profile on it already.
        """
        known = self._document["hardware"]
        check = Checks(self._source)
        check.name(("profiles",), model)
        check.name(("profiles", model), hardware)
        check.filled(("profiles", model, hardware), batch_ms)
        if hardware not in known:
            problem = f"there is no hardware {shown(hardware)}"
            raise InputError(self._source, f"profiles.{model}", problem, suggestion(hardware, known))
        profile = self._document["profiles"].setdefault(model, {})
        self._check_new(f"profile of {shown(model)} on", hardware, profile)
        durations = {plain(batch): plain(duration) for batch, duration in batch_ms.items()}
        profile[hardware] = {**durations, **({} if memory_gb is None else {"memory_gb": plain(memory_gb)})}

    def add_pipeline(self, name: str, *, rate_rps: float, slo_ms: float) -> PipelineHandle:
        """Add a pipeline.

        Parameters
        ----------
        name
            New in this model.
        rate_rps
            Requests per second that enter at every source.
        slo_ms
            Milliseconds allowed on every path from a source to a sink.

        Raises
        ------
        InputError
            Where the name is taken.
        """
        self._check_new("pipeline", name, [pipeline["name"] for pipeline in self._document["pipelines"]])
        figures = {"rate_rps": plain(rate_rps), "slo_ms": plain(slo_ms)}
        self._document["pipelines"].append({"name": name, **figures, "modules": {}, "edges": []})
        return PipelineHandle(name)

    def add_module(
        self, pipeline: PipelineHandle, name: str, *, model: str, join: Literal["all", "any"] = "all"
    ) -> ModuleHandle:
        """Add a module to a pipeline.

        Parameters
        ----------
        pipeline
            As `add_pipeline` returned it.
        name
            New in the pipeline.
        model
            Name of a profile.
        join
            Of a module with several inputs: whether it waits for all of them, or serves any.

        Raises
        ------
        InputError
            Where the pipeline is of another model, or the name is taken.
        """
        modules = self._pipeline(pipeline.name)["modules"]
        self._check_new(f"module of {shown(pipeline.name)}", name, modules)
        modules[name] = {"model": model, "join": join}
        return ModuleHandle(pipeline.name, name)

    def add_edge(
        self, tail: ModuleHandle, head: ModuleHandle, *, fanout: float = 1.0, transfer_ms: float = 0.0
    ) -> None:
        """Join two modules of a pipeline.

        Parameters
        ----------
        tail, head
            As `add_module` returned them: results of ``tail`` are requests of ``head``.
        fanout
            Requests sent per request received.
        transfer_ms
            Milliseconds on the way.

        Raises
        ------
        InputError
            Where the modules are of two pipelines, or of another model.
        """
        if tail.pipeline != head.pipeline:
            problem = f"{tail.name} is of {shown(tail.pipeline)}, {head.name} of {shown(head.pipeline)}"
            raise InputError(self._source, "edges", problem, "Join modules of one pipeline")
        ends = {"from": tail.name, "to": head.name}
        edge = {**ends, "fanout": plain(fanout), "transfer_ms": plain(transfer_ms)}
        self._pipeline(tail.pipeline)["edges"].append(edge)

    def instance(self) -> Instance:
        """The instance as it stands; more may be added and a further one made.

        Raises
        ------
        InputError
            For whatever the reader of instance files refuses, with the place as a path of the file.
        """
        return from_document(self._document, self._source)

    @property
    def _source(self) -> str:
        return f"Model({self._name!r})"

    def _pipeline(self, name: str) -> dict[str, Any]:
        found: dict[str, dict[str, Any]] = {pipeline["name"]: pipeline for pipeline in self._document["pipelines"]}
        if name not in found:
            raise InputError(self._source, "pipelines", f"there is no pipeline {shown(name)}", suggestion(name, found))
        return found[name]

    def _check_new(self, what: str, name: str, taken: Any) -> None:
        Checks(self._source).name((what.split()[0],), name)
        if name in taken:
            raise InputError(self._source, "", f"a second {what} {shown(name)}", "Choose another name")
