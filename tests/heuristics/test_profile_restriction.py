"""Restrictions of the profile: one hardware type, no batching."""

from __future__ import annotations

from heuristic_cases import module

from harpagon.formulations.problem import ModuleProblem, PipelineProblem
from harpagon.graphs import PathNetwork
from harpagon.graphs.shapes import chain
from harpagon.heuristics.harpagon.profile_restriction import HardwareChoice, restrict_hardware, without_batching


def on(*types: tuple[str, float], batches: tuple[int, ...] = (1, 4)) -> ModuleProblem:
    parts = [
        module(10.0, *((batch, 0.1 * batch) for batch in batches), price=price, hardware=hardware)
        for hardware, price in types
    ]
    return ModuleProblem("module", 10.0, sum((part.configurations for part in parts), ()))


def pipeline(*modules: ModuleProblem) -> PipelineProblem:
    return PipelineProblem("pipeline", 1.0, PathNetwork.from_graph(chain(len(modules))), modules)


def hardware_of(problem: PipelineProblem) -> list[set[str]]:
    return [{c.hardware for c in one.configurations} for one in problem.modules]


def test_one_type_that_every_module_has() -> None:
    problem = pipeline(on(("T4", 1.0), ("A10", 2.0), ("V100", 3.0)), on(("A10", 2.0), ("V100", 3.0)))
    assert hardware_of(restrict_hardware(problem, HardwareChoice.CHEAPEST)) == [{"A10"}, {"A10"}]
    assert hardware_of(restrict_hardware(problem, HardwareChoice.DEAREST)) == [{"V100"}, {"V100"}]
    assert restrict_hardware(problem, HardwareChoice.ALL) is problem


def test_falls_back_to_a_type_per_module() -> None:
    problem = pipeline(on(("T4", 1.0), ("A10", 2.0)), on(("V100", 3.0)))
    assert hardware_of(restrict_hardware(problem, HardwareChoice.CHEAPEST)) == [{"T4"}, {"V100"}]
    assert hardware_of(restrict_hardware(problem, HardwareChoice.DEAREST)) == [{"A10"}, {"V100"}]


def test_no_batching_keeps_the_smallest_batch() -> None:
    problem = without_batching(pipeline(on(("T4", 1.0)), on(("T4", 1.0), batches=(2, 8))))
    assert [{c.batch for c in one.configurations} for one in problem.modules] == [{1}, {2}]
