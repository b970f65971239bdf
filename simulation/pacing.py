"""Pacing: every request reaches a module, and every result leaves it, a fixed time after its root request.

A plan under ``paced`` says when. For the other policies, which one looks at for study, the times follow from the
bounds: a module starts when the last module before it is through, and is through after its bound, plus what its
dispatcher may be late by (`harpagon.simulation.dispatch.dispatchers.graces`) and what a regulator before it adds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from operator import add
from typing import TYPE_CHECKING

from harpagon.formulations.paced import exact, lag
from harpagon.formulations.physics import keeps_bound, keeps_streams
from harpagon.formulations.problem import own_promise
from harpagon.formulations.waves import pipeline_waves
from harpagon.graphs import PathNetwork
from harpagon.instances.policies import Dispatch
from harpagon.simulation.dispatch.dispatchers import graces, module_pace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harpagon.formulations.waves import Wave
    from harpagon.instances.instance import Pipeline
    from harpagon.instances.plan import ModulePlan, PipelinePlan

_SAME_RATE = 1e-9
"""Relative difference below which two rates are the same."""


@dataclass(frozen=True, slots=True)
class Pace:
    """When a module of a paced pipeline takes requests and hands results on, seconds after the root has entered.

    Attributes
    ----------
    arrival
        A request counts as arrived then, and not before.
    departure
        A result is handed on then, and not before.
    allowances
        Seconds by which each tuple's bound may be passed.
    regulated
        Whether a regulator lets requests pass at the rate of the tuples.
    """

    arrival: float
    departure: float
    allowances: tuple[float, ...]
    regulated: bool

    @property
    def allowance(self) -> float:
        """Largest of the tuples' allowances, seconds."""
        return max(self.allowances)


def pipeline_paces(pipeline: Pipeline, plan: PipelinePlan, dispatch: Dispatch) -> tuple[Pace, ...]:
    """Pace of every module, in the order of the pipeline's `PathNetwork`."""
    if keeps_streams(dispatch):
        return tuple(_planned_paces(pipeline, plan))
    network = PathNetwork.from_graph(pipeline.graph)
    waves = pipeline_waves(pipeline.graph)
    paces: list[Pace] = []
    for name, tails in zip(network.modules, network.predecessors, strict=True):
        arrival = max((paces[tail].departure + transfer for tail, transfer in tails), default=0.0)
        make = _safe_pace if keeps_bound(dispatch) else _fluid_pace
        paces.append(make(waves[name], arrival, pipeline.rate, plan.modules[name], dispatch))
    return tuple(paces)


def _planned_paces(pipeline: Pipeline, plan: PipelinePlan) -> Iterator[Pace]:
    """What a plan under ``paced`` says; a root of a burst waits before it enters, which its starts count in."""
    entry = (plan.promise or own_promise(pipeline)).delay
    for name in PathNetwork.from_graph(pipeline.graph).modules:
        module = plan.modules[name]
        arrival = module_pace(module).start - entry
        yield Pace(arrival, arrival + module.latency, (0.0,) * len(module.tuples), regulated=False)


def _fluid_pace(wave: Wave, arrival: float, clock: float, module: ModulePlan, dispatch: Dispatch) -> Pace:
    """Bounds of a fluid policy taken at their word: no regulator, nothing is allowed for."""
    return Pace(arrival, arrival + module.latency, (0.0,) * len(module.tuples), regulated=False)


def _safe_pace(wave: Wave, arrival: float, clock: float, module: ModulePlan, dispatch: Dispatch) -> Pace:
    """Requests that come evenly go on as they come, others through a regulator, whose delay is allowed for."""
    coming = wave.rate * exact(clock)
    total = sum(part.rate for part in module.tuples)
    even = not lag(wave, 1, 1 / coming, clock)
    delay = 0.0 if even else float(lag(wave, 1, 1 / max(coming, Fraction(total)), clock) or 0)
    full = even and math.isclose(total, coming, rel_tol=_SAME_RATE)
    allowances = tuple(delay + (0.0 if full else grace) for grace in graces(module, dispatch))
    latency = max(map(add, module.tuple_latencies, allowances))
    return Pace(arrival, arrival + latency, allowances, regulated=not even)
