"""Pacing: results held back, so that the next module's arrivals are as even as the pipeline's.

A paced module hands a result on when its bound has passed since the request's arrival. Where results may come later
than that by an interval, and where fan-out or a join makes several requests at once, a `Regulator` spaces them.
docs/dispatch.md has the proofs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from operator import add
from typing import TYPE_CHECKING

import numpy as np

from harpagon.graphs import PathNetwork, propagate_rates
from harpagon.simulation.dispatchers import graces, interval
from harpagon.simulation.flow import Flow

if TYPE_CHECKING:
    from harpagon.instances.instance import Pipeline
    from harpagon.instances.plan import ModulePlan, PipelinePlan
    from harpagon.instances.policies import Dispatch

_SAME_RATE = 1e-9
"""Relative difference below which two rates are the same."""
_LARGEST_DENOMINATOR = 1_000
"""Fan-outs are taken for fractions with denominators up to this."""


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
        return Flow(ideal + shifts, flow.root, flow.origin, flow.watermark, flow.next_root)


@dataclass(frozen=True, slots=True)
class Spacing:
    """How even a module's arrivals are when the pipeline is paced and its own arrivals are even.

    Attributes
    ----------
    even
        Whether they are exactly even, with a bound that is kept exactly.
    regulated
        Whether a regulator is needed to keep them 1 / (rate of the tuples) apart.
    delay
        Seconds that regulator may add.
    allowances
        Seconds by which each tuple's bound may be passed: 0 where arrivals are even and fill every batch, else the
        `harpagon.simulation.dispatchers.graces`.
    allowance
        Seconds by which the module's bound may be passed.
    lead
        Seconds before the first arrival at which first batches open.
    """

    even: bool
    regulated: bool
    delay: float
    allowances: tuple[float, ...]
    allowance: float
    lead: float


def module_spacing(pipeline: Pipeline, plan: PipelinePlan, dispatch: Dispatch) -> tuple[Spacing, ...]:
    """Spacing of every module of a paced pipeline, in the order of its `PathNetwork`."""
    network = PathNetwork.from_graph(pipeline.graph)
    arriving = propagate_rates(pipeline.graph, pipeline.rate)
    spacings: list[Spacing] = []
    for index, name in enumerate(network.modules):
        tails = [tail for tail, _ in network.predecessors[index]]
        names = [network.modules[tail] for tail in tails]
        fanouts = [float(pipeline.graph.edges[tail, name].get("fanout", 1.0)) for tail in names]
        rates = [arriving[tail] for tail in names]
        even_inputs = all(spacings[tail].even for tail in tails)
        every = pipeline.graph.nodes[name].get("join", "all") == "all"
        spacings.append(
            _spacing(arriving[name], plan.modules[name], dispatch, rates, fanouts, even_inputs, every, pipeline.rate)
        )
    return tuple(spacings)


def _spacing(
    rate: float,
    module: ModulePlan,
    dispatch: Dispatch,
    tail_rates: list[float],
    fanouts: list[float],
    even_inputs: bool,
    every: bool,
    root_rate: float,
) -> Spacing:
    step = interval(module)
    full = math.isclose(1.0 / step, rate, rel_tol=_SAME_RATE)
    rates = [rate * fanout for rate, fanout in zip(tail_rates, fanouts, strict=True)]
    same = len(rates) < 2 or (every and all(math.isclose(rate, max(rates), rel_tol=_SAME_RATE) for rate in rates))
    split = any(fanout != 1.0 for fanout in fanouts)
    even = even_inputs and same and full
    delay = max((_burst(fanout) / rate for rate, fanout in zip(tail_rates, fanouts, strict=True)), default=0.0)
    if not same:
        delay += 1 / min(rates) if every else (len(rates) + sum(rates) / root_rate) * step
    allowances = (0.0,) * len(module.tuples) if even else graces(module, dispatch)
    return Spacing(
        even=even,
        regulated=split or not same or not even_inputs,
        delay=delay,
        allowances=allowances,
        allowance=max(map(add, module.tuple_latencies, allowances)) - module.latency,
        lead=0.0 if even or not rates else step,
    )


def _burst(fanout: float) -> float:
    """Largest fraction of an interval that the requests of one tail request lie apart once they are spaced.

    Request i of an edge stems from request floor(i / fanout) of its tail, and passes at i / fanout intervals: with
    fanout = p / q in lowest terms it waits (i q mod p) / p intervals, at most 1 - 1 / p.
    """
    ratio = Fraction(fanout).limit_denominator(_LARGEST_DENOMINATOR)
    return 1.0 - 1.0 / ratio.numerator if math.isclose(ratio, fanout, rel_tol=_SAME_RATE) else 1.0
