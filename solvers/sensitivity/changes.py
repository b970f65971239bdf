"""Changes to an instance in stated steps: a looser SLO, a lower rate, more machines of a type.

Steps are 0.1 ms of one pipeline's SLO, or 0.1 % of the SLOs of several; 0.1 % of the rate; one machine. More steps of
a looser SLO or of machines never take a plan away. Nor does a lower rate in whole billing, where spare capacity is
padded; in fractional billing a smaller residual collects its batch more slowly, so there it can.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from harpagon.formulations.problem import pipeline_problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harpagon.instances.instance import Instance, Pipeline

SLO_STEP = 1e-4
"""Seconds of one step of one pipeline's SLO."""
SHARE_STEP = 1e-3
"""Share of one step of a rate, or of the SLOs of several pipelines."""
_BEYOND = 4.0
"""Factor by which the loosest SLO passes what any plan of full machines takes."""


class Change(Protocol):
    """One thing about an instance that can change by whole steps."""

    @property
    def kind(self) -> str:
        """``slo``, ``rate`` or ``machines``."""

    @property
    def targets(self) -> tuple[str, ...]:
        """Names of the pipelines or of the hardware types that change."""

    def apply(self, instance: Instance, steps: int) -> Instance:
        """The instance after so many steps."""

    def utmost(self, instance: Instance) -> Instance:
        """The instance as far as this change can go."""

    def most(self, instance: Instance) -> int:
        """Steps after which the change goes no further."""

    def values(self, instance: Instance, steps: int) -> dict[str, float]:
        """Target to its value after so many steps, in units of an instance file."""


@dataclass(frozen=True, slots=True)
class LooserSlo:
    """Longer SLOs of some pipelines: by a step of time for one, by a common factor for several."""

    targets: tuple[str, ...]
    kind = "slo"

    def apply(self, instance: Instance, steps: int) -> Instance:
        """The instance after so many steps."""
        return with_slos(instance, {p.name: self._slo(p, steps) for p in self._pipelines(instance)})

    def utmost(self, instance: Instance) -> Instance:
        """The instance with SLOs that no plan of full machines reaches."""
        return with_slos(instance, {p.name: loosest_slo(instance, p) for p in self._pipelines(instance)})

    def most(self, instance: Instance) -> int:
        """Steps up to the loosest SLO."""
        pairs = [(p.slo, loosest_slo(instance, p)) for p in self._pipelines(instance)]
        if len(pairs) == 1:
            return max(1, round((pairs[0][1] - pairs[0][0]) / SLO_STEP))
        return max(1, round(max(loose / slo - 1 for slo, loose in pairs) / SHARE_STEP))

    def values(self, instance: Instance, steps: int) -> dict[str, float]:
        """Pipeline to SLO in milliseconds."""
        return {p.name: round(self._slo(p, steps) * 1e3, 6) for p in self._pipelines(instance)}

    def _slo(self, pipeline: Pipeline, steps: int) -> float:
        if len(self.targets) == 1:
            return pipeline.slo + steps * SLO_STEP
        return pipeline.slo * (1 + steps * SHARE_STEP)

    def _pipelines(self, instance: Instance) -> list[Pipeline]:
        return [p for p in instance.pipelines if p.name in self.targets]


@dataclass(frozen=True, slots=True)
class LowerRate:
    """Lower rates of some pipelines, by a common factor."""

    targets: tuple[str, ...]
    kind = "rate"

    def apply(self, instance: Instance, steps: int) -> Instance:
        """The instance after so many steps."""
        return with_rates(instance, self._rates(instance, steps))

    def utmost(self, instance: Instance) -> Instance:
        """The instance with one step of the rates left."""
        return self.apply(instance, self.most(instance))

    def most(self, instance: Instance) -> int:
        """All steps but one: a rate stays above 0."""
        return round(1 / SHARE_STEP) - 1

    def values(self, instance: Instance, steps: int) -> dict[str, float]:
        """Pipeline to requests per second."""
        return {name: round(rate, 6) for name, rate in self._rates(instance, steps).items()}

    def _rates(self, instance: Instance, steps: int) -> dict[str, float]:
        return {p.name: p.rate * (1 - steps * SHARE_STEP) for p in instance.pipelines if p.name in self.targets}


