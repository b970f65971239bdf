"""Greedy packing of machines that host several modules: ours.

The objective of every pipeline is split into latency budgets in several ways. For each, machine by machine, the set of
modules is sought that saves most: from every module as a first guest on every type, further modules join as long as
they fit, by what machines of their own would cost, as such or per share of the machine's time. The machine that saves
most over its price is bought, until none saves. What is left of the objectives goes to machines of modules' own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.formulations.bounds import largest_stretch
from harpagon.formulations.problem import pipeline_problems
from harpagon.formulations.shared import machines_of_a_mix
from harpagon.heuristics.shared.sessions import by_type, finish, make_sessions, split_by_charge, stands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harpagon.formulations.problem import ModuleProblem, PipelineProblem
    from harpagon.formulations.shared import Group
    from harpagon.heuristics.shared.sessions import Session, Shelf
    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan
    from harpagon.instances.policies import Billing

    Worth = Callable[[Session, Group], float]

_GRID = 0.02
"""Step of a latency split as a share of the SLO."""


def plan_packing(instance: Instance, billing: Billing) -> Plan | None:
    """Cheapest plan over the splits and the orders of packing; None where none is found."""
    problems = pipeline_problems(instance)
    best: Plan | None = None
    for budgets in _splits(problems):
        sessions = make_sessions(instance, problems, budgets)
        if sessions is None:
            continue
        machines = machines_of_a_mix(module for problem in problems for module in problem.modules)
        packings = [_pack(instance, sessions, worth, machines) for worth in (_saved, _saved_per_share)]
        for shelves in ([], *packings):
            plan = finish(instance, problems, sessions, shelves)
            if plan is not None and (best is None or plan.cost < best.cost):
                best = plan
    return best


def _splits(problems: Sequence[PipelineProblem]) -> Iterator[list[Sequence[float]]]:
    """Budgets in proportion to shortest durations, to those of the best ratio, even, and by what a share would cost."""
    for share in (_shortest, _best_ratio, lambda module: 1.0):
        weights = [[share(module) for module in problem.modules] for problem in problems]
        if all(_fits(problem, own) for problem, own in zip(problems, weights, strict=True)):
            yield [_stretched(problem, own) for problem, own in zip(problems, weights, strict=True)]
    charged = [split_by_charge(problem, _GRID) for problem in problems]
    if None not in charged:
        yield charged  # type: ignore[misc]


def _shortest(module: ModuleProblem) -> float:
    return min(configuration.duration for configuration in module.configurations)


def _best_ratio(module: ModuleProblem) -> float:
    return max(module.configurations, key=lambda configuration: configuration.ratio).duration


def _fits(problem: PipelineProblem, weights: Sequence[float]) -> bool:
    """Whether the transfers leave room for any such split."""
    return problem.network.length([1e-9 * weight for weight in weights]) <= problem.slo


def _stretched(problem: PipelineProblem, weights: Sequence[float]) -> list[float]:
    smallest = [1e-9 * weight for weight in weights]
    stretch = largest_stretch(problem, smallest)
    return [stretch * weight for weight in smallest]


def _saved(session: Session, one: Group) -> float:
    return session.cost - one.own_cost


def _saved_per_share(session: Session, one: Group) -> float:
    return _saved(session, one) / one.share


def _pack(instance: Instance, sessions: Sequence[Session], worth: Worth, machines: int) -> list[Shelf]:
    """Machines that save, the one that saves most first; ``machines`` are bought for each."""
    left = list(sessions)
    shelves: list[Shelf] = []
    while True:
        filled = [
            _fill(instance, ((seed, one),), left, worth)
            for hardware in by_type(instance)
            for seed in left
            for one in seed.on(hardware)
        ]
        best = max(filled, key=lambda shelf: _saving(instance, shelf, machines), default=None)
        if best is None or len(best) < 2 or _saving(instance, best, machines) <= 0:
            return shelves
        shelves.append(best)
        placed = {session.number for session, _ in best}
        left = [session for session in left if session.number not in placed]


def _fill(instance: Instance, shelf: Shelf, sessions: Sequence[Session], worth: Worth) -> Shelf:
    """The shelf with what fits, by ``worth``."""
    hardware = shelf[0][1].configuration.hardware
    offers = [(session, one) for session in sessions for one in session.on(hardware)]
    for session, one in sorted(offers, key=lambda offer: -worth(*offer)):
        held = {placed.number for placed, _ in shelf}
        if session.number not in held and stands(instance, (*shelf, (session, one))):
            shelf = (*shelf, (session, one))
    return shelf


def _saving(instance: Instance, shelf: Shelf, machines: int) -> float:
    hardware = shelf[0][1].configuration.hardware
    return sum(_saved(session, one) for session, one in shelf) - machines * instance.hardware[hardware].price
