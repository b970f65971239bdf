"""Planning with fewer configurations: one hardware type, or no batching."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harpagon.formulations.problem import ModuleProblem, PipelineProblem
    from harpagon.instances.instance import Configuration


class HardwareChoice(StrEnum):
    """Hardware types a planner may use."""

    ALL = "all"
    CHEAPEST = "cheapest"
    """The cheapest type that has profiles for every module of the pipeline."""
    DEAREST = "dearest"
    """The dearest such type."""


def restrict_hardware(problem: PipelineProblem, choice: HardwareChoice) -> PipelineProblem:
    """Keep one hardware type for the whole pipeline.

    Where no type has profiles for every module, each module keeps the cheapest (dearest) of its own types. Types of
    equal price go by name.
    """
    if choice is HardwareChoice.ALL:
        return problem
    common = set.intersection(*(_types(module) for module in problem.modules))
    modules = tuple(
        _with_configurations(module, _of_type(module, _choose(common or _types(module), choice)))
        for module in problem.modules
    )
    return replace(problem, modules=modules)


def without_batching(problem: PipelineProblem) -> PipelineProblem:
    """Keep batch 1 of every module, or the smallest batch its profile has."""
    modules = tuple(_with_configurations(module, _smallest_batch(module)) for module in problem.modules)
    return replace(problem, modules=modules)


def _types(module: ModuleProblem) -> set[tuple[float, str]]:
    return {(configuration.price, configuration.hardware) for configuration in module.configurations}


def _choose(types: set[tuple[float, str]], choice: HardwareChoice) -> str:
    return (min(types) if choice is HardwareChoice.CHEAPEST else max(types))[1]


def _of_type(module: ModuleProblem, hardware: str) -> tuple[Configuration, ...]:
    return tuple(c for c in module.configurations if c.hardware == hardware)


def _smallest_batch(module: ModuleProblem) -> tuple[Configuration, ...]:
    smallest = min(c.batch for c in module.configurations)
    return tuple(c for c in module.configurations if c.batch == smallest)


def _with_configurations(module: ModuleProblem, configurations: tuple[Configuration, ...]) -> ModuleProblem:
    return replace(module, configurations=configurations)
