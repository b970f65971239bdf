"""What the checker recomputes of shared machines: the groups that a plan names, and whether each mix stands."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import isclose
from typing import TYPE_CHECKING

from harpagon.formulations.deals import Deal, own_stream, rest_of
from harpagon.formulations.paced import paced_service
from harpagon.formulations.physics import RATE_TOLERANCE, TIME_TOLERANCE, keeps_streams
from harpagon.formulations.problem import pipeline_problem
from harpagon.formulations.shared import busy, cycle, fits_memory, group, machines_of_a_mix, memory, parts
from harpagon.instances.policies import Billing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harpagon.formulations.problem import ModuleProblem
    from harpagon.formulations.shared import Group
    from harpagon.instances.instance import Configuration, Instance
    from harpagon.instances.plan import DispatchTuple, ModulePlan, Plan

Guest = tuple[str, str]
"""Names of a pipeline and of a module."""


@dataclass(slots=True)
class Hosts:
    """What was recomputed.

    Attributes
    ----------
    groups
        Shared machine to the groups of its modules.
    parts
        Of each module in a mix that stands, its part of the machines.
    latencies
        Of the same, seconds of every tuple.
    machines
        Machines of every mix, those in spare included.
    faults
        Pairs of a place in the plan and what is wrong there.
    """

    groups: dict[str, dict[Guest, Group]] = field(default_factory=dict)
    parts: dict[Guest, DispatchTuple] = field(default_factory=dict)
    latencies: dict[Guest, tuple[float, ...]] = field(default_factory=dict)
    machines: int = 1
    faults: list[tuple[str, str]] = field(default_factory=list)


def recompute_hosts(instance: Instance, plan: Plan) -> Hosts:
    """Every shared machine of a plan, recomputed; pipelines and modules that the instance lacks are left out."""
    found = Hosts()
    if plan.billing is Billing.SHARED and not keeps_streams(plan.dispatch):
        found.faults.append(("dispatch", f"shared machines keep their word under paced only, not {plan.dispatch}"))
    machines = plan.shared_machines()
    if not machines:
        return found
    modules = {
        (pipeline.name, module.name): (pipeline.graph.nodes[module.name]["model"], module)
        for pipeline in instance.pipelines
        for module in pipeline_problem(instance, pipeline).modules
    }
    planned = {(p.name, name): module for p in plan.pipelines for name, module in p.modules.items()}
    found.machines = max(1 + plan.spare, machines_of_a_mix(module for _, module in modules.values()))
    for machine, guests in machines.items():
        known = [guest for guest in guests if guest in modules]
        if plan.billing is not Billing.SHARED:
            found.faults.append((f"machine {machine}", f"a shared machine under {plan.billing} billing"))
        made = {guest: _group(modules[guest][1], planned[guest]) for guest in known}
        for guest in known:
            if made[guest] is None:
                found.faults.append((_place(guest), _why_not(planned[guest])))
        _add_mix(found, instance, machine, {g: one for g, one in made.items() if one}, modules)
    return found


def _group(module: ModuleProblem, planned: ModulePlan) -> Group | None:
    """The group that a module's plan names; None where it names none that keeps up with its requests."""
    assert planned.pace is not None, "a shared machine names it"
    assert module.stream is not None, "compiled from a pipeline"
    share = planned.pace.own_share
    if len(planned.tuples) != 1 + bool(share) or len(planned.pace.close_after) != len(planned.tuples):
        return None
    configuration, close_after = planned.tuples[-1].configuration, planned.pace.close_after[-1]
    if not share:
        return group(configuration, module.stream, close_after)
    deal = _deal(module, planned)
    rest = None if deal is None else rest_of(module, share).stream
    one = None if rest is None else group(configuration, rest, close_after)
    return None if one is None else replace(one, deal=deal)


def _deal(module: ModuleProblem, planned: ModulePlan) -> Deal | None:
    """What machines of a dealt module's own take; None where they do not keep up, or are not what the plan says."""
    assert planned.pace is not None and module.stream is not None, "a shared machine names it"
    own, share = planned.tuples[0], planned.pace.own_share
    working = own.machines - module.spare
    if not 0 < share < 1 or working < 1 or not float(working).is_integer():
        return None
    if not isclose(own.rate, working * own.configuration.throughput, rel_tol=RATE_TOLERANCE):
        return None
    service = paced_service((own,), own_stream(module.stream, share))
    if service is None or not isclose(planned.pace.close_after[0], service.close_after[0], abs_tol=TIME_TOLERANCE):
        return None
    return Deal(own, share, service)


def _why_not(planned: ModulePlan) -> str:
    if planned.pace is not None and planned.pace.own_share:
        return "its machines do not keep up with their share, or its batches do not hold what comes until they close"
    return "its batches do not hold what comes until they close"


def _add_mix(
    found: Hosts,
    instance: Instance,
    machine: str,
    mix: dict[Guest, Group],
    modules: dict[Guest, tuple[str, ModuleProblem]],
) -> None:
    place, groups = f"machine {machine}", tuple(mix.values())
    found.groups[machine] = mix
    if not mix:
        return
    types = sorted({one.configuration.hardware for one in groups})
    if len(types) > 1:
        found.faults.append((place, f"is of {len(types)} types: {', '.join(types)}"))
        return
    models = [(modules[guest][0], one.configuration) for guest, one in mix.items()]
    found.faults.extend((place, text) for text in _mix_faults(instance, types[0], groups, models))
    found.parts.update(zip(mix, parts(groups, found.machines), strict=True))
    whole = cycle(groups)
    for guest, one in mix.items():
        own = () if one.deal is None else (one.deal.service.latency,)
        found.latencies[guest] = (*own, one.close_after + whole)


def _mix_faults(
    instance: Instance, hardware: str, groups: Sequence[Group], models: Sequence[tuple[str, Configuration]]
) -> Iterator[str]:
    share = busy(groups)
    if share > 1 + RATE_TOLERANCE:
        yield f"its groups may take {share:.6g} of its time: a machine has 1"
    if not fits_memory(models, instance.hardware[hardware]):
        need, there = memory(models), instance.hardware[hardware].memory_gb
        yield f"its models take {need:g} GB, a {hardware} has {there:g}"


def _place(guest: Guest) -> str:
    return f"pipelines.{guest[0]}.modules.{guest[1]}"
