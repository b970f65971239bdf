"""From own schedules and mixes to a plan under ``shared`` billing."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from harpagon.formulations.assembly import assemble_plan, plan_module, plan_of_modules
from harpagon.formulations.shared import DEALT, DISPATCHER, cycle, parts
from harpagon.instances.plan import ModulePlan, Pace
from harpagon.instances.policies import Billing, Dispatch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harpagon.formulations.problem import ModuleProblem, PipelineProblem
    from harpagon.formulations.shared import Group, Mix
    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import DispatchTuple, Plan


def assemble_shared(
    instance: Instance,
    problems: Sequence[PipelineProblem],
    owned: Mapping[int, Sequence[DispatchTuple]],
    mixes: Sequence[Mix],
) -> Plan:
    """Plan in which every module has a schedule of its own or stands in one mix.

    Parameters
    ----------
    instance, problems
        What is planned, and its pipelines compiled.
    owned
        Number of a module, those of all pipelines in one list, to its tuples in dispatch order.
    mixes
        The shared machines.
    """
    modules = [module for problem in problems for module in problem.modules]
    planned = {m: plan_module(modules[m], schedule, Dispatch.PACED) for m, schedule in owned.items()}
    for mix, name in zip(mixes, _names(mixes), strict=True):
        for m, one, part in zip(mix.members, mix.groups, parts(mix.groups, mix.machines), strict=True):
            on_machine = one.close_after + cycle(mix.groups)
            planned[m] = _guest(modules[m], one, part, on_machine, name)
    pipelines, first = [], 0
    for problem in problems:
        own = [planned[first + position] for position in range(len(problem.modules))]
        pipelines.append(plan_of_modules(problem, own, Dispatch.PACED))
        first += len(own)
    return assemble_plan(instance, Billing.SHARED, Dispatch.PACED, pipelines)


def _names(mixes: Sequence[Mix]) -> Iterator[str]:
    """A type and a number for each machine, such as L4-1."""
    counted: Counter[str] = Counter()
    for mix in mixes:
        counted[mix.hardware] += 1
        yield f"{mix.hardware}-{counted[mix.hardware]}"


def _guest(module: ModuleProblem, one: Group, part: DispatchTuple, on_machine: float, machine: str) -> ModulePlan:
    tuples, own_latency = (*one.own, part), () if one.deal is None else (one.deal.service.latency,)
    return ModulePlan(
        rate=module.rate,
        tuples=tuples,
        tuple_latencies=(*own_latency, on_machine),
        latency=max(*own_latency, on_machine, on_machine),
        dummy_rate=max(0.0, sum(used.rate for used in tuples) - module.rate),
        cost=sum(used.cost for used in tuples),
        pace=_pace(one, machine),
    )


def _pace(one: Group, machine: str) -> Pace:
    if one.deal is None:
        return Pace(DISPATCHER, 0.0, (one.close_after,), machine)
    return Pace(DEALT, 0.0, (*one.deal.service.close_after, one.close_after), machine, one.deal.share)
