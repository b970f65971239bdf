"""From a module's plan to the dispatcher that runs it."""

from __future__ import annotations

import math
from itertools import accumulate
from typing import TYPE_CHECKING

from harpagon.instances.policies import Dispatch
from harpagon.simulation.dispatch.lanes import LaneDispatcher, LanePlan
from harpagon.simulation.dispatch.machines import Fault, MachineGroup, ServiceTime, profiled
from harpagon.simulation.dispatch.open_batches import BatchGroup, OpenBatchDispatcher
from harpagon.simulation.dispatch.padding import PaddedDispatcher, Padding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harpagon.instances.plan import DispatchTuple, ModulePlan
    from harpagon.simulation.dispatch.served import Dispatcher
    from harpagon.simulation.in_step import WaveService

SAFE = (Dispatch.TC_SAFE, Dispatch.EDF)
"""Policies whose bound a dispatcher keeps: their batches time out, and modules are paced."""
_LANES = (Dispatch.PER_CONFIG, Dispatch.ROUND_ROBIN)
_LOADED = 1e-9
"""Relative spare capacity below which a module needs no dummy requests."""


def default_padding(dispatch: Dispatch) -> Padding:
    """Time-outs for the policies whose bound holds with them, dummy requests for the others."""
    return Padding.TIME_OUT if dispatch in SAFE else Padding.DUMMIES


def interval(module: ModulePlan) -> float:
    """Seconds between requests at the full rate of a module's tuples."""
    return 1.0 / sum(part.rate for part in module.tuples)


def graces(module: ModulePlan, dispatch: Dispatch) -> tuple[float, ...]:
    """Seconds, tuple by tuple, by which a batch may fill late when requests are missing.

    One arrival late by an interval is made up at the rate that is left to the tuple: all of it under ``edf``, that of
    the tuple and those after it under the priority policies.
    """
    if dispatch is Dispatch.EDF:
        return (interval(module),) * len(module.tuples)
    left = accumulate(part.rate for part in reversed(module.tuples))
    return tuple(1.0 / rate for rate in left)[::-1]


def module_dispatcher(
    module: ModulePlan,
    dispatch: Dispatch,
    padding: Padding | None = None,
    *,
    rate: float | None = None,
    lead: float = 0.0,
    service: ServiceTime = profiled,
    faults: Sequence[Fault] = (),
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
    lead
        Seconds before the first arrival at which open-batch dispatchers open their first batches.
    service
        Service-time model.
    faults
        What befalls the machines of each tuple; empty for nothing.
    """
    padding = padding or default_padding(dispatch)
    make = _lanes if dispatch in _LANES else _open_batches
    inner = make(module, dispatch, padding, lead, service, faults or (Fault(),) * len(module.tuples))
    total = sum(part.rate for part in module.tuples)
    if padding is Padding.DUMMIES and total > (rate or module.rate) * (1 + _LOADED):
        return PaddedDispatcher(inner, total)
    return inner


def wave_dispatcher(module: ModulePlan, service: WaveService) -> Dispatcher:
    """Dispatcher of a module of one tuple that is served in step with the waves that reach it."""
    (part,) = module.tuples
    lane = LanePlan(0, service.batch, part.rate, service.patience)
    return LaneDispatcher([lane], [_machines(part, _count(part), profiled, Fault())])


def _open_batches(
    module: ModulePlan,
    dispatch: Dispatch,
    padding: Padding,
    lead: float,
    service: ServiceTime,
    faults: Sequence[Fault],
) -> Dispatcher:
    groups, machines = [], []
    timed = zip(module.tuples, module.tuple_latencies, graces(module, dispatch), faults, strict=True)
    for part, latency, grace, fault in timed:
        due = latency - part.configuration.duration
        patience = due + grace if padding is Padding.TIME_OUT else math.inf
        groups.append(BatchGroup(part.configuration.batch, part.rate, due, patience))
        machines.append(_machines(part, _count(part), service, fault))
    return OpenBatchDispatcher(groups, machines, dispatch is Dispatch.EDF, lead)


def _lanes(
    module: ModulePlan,
    dispatch: Dispatch,
    padding: Padding,
    lead: float,
    service: ServiceTime,
    faults: Sequence[Fault],
) -> Dispatcher:
    plans, machines = [], []
    for group, (part, fault) in enumerate(zip(module.tuples, faults, strict=True)):
        for rate, count in _lane_shares(part, dispatch):
            batch = part.configuration.batch
            patience = batch / rate + interval(module) if padding is Padding.TIME_OUT else math.inf
            plans.append(LanePlan(group, batch, rate, patience))
            machines.append(_machines(part, count, service, fault))
    return LaneDispatcher(plans, machines)


def _lane_shares(part: DispatchTuple, dispatch: Dispatch) -> Iterator[tuple[float, int]]:
    """Rate and machines of each lane of a tuple: one lane a machine under round-robin, else one in all."""
    if dispatch is Dispatch.PER_CONFIG:
        yield part.rate, _count(part)
    else:
        for _ in range(_count(part)):
            yield part.rate / _count(part), 1


def _count(part: DispatchTuple) -> int:
    return math.ceil(part.machines)


def _machines(part: DispatchTuple, count: int, service: ServiceTime, fault: Fault) -> MachineGroup:
    return MachineGroup(count, part.configuration.mean, service, fault)
