"""The data of the optimisation models: modules of all pipelines in one list, their bounds, edges and tangents."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from harpagon.formulations.bounds import ModuleBounds, hardware_limits, module_bounds
from harpagon.formulations.physics import RATE_TOLERANCE, TIME_TOLERANCE, collection_rate, collects, execution
from harpagon.formulations.problem import edges_and_sinks
from harpagon.instances.policies import Billing, Dispatch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harpagon.formulations.problem import ModuleProblem, PipelineProblem
    from harpagon.instances.instance import Configuration, Hardware, Instance

_FIRST_TANGENTS = 5
_RESIDUAL_MARGIN = 1e-7


@dataclass(frozen=True, slots=True)
class Tangents:
    """Points w0 at which the curves d + b / w have tangents: triples (module, configuration, w0).

    Attributes
    ----------
    full
        For the collecting rate of full machines.
    residual
        For the rate of a residual.
    """

    full: tuple[tuple[int, int, float], ...] = ()
    residual: tuple[tuple[int, int, float], ...] = ()

    def with_points(
        self, full: Sequence[tuple[int, int, float]], residual: Sequence[tuple[int, int, float]]
    ) -> Tangents:
        """These points and the ones given, each once."""
        return Tangents(tuple(dict.fromkeys((*self.full, *full))), tuple(dict.fromkeys((*self.residual, *residual))))


@dataclass(frozen=True, slots=True)
class PlanningData:
    """All pipelines of an instance, compiled for a model.

    Attributes
    ----------
    problems
        The pipelines; ``modules`` lists their modules one pipeline after the other.
    billing, dispatch
        The case.
    limits
        Machines that there are of each limited hardware type, and of each sold in bundles as many as the cost pays for.
    bundles
        Hardware types sold in bundles.
    modules, bounds, slo
        One entry per module: its problem, its ranges, and the SLO of its pipeline in seconds.
    edges
        (tail, head) to transfer seconds, modules by number.
    sinks
        Modules without successors.
    keys
        All pairs (module, configuration), configurations numbered as in ``bounds[module].configurations``.
    tangents
        Where the latency curves are cut.
    """

    problems: tuple[PipelineProblem, ...]
    billing: Billing
    dispatch: Dispatch
    limits: Mapping[str, int]
    bundles: Mapping[str, Hardware]
    modules: tuple[ModuleProblem, ...]
    bounds: tuple[ModuleBounds, ...]
    slo: tuple[float, ...]
    edges: Mapping[tuple[int, int], float]
    sinks: tuple[int, ...]
    keys: tuple[tuple[int, int], ...]
    tangents: Tangents

    @classmethod
    def compile(
        cls,
        instance: Instance,
        problems: tuple[PipelineProblem, ...],
        billing: Billing,
        dispatch: Dispatch,
        cost: float,
    ) -> Self:
        """Compile for plans of at most ``cost`` dollars per hour."""
        bundles = {name: one for name, one in instance.hardware.items() if one.bundle > 1}
        limits = {name: affordable(one, cost) for name, one in bundles.items()} | hardware_limits(instance)
        bounds = tuple(b for pipeline in module_bounds(problems, dispatch, limits, cost) for b in pipeline)
        edges, sinks = edges_and_sinks(problems)
        modules = tuple(module for problem in problems for module in problem.modules)
        data = cls(
            problems=problems,
            billing=billing,
            dispatch=dispatch,
            limits=limits,
            bundles=bundles,
            modules=modules,
            bounds=bounds,
            slo=tuple(problem.slo for problem in problems for _ in problem.modules),
            edges=edges,
            sinks=sinks,
            keys=tuple((m, c) for m, bound in enumerate(bounds) for c in range(len(bound.configurations))),
            tangents=Tangents(),
        )
        return replace(data, tangents=_first_tangents(data))

    def configuration(self, m: int, c: int) -> Configuration:
        """Configuration ``c`` of module ``m``."""
        return self.bounds[m].configurations[c]

    def machine_bound(self, m: int, c: int) -> int:
        """Most machines of it in an optimal plan, N."""
        return self.bounds[m].machines[c]

    def residual_bound(self, m: int, c: int) -> float:
        """Largest rate of a residual: below its machine's throughput by more than a solver's tolerance."""
        return self.configuration(m, c).throughput * (1 - _RESIDUAL_MARGIN)

    def largest_rate(self, m: int) -> float:
        """Rate of all the machines that module ``m`` can hold, a residual included."""
        full = sum(self.machine_bound(m, c) * self.configuration(m, c).throughput for c in self.of_module(m))
        return full + max(self.configuration(m, c).throughput for c in self.of_module(m))

    def execution(self, m: int, c: int) -> float:
        """Seconds that a full machine needs at any rate: d, under ``round-robin`` 2 d."""
        return execution(self.configuration(m, c), self.dispatch)

    def least_rate(self, m: int, c: int) -> float:
        """Smallest rate w at which d + b / w meets the module's latest latency."""
        return collection_rate(self.configuration(m, c), self.bounds[m].latest + TIME_TOLERANCE)

    def of_module(self, m: int) -> range:
        """Numbers of the configurations of module ``m``."""
        return range(len(self.bounds[m].configurations))


def affordable(hardware: Hardware, cost: float) -> int:
    """Machines in the whole bundles of a type that ``cost`` dollars per hour pay for."""
    bundles = math.floor(cost / (hardware.price * hardware.bundle) * (1 + RATE_TOLERANCE))
    return bundles * hardware.bundle


def _first_tangents(data: PlanningData) -> Tangents:
    """A few points per curve, in equal ratios over the rates it can have."""
    full = [
        (m, c, w0)
        for m, c in data.keys
        if collects(data.dispatch)
        for w0 in _spread(data.least_rate(m, c), data.bounds[m].capacity)
    ]
    residual = [
        (m, c, f0)
        for m, c in data.keys
        if data.billing is Billing.FRACTIONAL
        for f0 in _spread(data.least_rate(m, c), data.configuration(m, c).throughput)
    ]
    return Tangents(tuple(full), tuple(residual))


def _spread(low: float, high: float) -> list[float]:
    if high <= low or low == 0:
        return [high]
    ratio = (high / low) ** (1 / (_FIRST_TANGENTS - 1))
    return [low * ratio**i for i in range(_FIRST_TANGENTS)]
