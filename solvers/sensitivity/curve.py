"""Cost against SLO and cost against rate as exact step functions, with the plan of every step.

Over the SLO: with the optimum at an SLO known, the optimum costs the same down to the latency of its plan, so the next
SLO stands just below that latency. For several pipelines all SLOs share a factor, and the step ends at the largest
latency over SLO of any pipeline. The breakpoints are exact, up to the finest step in time (`STEP`). In fractional
billing a residual works no faster than an SLO asks, and cost may fall all the way: there the steps are a hundredth of
the range long at least, and each has the optimum at its tight end, which no optimum at an SLO of the step exceeds.

Over the rate: all rates share a factor x. In whole billing a plan serves every smaller rate as well, because spare
capacity is padded, and its largest rate is its capacity: its worst-case latencies and its use of machines do not
depend on the rate; under ``paced`` latencies rise with it, and its largest rate is that at which it still keeps every
SLO. So the optimum at x stays one up to the smallest such factor of any module, and the next step starts just above. In
fractional billing a residual follows the rate, and cost is no step function: there is no curve over the rate.

Both curves go from the cheapest step to the dearest. A step ends where the cost changes; plans of equal cost are one
step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harpagon.formulations.physics import COST_TOLERANCE, RATE_TOLERANCE, TIME_TOLERANCE, keeps_streams
from harpagon.formulations.problem import pipeline_problem
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.capabilities import UnsupportedError
from harpagon.solvers.result import Termination
from harpagon.solvers.sensitivity.changes import loosest_slo, with_rates, with_slos

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pandas import DataFrame

    from harpagon.instances.instance import Instance, Pipeline
    from harpagon.instances.plan import PipelinePlan, Plan
    from harpagon.solvers.result import Result

SAMPLES = 100
"""Factors on the SLOs that a curve of fractional billing is traced at, at the most."""
_BISECTIONS = 40
STEP = 2 * TIME_TOLERANCE
"""Seconds by which the next SLO lies below a plan's latency: a plan may pass its SLO by `TIME_TOLERANCE`."""


@dataclass(frozen=True, slots=True)
class CurveStep:
    """A range of factors over which the optimum costs the same.

    Attributes
    ----------
    low, high
        Factors on all SLOs or on all rates of the instance. Over the SLO the range includes ``low`` and ends below
        ``high``; over the rate it begins above ``low`` and includes ``high``.
    result
        The method at one point of the range, its plan valid on all of it.
    """

    low: float
    high: float
    result: Result

    @property
    def cost(self) -> float:
        """Dollars per hour."""
        assert self.result.plan is not None, "a step has a plan"
        return self.result.plan.cost

    def holds(self, factor: float, over: str) -> bool:
        """Whether the step of a curve over ``slo`` or ``rate`` includes this factor."""
        return self.low <= factor < self.high if over == "slo" else self.low < factor <= self.high

    @property
    def proven(self) -> bool:
        """Whether the cost is a proven optimum."""
        return self.result.termination is Termination.OPTIMAL


@dataclass(frozen=True, slots=True)
class Curve:
    """A cost curve of an instance.

    Attributes
    ----------
    instance
        Name of the instance.
    over
        ``slo`` or ``rate``.
    scale
        What a factor of 1 is for the one pipeline, in milliseconds or requests per second; None for several.
    steps
        Adjacent, from the smallest factor to the largest.
    """

    instance: str
    over: str
    scale: float | None
    steps: tuple[CurveStep, ...]

    @classmethod
    def of(cls, instance: Instance, over: str, steps: Iterable[CurveStep]) -> Curve:
        """Curve of these steps of an instance, in any order."""
        pipeline = instance.pipelines[0]
        scale = None if len(instance.pipelines) > 1 else pipeline.slo * 1e3 if over == "slo" else pipeline.rate
        return cls(instance.name, over, scale, tuple(sorted(steps, key=lambda step: step.low)))

    def to_frame(self) -> DataFrame:
        """One row per step: low, high (milliseconds or req/s, else factors), cost_per_hour, proven."""
        import pandas as pd

        scale = self.scale or 1.0
        rows = [(step.low * scale, step.high * scale, step.cost, step.proven) for step in self.steps]
        return pd.DataFrame(rows, columns=["low", "high", "cost_per_hour", "proven"])


