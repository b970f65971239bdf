"""Provisioning under envelopes through the exact method: every module planned at an effective rate.

The exact method knows rates, not envelopes. A module planned at an effective rate R above its mean gets capacity for
its bursts: with capacity R the tuple of configuration c is bounded by d + max over x of [(alpha(x) + b) / R - x]. The
rates are raised, from the means, until the longest path of these bounds meets the SLO; the result is the exact
method's optimum at its rates, with several configurations a module, and feasible under the envelopes. It is not
proven cheapest under the envelopes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from harpagon.formulations.slopt.envelope import WINDOWS
from harpagon.graphs import PathNetwork
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.exact.solve import solve_exact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.formulations.slopt.envelope import Envelope
    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import ModulePlan, Plan

_RAISE = 1.02
"""Factor by which the rates of the modules on a path that is too long are raised."""
_ROUNDS = 200


@dataclass(frozen=True, slots=True)
class EffectivePlan:
    """What was found.

    Attributes
    ----------
    instance
        The instance at the effective rates, which ``plan`` is for.
    plan
        The exact method's optimum there; None where no rates below `_ROUNDS` raises meet the SLO.
    latencies
        Bound of every module under its envelope, seconds, in topological order.
    """

    instance: Instance
    plan: Plan | None
    latencies: tuple[float, ...]


def solve_effective(
    instance: Instance, envelopes: Sequence[Envelope], dispatch: Dispatch = Dispatch.TC_SAFE
) -> EffectivePlan:
    """Plan the only pipeline of an instance under the envelopes of its modules, in topological order.

    Raises
    ------
    UnsupportedError
        As `solve_exact`.
    """
    network = PathNetwork.from_graph(instance.pipelines[0].graph)
    rates = [envelope.rate for envelope in envelopes]
    planned = instance
    for _ in range(_ROUNDS):
        planned = at_rates(instance, rates)
        plan = solve_exact(planned, Billing.WHOLE, dispatch).plan
        if plan is None:
            break
        modules = [plan.pipelines[0].modules[name] for name in network.modules]
        latencies = [burst_latency(module, envelope) for module, envelope in zip(modules, envelopes, strict=True)]
        paths = network.path_lengths(latencies)
        if max(paths) <= instance.pipelines[0].slo:
            return EffectivePlan(planned, plan, tuple(latencies))
        rates = [
            _capacity(module) * _RAISE if path > instance.pipelines[0].slo else rate
            for module, path, rate in zip(modules, paths, rates, strict=True)
        ]
    return EffectivePlan(planned, None, ())


def burst_latency(module: ModulePlan, envelope: Envelope) -> float:
    """Largest bound of the module's tuples under an envelope, seconds, with all its capacity shared."""
    capacity = _capacity(module)
    bounds = [
        part.configuration.duration + float(np.max((envelope.counts + part.configuration.batch) / capacity - WINDOWS))
        for part in module.tuples
    ]
    return max(bounds)


def _capacity(module: ModulePlan) -> float:
    return sum(part.rate for part in module.tuples)


def at_rates(instance: Instance, rates: Sequence[float]) -> Instance:
    """The instance with one rate per module of its only pipeline, in topological order, carried by the fan-outs.

    Sources share the largest of their rates.
    """
    pipeline = instance.pipelines[0]
    graph = pipeline.graph.copy()
    network = PathNetwork.from_graph(graph)
    sources = [m for m, tails in enumerate(network.predecessors) if not tails]
    entering = max(rates[m] for m in sources)
    seen = [entering if m in sources else rate for m, rate in enumerate(rates)]
    for m, tails in enumerate(network.predecessors):
        share = len(tails) if graph.nodes[network.modules[m]].get("join", "all") == "any" else 1
        for tail, _ in tails:
            graph.edges[network.modules[tail], network.modules[m]]["fanout"] = seen[m] / seen[tail] / share
    return replace(instance, pipelines=(replace(pipeline, rate=entering, graph=graph),))
