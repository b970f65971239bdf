"""From a module's plan to the dispatcher that runs it."""

from __future__ import annotations

import math
from itertools import accumulate
from typing import TYPE_CHECKING

from harpagon.formulations.paced import Dispatcher as PacedDispatcher
from harpagon.formulations.paced import exact_rate
from harpagon.formulations.physics import collects_alone, keeps_bound, keeps_streams, serves_due_first
from harpagon.instances.errors import InputError
from harpagon.instances.policies import Dispatch
from harpagon.simulation.dispatch.dealt import DealtDispatcher
from harpagon.simulation.dispatch.lanes import LaneDispatcher, LanePlan
from harpagon.simulation.dispatch.machines import Fault, MachineGroup, ServiceTime, profiled
from harpagon.simulation.dispatch.open_batches import BatchGroup, OpenBatchDispatcher
from harpagon.simulation.dispatch.padding import PaddedDispatcher, Padding
from harpagon.simulation.dispatch.regulator import RegulatedDispatcher
from harpagon.simulation.dispatch.turns import TurnDispatcher

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harpagon.instances.plan import DispatchTuple, ModulePlan
    from harpagon.instances.plan import Pace as ModulePace
    from harpagon.simulation.dispatch.served import Dispatcher
    from harpagon.simulation.dispatch.turns import Host

_LOADED = 1e-9
"""Relative spare capacity below which a module needs no dummy requests."""


def is_timed(dispatch: Dispatch) -> bool:
    """Whether batches time out and modules are paced, as what the plans of the policy claim rests on."""
    return keeps_bound(dispatch) or keeps_streams(dispatch)


def shares_queue(dispatch: Dispatch) -> bool:
    """Whether all machines of a tuple take from one queue; else each has its own."""
    return dispatch is not Dispatch.ROUND_ROBIN


def default_padding(dispatch: Dispatch) -> Padding:
    """Time-outs for the policies whose bound holds with them, dummy requests for the others."""
    return Padding.TIME_OUT if is_timed(dispatch) else Padding.DUMMIES


def interval(module: ModulePlan) -> float:
    """Seconds between requests at the full rate of a module's tuples."""
    return 1.0 / sum(part.rate for part in module.tuples)


def graces(module: ModulePlan, dispatch: Dispatch) -> tuple[float, ...]:
    """Seconds, tuple by tuple, by which a batch may fill late when requests are missing.

    One arrival late by an interval is made up at the rate that is left to the tuple: all of it under ``edf``, that of
    the tuple and those after it under the priority policies.
    """
    if serves_due_first(dispatch):
        return (interval(module),) * len(module.tuples)
    left = accumulate(part.rate for part in reversed(module.tuples))
    return tuple(1.0 / rate for rate in left)[::-1]


def module_dispatcher(
    module: ModulePlan,
    dispatch: Dispatch,
    padding: Padding | None = None,
    *,
    rate: float | None = None,
    regulated: bool = False,
    service: ServiceTime = profiled,
    faults: Sequence[Fault] = (),
    host: Host | None = None,
) -> Dispatcher:
    """Dispatcher of one module.

    Parameters
    ----------
    module
        The module's plan.
    dispatch
        Policy of the plan.
    padding
        How batches are completed; None for `default_padding`.
    rate
        Requests per second that arrive; None for those of the plan.
    regulated
        Whether requests pass a regulator at the rate of the tuples first. Open batches then open an interval before
        the first arrival.
    service
        Service-time model.
    faults
        What befalls the machines of each tuple; empty for nothing.
    host
        The machine on which the module takes turns; None where its machines are its own.
    """
    faults = faults or (Fault(),) * len(module.tuples)
    if host is not None:
        return _guest(module, host, service, faults)
    machines = [_machines(part, service, fault) for part, fault in zip(module.tuples, faults, strict=True)]
    if keeps_streams(dispatch):
        return _planned(module, machines)
    padding = padding or default_padding(dispatch)
    if collects_alone(dispatch):
        inner = _lanes(module, dispatch, padding, service, faults)
    else:
        inner = _by_policy(module, dispatch, padding, machines, interval(module) if regulated else 0.0)
    if regulated:
        return RegulatedDispatcher(inner, 1.0 / interval(module))
    total = sum(part.rate for part in module.tuples)
    if padding is Padding.DUMMIES and total > (rate or module.rate) * (1 + _LOADED):
        return PaddedDispatcher(inner, total)
    return inner


