"""Pacing: results held back, so that every module sees the arrivals of the pipeline's root requests again.

A paced module hands a result on at a fixed time after its root request arrived: the longest path to the module, what
its dispatcher and its regulator may add included. So with even arrivals its successors are reached at the instants of
an even clock only (`harpagon.simulation.in_step`). docs/dispatch.md has the proofs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from operator import add
from typing import TYPE_CHECKING

import numpy as np

from harpagon.graphs import PathNetwork, exact_rates
from harpagon.simulation.dispatch.dispatchers import SAFE, graces, interval
from harpagon.simulation.flow.pieces import Flow
from harpagon.simulation.in_step import RootWaves, SentWaves, UnitedWaves, spacing_delay, wave_service

if TYPE_CHECKING:
    from harpagon.instances.instance import Pipeline
    from harpagon.instances.plan import ModulePlan, PipelinePlan
    from harpagon.instances.policies import Dispatch
    from harpagon.simulation.in_step import Waves, WaveService

_SAME_RATE = 1e-9
"""Relative difference below which two rates are the same."""
_EVEN = 1e-12
"""Seconds of spacing delay below which arrivals are even: sums of clock times round."""


class Regulator:
    """Lets requests pass at least 1 / ``rate`` seconds apart, in sequence order.

    Request k passes at r_k = max(ready_k, r_{k-1} + 1 / rate), which is k / rate + max over j <= k of
    (ready_j - j / rate).
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._passed = 0
        self._latest = -np.inf

    def pass_on(self, flow: Flow) -> Flow:
        """The same requests, spaced."""
        if not flow.ready.size:
            return flow
        ideal = np.arange(self._passed, self._passed + flow.ready.size) / self._rate
        shifts = np.maximum.accumulate(np.maximum(flow.ready - ideal, self._latest))
        self._passed += flow.ready.size
        self._latest = float(shifts[-1])
        return Flow(ideal + shifts, flow.root, flow.origin, flow.watermark, flow.next_root, flow.next_origin)


@dataclass(frozen=True, slots=True)
class Pace:
    """When a module of a paced pipeline with even arrivals takes requests and hands results on.

    Attributes
    ----------
    waves
        How many requests come at the instants of the root requests.
    arrival
        Seconds after its root request at which a request counts as arrived, and not before.
    service
        How its one tuple serves the waves; None where the dispatcher of the policy is used.
    regulated
        Whether a regulator spaces the requests 1 / (rate of the tuples) apart first.
    allowances
        Seconds by which each tuple's bound may be passed: 0 where arrivals are even and fill every batch.
    lead
        Seconds before the first arrival at which first batches open.
    departure
        Seconds after its root request at which a result is handed on, and not before.
    """

    waves: Waves
    arrival: float
    service: WaveService | None
    regulated: bool
    allowances: tuple[float, ...]
    lead: float
    departure: float

    @property
    def allowance(self) -> float:
        """Largest of the tuples' allowances, seconds."""
        return max(self.allowances)


def without_pacing(pace: Pace) -> Pace:
    """The same waves, but requests and results go on as they come."""
    return replace(pace, arrival=0.0, service=None, regulated=False, lead=0.0, departure=0.0)


def pipeline_paces(
    pipeline: Pipeline, plan: PipelinePlan, dispatch: Dispatch, *, in_step: bool = True
) -> tuple[Pace, ...]:
    """Pace of every module, in the order of the pipeline's `PathNetwork`.

    Parameters
    ----------
    pipeline, plan, dispatch
        What is paced.
    in_step
        Whether modules of one tuple may serve waves in step, which takes even arrivals and fixed fan-out.
    """
    network = PathNetwork.from_graph(pipeline.graph)
    rates = exact_rates(pipeline.graph)
    paces: list[Pace] = []
    for index, name in enumerate(network.modules):
        tails = network.predecessors[index]
        sent = {
            network.modules[tail]: SentWaves(
                paces[tail].waves, float(pipeline.graph.edges[network.modules[tail], name].get("fanout", 1.0))
            )
            for tail, _ in tails
        }
        waves = _joined(sent, rates[name].leader)
        arrival = max((paces[tail].departure + transfer for tail, transfer in tails), default=0.0)
        make = _fluid_pace if dispatch not in SAFE else _quicker_pace if in_step else _usual_pace
        paces.append(make(waves, arrival, pipeline.rate, plan.modules[name], dispatch))
    return tuple(paces)


def _joined(sent: dict[str, SentWaves], leader: str | None) -> Waves:
    """Waves behind a join: those of the leading edge, or of every edge where none leads."""
    if leader is not None:
        return sent[leader]
    return UnitedWaves(tuple(sent.values())) if sent else RootWaves()


def _fluid_pace(waves: Waves, arrival: float, clock: float, module: ModulePlan, dispatch: Dispatch) -> Pace:
    """Bounds of a fluid policy taken at their word: no regulator, nothing is allowed for."""
    return Pace(waves, arrival, None, False, (0.0,) * len(module.tuples), 0.0, arrival + module.latency)


def _quicker_pace(waves: Waves, arrival: float, clock: float, module: ModulePlan, dispatch: Dispatch) -> Pace:
    """The quicker of serving waves as they come, which takes one tuple, and the policy's dispatcher."""
    usual = _usual_pace(waves, arrival, clock, module, dispatch)
    if len(module.tuples) > 1:
        return usual
    service = wave_service(waves, clock, module.tuples[0])
    if service is None or arrival + service.latency > usual.departure:
        return usual
    allowances = (max(0.0, service.latency - module.latency),)
    return Pace(waves, arrival, service, False, allowances, 0.0, arrival + service.latency)


def _usual_pace(waves: Waves, arrival: float, clock: float, module: ModulePlan, dispatch: Dispatch) -> Pace:
    """Even requests as they come, others through a regulator."""
    rate = 1.0 / interval(module)
    even = spacing_delay(waves, clock, waves.mean * clock) <= _EVEN
    exact = even and math.isclose(rate, waves.mean * clock, rel_tol=_SAME_RATE)
    delay = 0.0 if even else spacing_delay(waves, clock, rate)
    allowances = (0.0,) * len(module.tuples) if exact else graces(module, dispatch)
    latency = max(map(add, module.tuple_latencies, allowances))
    lead = 0.0 if even else interval(module)
    return Pace(waves, arrival, None, not even, allowances, lead, arrival + delay + latency)
