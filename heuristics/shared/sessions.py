"""Sessions: modules with latency budgets, what they cost alone, and as which groups they fit a machine."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from harpagon.formulations.bounds import cheapest_single
from harpagon.formulations.physics import RATE_TOLERANCE, TIME_TOLERANCE
from harpagon.formulations.problem import model_names, module_spans
from harpagon.formulations.shared import Mix, busy, cycle, fits_memory, groups, machines_of_a_mix, whole_groups
from harpagon.formulations.shared_assembly import assemble_shared
from harpagon.heuristics.harpagon.quantised_splitter import split_on_grid
from harpagon.instances.policies import Dispatch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harpagon.formulations.problem import PipelineProblem
    from harpagon.formulations.shared import Group
    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import DispatchTuple, Plan


@dataclass(frozen=True, slots=True)
class Session:
    """One module within a latency budget.

    Attributes
    ----------
    number
        Of the module, those of all pipelines in one list.
    budget
        Seconds.
    model
        Name of its model.
    alone
        Cheapest machines of its own, of one configuration.
    groups
        Groups it can be on a machine, alone within the budget, of all of it or dealt.
    """

    number: int
    budget: float
    model: str
    alone: tuple[DispatchTuple, ...]
    groups: tuple[Group, ...]

    @property
    def cost(self) -> float:
        """Dollars per hour of machines of its own."""
        return sum(part.cost for part in self.alone)

    def on(self, hardware: str) -> tuple[Group, ...]:
        """Groups on one type."""
        return tuple(one for one in self.groups if one.configuration.hardware == hardware)


Shelf = tuple[tuple[Session, "Group"], ...]
"""Sessions on one machine, each with its group."""


def make_sessions(
    instance: Instance, problems: Sequence[PipelineProblem], budgets: Sequence[Sequence[float]]
) -> list[Session] | None:
    """Sessions of all modules; None where one has no machines of its own within its budget.

    Parameters
    ----------
    instance, problems
        What is planned, and its pipelines compiled.
    budgets
        Per pipeline the seconds of every module.
    """
    models = model_names(instance, problems)
    modules = [module for problem in problems for module in problem.modules]
    found = []
    for number, (module, budget) in enumerate(zip(modules, [b for own in budgets for b in own], strict=True)):
        alone = cheapest_single(module, budget, Dispatch.PACED)
        if alone is None:
            return None
        found.append(Session(number, budget, models[number], alone, groups(module, budget)))
    return found


def stands(instance: Instance, shelf: Shelf) -> bool:
    """Whether these sessions keep their budgets on one machine."""
    chosen = [one for _, one in shelf]
    whole = cycle(chosen)
    hardware = instance.hardware[chosen[0].configuration.hardware]
    return (
        busy(chosen) <= 1 + RATE_TOLERANCE
        and all(one.latency(whole) <= session.budget + TIME_TOLERANCE / 2 for session, one in shelf)
        and fits_memory([(session.model, one.configuration) for session, one in shelf], hardware)
    )


def finish(
    instance: Instance, problems: Sequence[PipelineProblem], sessions: Sequence[Session], shelves: Sequence[Shelf]
) -> Plan | None:
    """Plan of sessions on shelves, the others on machines of their own; None where it breaks a hardware limit.

    What the shared machines leave of the objectives goes to machines of modules' own, the dearest first.
    """
    modules = [module for problem in problems for module in problem.modules]
    machines = machines_of_a_mix(modules)
    mixes = [_mix(shelf, machines) for shelf in shelves if len(shelf) > 1]
    placed = {m for mix in mixes for m in mix.members}
    owned = {session.number: session.alone for session in sessions if session.number not in placed}
    plan = assemble_shared(instance, problems, owned, mixes)
    for m in sorted(owned, key=lambda m: -sum(part.cost for part in owned[m])):
        quicker = cheapest_single(modules[m], _room(problems, plan, m), Dispatch.PACED)
        if quicker is not None and _cost(quicker) < _cost(owned[m]):
            owned[m] = quicker
            plan = assemble_shared(instance, problems, owned, mixes)
    limits = {name: hardware.limit for name, hardware in instance.hardware.items() if hardware.limit is not None}
    used = plan.usage()
    within = all(used.get(name, 0.0) <= limit * (1 + RATE_TOLERANCE) for name, limit in limits.items())
    return plan if within else None


def _cost(schedule: Sequence[DispatchTuple]) -> float:
    return sum(part.cost for part in schedule)


def _mix(shelf: Shelf, machines: int) -> Mix:
    ordered = sorted(shelf, key=lambda pair: pair[0].number)
    return Mix(tuple(session.number for session, _ in ordered), tuple(one for _, one in ordered), machines)


def _room(problems: Sequence[PipelineProblem], plan: Plan, m: int) -> float:
    """Seconds that module ``m`` may take, all others as in ``plan``."""
    for problem, planned, (begin, end) in zip(problems, plan.pipelines, module_spans(problems), strict=True):
        if begin <= m < end:
            latencies = [planned.modules[module.name].latency for module in problem.modules]
            return latencies[m - begin] + problem.slo - problem.network.path_lengths(latencies)[m - begin]
    raise AssertionError("every module is in a pipeline")


def split_by_charge(problem: PipelineProblem, step: float) -> list[float] | None:
    """Budgets on a grid of ``step`` x SLO of the least sum of charges; None where no budgets on the grid suffice.

    A module is charged for the share of time of a group that is alone within the budget, or for machines of its own.
    """
    shares = [
        [(one.close_after + one.duration, one.configuration.price * one.share) for one in whole_groups(m, problem.slo)]
        for m in problem.modules
    ]

    def charge(module: int, budget: float) -> float:
        alone = cheapest_single(problem.modules[module], budget, Dispatch.PACED)
        own = inf if alone is None else _cost(alone)
        return min([own, *(paid for latency, paid in shares[module] if latency <= budget)])

    return split_on_grid(problem.network, problem.slo, step, charge)


def by_type(instance: Instance) -> Mapping[str, float]:
    """Price of every type that is there."""
    return {name: hardware.price for name, hardware in instance.hardware.items() if hardware.limit != 0}