def module_pace(module: ModulePlan) -> ModulePace:
    """How a plan under ``paced`` says that a module keeps its latency.

    Raises
    ------
    InputError
        Where it does not say so.
    """
    if module.pace is None:
        problem = "does not say how its modules keep their latency"
        raise InputError("plan", "", problem, "Plan again with --dispatch paced")
    return module.pace


def _guest(module: ModulePlan, host: Host, service: ServiceTime, faults: Sequence[Fault]) -> Dispatcher:
    """Dispatcher of a module that takes turns on a shared machine, all of it or dealt."""
    pace, part = module_pace(module), module.tuples[-1]
    machine = MachineGroup(len(host.fleet), part.configuration.mean, service, faults[-1], host.fleet)
    turns = TurnDispatcher(part.configuration.batch, pace.close_after[-1], machine, host)
    if not pace.own_share:
        return turns
    own = module.tuples[0]
    lane = LanePlan(0, own.configuration.batch, own.rate, pace.close_after[0])
    return DealtDispatcher(LaneDispatcher([lane], [_machines(own, service, faults[0])]), turns, pace.own_share)


def _planned(module: ModulePlan, machines: Sequence[MachineGroup]) -> Dispatcher:
    """Dispatcher of a plan under ``paced``.

    At one instant, requests come before time-outs: one that arrives when a batch times out still joins it. Requests of
    one instant come in the order of their roots, and machines are free from the instant at which a batch is done.
    """
    pace = module_pace(module)
    if pace.dispatcher != PacedDispatcher.OPEN_BATCHES:
        (part,), (close_after,) = module.tuples, pace.close_after
        return LaneDispatcher([LanePlan(0, part.configuration.batch, part.rate, close_after)], machines)
    # Batches open no faster than machines do them where every one takes the largest quantile that a profile states.
    rates = [float(exact_rate(part)) for part in module.tuples]
    lead = 1.0 / sum(rates)
    groups = [
        BatchGroup(part.configuration.batch, rate, close_after - lead, close_after)
        for part, rate, close_after in zip(module.tuples, rates, pace.close_after, strict=True)
    ]
    return RegulatedDispatcher(OpenBatchDispatcher(groups, machines, by_due=True, lead=lead), 1.0 / lead)


def _by_policy(
    module: ModulePlan, dispatch: Dispatch, padding: Padding, machines: Sequence[MachineGroup], lead: float
) -> Dispatcher:
    """Open batches that close when they are full, or once what the bound allows for filling them is over."""
    groups = []
    for part, latency, grace in zip(module.tuples, module.tuple_latencies, graces(module, dispatch), strict=True):
        due = latency - part.configuration.duration
        patience = due + grace if padding is Padding.TIME_OUT else math.inf
        groups.append(BatchGroup(part.configuration.batch, part.rate, due, patience))
    return OpenBatchDispatcher(groups, machines, serves_due_first(dispatch), lead)


def _lanes(
    module: ModulePlan, dispatch: Dispatch, padding: Padding, service: ServiceTime, faults: Sequence[Fault]
) -> Dispatcher:
    plans, machines = [], []
    for group, (part, fault) in enumerate(zip(module.tuples, faults, strict=True)):
        for rate, count in _lane_shares(part, dispatch):
            batch = part.configuration.batch
            patience = batch / rate + interval(module) if padding is Padding.TIME_OUT else math.inf
            plans.append(LanePlan(group, batch, rate, patience))
            machines.append(MachineGroup(count, part.configuration.mean, service, fault))
    return LaneDispatcher(plans, machines)


def _lane_shares(part: DispatchTuple, dispatch: Dispatch) -> Iterator[tuple[float, int]]:
    """Rate and machines of each lane of a tuple: one lane for every queue."""
    if shares_queue(dispatch):
        yield part.rate, _count(part)
    else:
        for _ in range(_count(part)):
            yield part.rate / _count(part), 1


def _count(part: DispatchTuple) -> int:
    return math.ceil(part.machines)


def _machines(part: DispatchTuple, service: ServiceTime, fault: Fault) -> MachineGroup:
    return MachineGroup(_count(part), part.configuration.mean, service, fault)
