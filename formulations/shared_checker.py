"""What the checker recomputes of shared machines: the groups that a plan names, and whether each mix stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harpagon.formulations.physics import RATE_TOLERANCE
from harpagon.formulations.problem import pipeline_problem
from harpagon.formulations.shared import busy, fits_memory, group, latencies, memory, parts
from harpagon.instances.policies import Billing, Dispatch

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
        Of each module in a mix that stands, its part of the machine.
    latencies
        Of the same, seconds.
    faults
        Pairs of a place in the plan and what is wrong there.
    """

    groups: dict[str, dict[Guest, Group]] = field(default_factory=dict)
    parts: dict[Guest, DispatchTuple] = field(default_factory=dict)
    latencies: dict[Guest, float] = field(default_factory=dict)
    faults: list[tuple[str, str]] = field(default_factory=list)


def recompute_hosts(instance: Instance, plan: Plan) -> Hosts:
    """Every shared machine of a plan, recomputed; pipelines and modules that the instance lacks are left out."""
    found = Hosts()
    if plan.billing is Billing.SHARED and plan.dispatch is not Dispatch.PACED:
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
    for machine, guests in machines.items():
        known = [guest for guest in guests if guest in modules]
        if plan.spare:
            found.faults.append((f"machine {machine}", "a shared machine has none in spare"))
        if plan.billing is not Billing.SHARED:
            found.faults.append((f"machine {machine}", f"a shared machine under {plan.billing} billing"))
        made = {guest: _group(modules[guest][1], planned[guest]) for guest in known}
        for guest in known:
            if made[guest] is None:
                found.faults.append((_place(guest), "its batches do not hold what comes until they close"))
        _add_mix(found, instance, machine, {g: one for g, one in made.items() if one}, modules)
    return found


def _group(module: ModuleProblem, planned: ModulePlan) -> Group | None:
    """The group that a module's plan names; None where it names none that holds its requests."""
    assert planned.pace is not None, "a shared machine names it"
    assert module.stream is not None, "compiled from a pipeline"
    if len(planned.tuples) != 1 or len(planned.pace.close_after) != 1:
        return None
    return group(planned.tuples[0].configuration, module.stream, planned.pace.close_after[0])


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
    found.parts.update(zip(mix, parts(groups), strict=True))
    found.latencies.update(zip(mix, latencies(groups), strict=True))


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
