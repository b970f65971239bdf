"""The planning problem of one pipeline, compiled from an instance: what every method works on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harpagon.formulations.physics import tc_order
from harpagon.graphs import PathNetwork, propagate_rates

if TYPE_CHECKING:
    from harpagon.instances.instance import Configuration, Instance, Pipeline


@dataclass(frozen=True, slots=True)
class ModuleProblem:
    """One module: serve ``rate`` requests per second with ``configurations``, which stand in ``tc`` order."""

    name: str
    rate: float
    configurations: tuple[Configuration, ...]


@dataclass(frozen=True, slots=True)
class PipelineProblem:
    """One pipeline: modules in the topological order of ``network``, ``slo`` seconds on every path."""

    name: str
    slo: float
    network: PathNetwork
    modules: tuple[ModuleProblem, ...]


def pipeline_problem(instance: Instance, pipeline: Pipeline) -> PipelineProblem:
    """Compile one pipeline of an instance."""
    network = PathNetwork.from_graph(pipeline.graph)
    rates = propagate_rates(pipeline.graph, pipeline.rate)
    modules = tuple(
        ModuleProblem(name, rates[name], _available(instance, pipeline.graph.nodes[name]["model"]))
        for name in network.modules
    )
    return PipelineProblem(pipeline.name, pipeline.slo, network, modules)


def pipeline_problems(instance: Instance) -> tuple[PipelineProblem, ...]:
    """Compile every pipeline of an instance."""
    return tuple(pipeline_problem(instance, pipeline) for pipeline in instance.pipelines)


def _available(instance: Instance, model: str) -> tuple[Configuration, ...]:
    """Configurations of a model in ``tc`` order; a type with limit 0 is not there, unless nothing else is."""
    profile = sorted(instance.profiles[model], key=tc_order)
    there = tuple(c for c in profile if instance.hardware[c.hardware].limit != 0)
    return there or tuple(profile)