def slo_curve(
    instance: Instance, solve: Callable[[Instance], Result], low: float, high: float | None = None
) -> Iterator[CurveStep]:
    """Steps of the cost over a common factor on all SLOs, from the loosest down.

    Parameters
    ----------
    instance
        Any.
    solve
        The method, with its billing, dispatch policy and options.
    low, high
        Range of the factor; without ``high`` the curve begins where no SLO binds.

    Yields
    ------
    CurveStep
        Adjacent, from ``high`` down to ``low`` or to the first factor without a plan.
    """
    slos = {pipeline.name: pipeline.slo for pipeline in instance.pipelines}
    loosest = max(loosest_slo(instance, p) / p.slo for p in instance.pipelines)
    factor = high = high or loosest
    held: CurveStep | None = None
    while factor >= low:
        result = solve(with_slos(instance, {name: factor * slo for name, slo in slos.items()}))
        if result.plan is None:
            break
        reach = max(low, min(factor, _reach(result.plan, slos)))
        step = CurveStep(reach, held.high if held and _same(held, result.plan) else held.low if held else high, result)
        if held is not None and not _same(held, result.plan):
            yield held
        held = step
        below = _below(result.plan, slos)
        if result.plan.billing is Billing.FRACTIONAL:
            below = min(below, factor - (high - low) / SAMPLES)
        factor = below
    if held is not None:
        yield held


def _reach(plan: Plan, slos: dict[str, float]) -> float:
    """Smallest factor on the SLOs at which ``plan`` still meets them."""
    return max(pipeline.latency / slos[pipeline.name] for pipeline in plan.pipelines)


def _below(plan: Plan, slos: dict[str, float]) -> float:
    """Largest factor at which ``plan`` misses an SLO, to the step in time."""
    return max((pipeline.latency - STEP) / slos[pipeline.name] for pipeline in plan.pipelines)


def rate_curve(
    instance: Instance, solve: Callable[[Instance], Result], billing: Billing, low: float, high: float
) -> Iterator[CurveStep]:
    """Steps of the cost over a common factor on all rates, from the lowest up.

    Parameters
    ----------
    instance
        Any.
    solve
        The method, with its dispatch policy and options.
    billing
        ``whole``.
    low, high
        Range of the factor.

    Yields
    ------
    CurveStep
        Adjacent, from ``low`` up to ``high`` or to the last factor with a plan.

    Raises
    ------
    UnsupportedError
        For fractional and shared billing.
    """
    if billing is Billing.FRACTIONAL:
        raise UnsupportedError("curve", "fractional billing over the rate: cost is no step function of it", ())
    if billing is Billing.SHARED:
        words = (
            "shared billing over the rate: its cost may fall where the rate rises, so that no step says where it ends"
        )
        raise UnsupportedError("curve", words, ())
    rates = {pipeline.name: pipeline.rate for pipeline in instance.pipelines}
    factor = low
    held: CurveStep | None = None
    while factor <= high:
        result = solve(with_rates(instance, {name: factor * rate for name, rate in rates.items()}))
        if result.plan is None:
            break
        plan = result.plan
        spare = _paced_spare(instance, plan) if keeps_streams(plan.dispatch) else _spare(plan)
        reach = min(high, factor * spare)
        step = CurveStep(held.low if held and _same(held, result.plan) else held.high if held else low, reach, result)
        if held is not None and not _same(held, result.plan):
            yield held
        held = step
        factor = factor * spare * (1 + 2 * RATE_TOLERANCE)
    if held is not None:
        yield held


def _spare(plan: Plan) -> float:
    """Largest factor on the rates that the capacity of every module serves."""
    modules = [module for pipeline in plan.pipelines for module in pipeline.modules.values()]
    return max(1.0, min(sum(part.rate for part in module.tuples) / module.rate for module in modules))


def _paced_spare(instance: Instance, plan: Plan) -> float:
    """Largest factor on the plan's rates at which a paced plan keeps every SLO: a rate that rises only slows it."""
    low, high = 1.0, _spare(plan)
    for _ in range(_BISECTIONS):
        factor = (low + high) / 2
        pairs = zip(instance.pipelines, plan.pipelines, strict=True)
        kept = all(_keeps(instance, pipeline, planned, factor) for pipeline, planned in pairs)
        low, high = (factor, high) if kept else (low, factor)
    return low


def _keeps(instance: Instance, pipeline: Pipeline, planned: PipelinePlan, factor: float) -> bool:
    """Whether a paced plan keeps its SLO at ``factor`` times the rates that it was made for."""
    source = next(name for name, degree in pipeline.graph.in_degree() if degree == 0)
    faster = replace(pipeline, rate=planned.modules[source].rate * factor)
    problem = pipeline_problem(instance, faster)
    latencies = [module.latency(planned.modules[module.name].tuples, Dispatch.PACED) for module in problem.modules]
    return problem.network.length(latencies) <= problem.slo + TIME_TOLERANCE / 2


def _same(step: CurveStep, plan: Plan) -> bool:
    return math.isclose(step.cost, plan.cost, rel_tol=COST_TOLERANCE)
