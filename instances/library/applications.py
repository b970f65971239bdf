"""The shipped applications: pipeline graphs that become instances with a load and an objective."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from harpagon.instances.errors import InputError, shown, suggestion
from harpagon.instances.instance import Instance, Pipeline
from harpagon.instances.library.profiles import DATA, library, library_hardware
from harpagon.instances.policies import Billing

if TYPE_CHECKING:
    from collections.abc import Collection

    import networkx as nx

    from harpagon.instances.instance import Configuration


@dataclass(frozen=True, slots=True)
class Application:
    """A pipeline graph without load: ``models`` are keys of the library, ``description`` names the stand-ins."""

    name: str
    description: str
    graph: nx.DiGraph

    @property
    def models(self) -> tuple[str, ...]:
        """Models of the modules, each once, in the order of the modules."""
        return tuple(dict.fromkeys(model for _, model in self.graph.nodes(data="model")))


def application_names() -> tuple[str, ...]:
    """Names of the shipped applications, sorted."""
    return tuple(sorted(path.stem for path in (DATA / "applications").glob("*.yaml")))


@cache
def application(name: str) -> Application:
    """A shipped application.

    Raises
    ------
    InputError
        Where there is no application of this name.
    """
    from harpagon.instances.files.documents import read_document
    from harpagon.instances.files.graphs import pipeline_graph
    from harpagon.instances.files.schema import ApplicationFile
    from harpagon.instances.files.validation import validate

    if name not in application_names():
        raise InputError(name, "", "there is no such application", suggestion(name, application_names()))
    path = DATA / "applications" / f"{name}.yaml"
    file = validate(ApplicationFile, read_document(path), str(path))
    return Application(file.name, file.description, pipeline_graph(file, (), str(path)))


def application_profiles(name: str, hardware: Collection[str] | None = None) -> dict[str, tuple[Configuration, ...]]:
    """Library profiles of an application's models on some hardware types (None: all).

    Raises
    ------
    InputError
        Where the library has no such hardware type, or a model has no figures on any of them.
    """
    chosen = library_hardware() if hardware is None else hardware
    for unknown in [item for item in chosen if item not in library_hardware()]:
        raise InputError(
            name, "hardware", f"unknown hardware {shown(unknown)}", suggestion(unknown, library_hardware())
        )
    profiles = {
        model: tuple(item for item in library()[model] if item.hardware in chosen) for model in application(name).models
    }
    for model in [model for model, profile in profiles.items() if not profile]:
        known = ", ".join(dict.fromkeys(item.hardware for item in library()[model]))
        problem = f"the library has no figures of {model} on {', '.join(chosen)}"
        raise InputError(name, "hardware", problem, f"It has some on {known}")
    return profiles


def build(
    name: str,
    rate: float,
    slo: float,
    *,
    billing: Billing = Billing.WHOLE,
    hardware: Collection[str] | None = None,
    label: str | None = None,
) -> Instance:
    """Instance of a shipped application.

    Parameters
    ----------
    name
        Application.
    rate
        Requests per second at every source.
    slo
        Seconds on every path.
    billing
        Default billing of the instance.
    hardware
        Hardware types of the library to choose from; None for all.
    label
        Name of the instance; None for the application's name.

    Raises
    ------
    InputError
        As `application` and `application_profiles`.
    """
    profiles = application_profiles(name, hardware)
    used = {item.hardware for profile in profiles.values() for item in profile}
    types = {key: item for key, item in library_hardware().items() if key in used}
    app = application(name)
    pipeline = Pipeline(name, rate, slo, app.graph.copy())
    return Instance(label or name, billing, types, profiles, (pipeline,), app.description)