@dataclass(frozen=True, slots=True)
class MoreMachines:
    """Higher limits of some hardware types, each by the same number of machines."""

    targets: tuple[str, ...]
    kind = "machines"

    def apply(self, instance: Instance, steps: int) -> Instance:
        """The instance after so many steps."""
        return with_limits(instance, {name: limit + steps for name, limit in self._limits(instance).items()})

    def utmost(self, instance: Instance) -> Instance:
        """The instance without these limits."""
        return with_limits(instance, dict.fromkeys(self._limits(instance)))

    def most(self, instance: Instance) -> int:
        """A million machines."""
        return 1_000_000

    def values(self, instance: Instance, steps: int) -> dict[str, float]:
        """Hardware type to limit."""
        return {name: limit + steps for name, limit in self._limits(instance).items()}

    def _limits(self, instance: Instance) -> dict[str, int]:
        return {n: h.limit for n, h in instance.hardware.items() if n in self.targets and h.limit is not None}


ONE_BY_ONE = 10
"""Pipelines up to which each is varied on its own; more are varied together."""


def single_changes(instance: Instance) -> list[tuple[list[Change], Change | None]]:
    """By kind: every change of one target, and of all targets by the same measure where there are several."""
    pipelines = tuple(pipeline.name for pipeline in instance.pipelines)
    limited = tuple(name for name, hardware in instance.hardware.items() if hardware.limit is not None)
    slos, rates = _alone(LooserSlo, pipelines), _alone(LowerRate, pipelines)
    together = [_together(kind, pipelines) for kind in (LooserSlo, LowerRate)]
    machines: list[Change] = [MoreMachines((name,)) for name in limited]
    return [(slos, together[0]), (rates, together[1]), (machines, _together(MoreMachines, limited))]


def _alone(kind: Callable[[tuple[str, ...]], Change], names: tuple[str, ...]) -> list[Change]:
    return [kind((name,)) for name in names] if len(names) <= ONE_BY_ONE else []


def _together(kind: Callable[[tuple[str, ...]], Change], names: tuple[str, ...]) -> Change | None:
    return kind(names) if len(names) > 1 else None


def with_slos(instance: Instance, slos: Mapping[str, float]) -> Instance:
    """The instance with other SLOs, in seconds by pipeline name."""
    pipelines = tuple(replace(p, slo=slos.get(p.name, p.slo)) for p in instance.pipelines)
    return replace(instance, pipelines=pipelines)


def with_rates(instance: Instance, rates: Mapping[str, float]) -> Instance:
    """The instance with other rates, in requests per second by pipeline name."""
    pipelines = tuple(replace(p, rate=rates.get(p.name, p.rate)) for p in instance.pipelines)
    return replace(instance, pipelines=pipelines)


def with_limits(instance: Instance, limits: Mapping[str, int | None]) -> Instance:
    """The instance with other limits, in machines by hardware type; None for no limit."""
    hardware = {n: replace(h, limit=limits.get(n, h.limit)) for n, h in instance.hardware.items()}
    return replace(instance, hardware=hardware)


def loosest_slo(instance: Instance, pipeline: Pipeline) -> float:
    """Seconds that no plan of full machines reaches under any policy.

    A full tuple collects at least at the throughput of one machine, while other tuples take at most one batch each.
    """
    problem = pipeline_problem(instance, pipeline)
    longest = [
        max(c.duration for c in module.configurations)
        + sum(c.batch for c in module.configurations) / min(c.throughput for c in module.configurations)
        for module in problem.modules
    ]
    return max(pipeline.slo, _BEYOND * problem.network.length(longest))
