"""Core counts as hardware types: a container with c cores is a machine whose price is c.

With this the planner of the package chooses cores (vertical scaling), replicas (horizontal scaling) and batch sizes
together, and every command accepts a core profile.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import networkx as nx

from harpagon.instances.cpu.profile import CoreProfile, read_core_profile
from harpagon.instances.errors import InputError, suggestion
from harpagon.instances.instance import Configuration, Hardware, Instance, Pipeline
from harpagon.instances.library.shipped import resolve
from harpagon.instances.policies import Billing

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = re.compile(r"cpu-(\d+)")


def core_hardware(cores: int, price_per_core: float = 1.0) -> Hardware:
    """Machine type of a container with ``cores`` cores, priced in dollars per core and hour."""
    return Hardware(f"cpu-{cores}", cores * price_per_core)


def cores_of(hardware: str) -> int:
    """Cores of a hardware type called cpu-1, cpu-2, ...; ValueError for any other."""
    found = _NAME.fullmatch(hardware)
    if found is None:
        raise ValueError(f"{hardware} names no number of cores")
    return int(found[1])


def core_instance(
    name: str,
    profiles: Mapping[str, CoreProfile],
    pipeline: Pipeline,
    price_per_core: float = 1.0,
) -> Instance:
    """Instance of one pipeline on containers of every profiled core count, in whole billing.

    Parameters
    ----------
    name
        Name of the instance.
    profiles
        Model to its batch durations.
    pipeline
        Its modules name models of ``profiles``.
    price_per_core
        Dollars per hour; at 1 the cost of a plan is its cores.
    """
    hardware, configurations = _on_containers(profiles, price_per_core)
    return Instance(name, Billing.WHOLE, hardware, configurations, (pipeline,))


def _on_containers(
    profiles: Mapping[str, CoreProfile], price_per_core: float
) -> tuple[dict[str, Hardware], dict[str, tuple[Configuration, ...]]]:
    """Hardware types of every profiled core count, and the configurations of every model on them."""
    counts = sorted({cores for profile in profiles.values() for cores in profile.cores})
    hardware = {item.name: item for item in (core_hardware(cores, price_per_core) for cores in counts)}
    configurations = {
        model: tuple(
            Configuration.measured(f"cpu-{c}", b, mean, hardware[f"cpu-{c}"].price, quantiles)
            for (c, b), duration in sorted(profile.durations.items())
            for mean, quantiles in [profile.spread.get((c, b), (duration, ()))]
        )
        for model, profile in profiles.items()
    }
    return hardware, configurations


def with_core_limits(instance: Instance, cores: int) -> Instance:
    """The instance with, of every type cpu-1, cpu-2, ..., as many containers as a machine of ``cores`` cores holds.

    Each type is limited as if it were alone on the machine.
    """
    hardware = {
        name: replace(kind, limit=cores // cores_of(name)) if _NAME.fullmatch(name) else kind
        for name, kind in instance.hardware.items()
    }
    return replace(instance, hardware=hardware)


def core_profile_of(instance: Instance, model: str) -> CoreProfile:
    """The core profile of a model: its configurations on the hardware types ``cpu-1``, ``cpu-2`` and so on.

    Raises
    ------
    InputError
        Where the instance has no such model, or the model runs on no such hardware type.
    """
    if model not in instance.profiles:
        raise InputError(instance.name, "profiles", f"no profile of {model!r}", suggestion(model, instance.profiles))
    durations = {
        (int(found[1]), configuration.batch): configuration.duration
        for configuration in instance.profiles[model]
        if (found := _NAME.fullmatch(configuration.hardware))
    }
    if not durations:
        problem = "the model runs on no hardware type called cpu-1, cpu-2, ..."
        raise InputError(instance.name, f"profiles.{model}", problem, "Profile it with `harpagon profile`")
    return CoreProfile(model, durations)


def read_any_core_profile(name_or_path: str, model: str | None = None) -> CoreProfile:
    """Core profile of a CSV table, or of one model of an instance.

    Parameters
    ----------
    name_or_path
        A name that ends in ``.csv`` is read as a table, any other as an instance file or a shipped instance.
    model
        Model of the instance; None where it has only one.
    """
    if name_or_path.lower().endswith(".csv"):
        return read_core_profile(Path(name_or_path), model)
    instance = resolve(name_or_path)
    if model is None and len(instance.profiles) > 1:
        listed = ", ".join(instance.profiles)
        raise InputError(name_or_path, "profiles", f"there are several models: {listed}", "Name one with --model")
    return core_profile_of(instance, model or next(iter(instance.profiles)))


def single_module_instance(profile: CoreProfile, rate: float, slo: float, price_per_core: float = 1.0) -> Instance:
    """Instance of one module that serves ``rate`` requests per second within ``slo`` seconds."""
    graph = nx.DiGraph()
    graph.add_node(profile.name, model=profile.name, join="all")
    return core_instance(
        profile.name, {profile.name: profile}, Pipeline(profile.name, rate, slo, graph), price_per_core
    )


def require_room(instance: Instance, model: str, after: str) -> None:
    """Raise unless `append_module` can add ``model`` after module ``after``.

    Raises
    ------
    InputError
        Where there is no such module, several pipelines, already a model of that name, or no price of a core.
    """
    pipeline = instance.pipelines[0]
    if len(instance.pipelines) > 1:
        raise InputError(instance.name, "pipelines", "has several pipelines", "Add the module by hand")
    if after not in pipeline.graph:
        raise InputError("--after", after, "there is no such module", suggestion(after, pipeline.graph.nodes))
    if model in instance.profiles or model in pipeline.graph:
        raise InputError(instance.name, model, "already has this model", "Give another name with --name")
    _price_per_core(instance)


def append_module(instance: Instance, profile: CoreProfile, after: str, fanout: float) -> Instance:
    """The instance with one more module at the end of an edge from module ``after`` of its only pipeline.

    Cores cost what they cost in the instance. Raises as `require_room`.
    """
    require_room(instance, profile.name, after)
    pipeline = instance.pipelines[0]
    graph = pipeline.graph.copy()
    graph.add_node(profile.name, model=profile.name, join="all")
    graph.add_edge(after, profile.name, fanout=fanout, transfer=0.0)
    hardware, profiles = _on_containers({profile.name: profile}, _price_per_core(instance))
    return replace(
        instance,
        hardware={**hardware, **instance.hardware},
        profiles={**instance.profiles, **profiles},
        pipelines=(replace(pipeline, graph=graph),),
    )


def _price_per_core(instance: Instance) -> float:
    for name, hardware in instance.hardware.items():
        if found := _NAME.fullmatch(name):
            return hardware.price / int(found[1])
    raise InputError(instance.name, "hardware", "has no type called cpu-1, cpu-2, ...", "Begin a new file")
