"""Nexus's squishy bin packing (SOSP 2019) for machines that host several modules [R].

As its authors describe it: what is left of a session after whole GPUs takes the largest batch that still collects in
time, b / rate is its duty cycle, d / (b / rate) its occupancy. The nodes of one session each, by occupancy descending,
are merged by best fit: two nodes run in the shorter of their duty cycles, batches made smaller to match ("squished"),
where the durations fit the cycle and the memory; the merge with the largest occupancy is taken.

Adapted: a session that needs more than one machine is dealt out (`harpagon.formulations.deals`), and goes without if
nothing joins what is left of it. A session takes the type, and machines of its own, for which it pays least by
occupancy; only nodes of one type are merged, in a cycle that may have to be shorter than both, since a batch waits for
those of all others here (`harpagon.formulations.shared`). Budgets come from dynamic programming
over a grid of 1 % of the SLO, as in `harpagon.heuristics.baselines.nexus`, with the smaller of two charges: occupancy,
or machines of a module's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.formulations.problem import pipeline_problems
from harpagon.formulations.shared import busy
from harpagon.heuristics.baselines.nexus import GRID
from harpagon.heuristics.shared.sessions import finish, make_sessions, split_by_charge, stands

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.formulations.shared import Group
    from harpagon.heuristics.shared.sessions import Session, Shelf
    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan
    from harpagon.instances.policies import Billing


def plan_squishy(instance: Instance, billing: Billing) -> Plan | None:
    """Plan with squishy bin packing; None where no budgets on the grid suffice, or a hardware limit is in the way."""
    problems = pipeline_problems(instance)
    budgets = [split_by_charge(problem, GRID) for problem in problems]
    if None in budgets:
        return None
    sessions = make_sessions(instance, problems, budgets)  # type: ignore[arg-type]
    if sessions is None:
        return None
    return finish(instance, problems, sessions, _pack(instance, sessions))


def _pack(instance: Instance, sessions: Sequence[Session]) -> list[Shelf]:
    """Nodes after merging, in the order in which they were opened."""
    alone = [(session, _cheapest(session)) for session in sessions if session.groups]
    shelves: list[Shelf] = []
    for session, one in sorted(alone, key=lambda pair: -pair[1].share):
        merged = [
            (busy([own for _, own in wider]), k, wider)
            for k, shelf in enumerate(shelves)
            if (wider := _merge(instance, shelf, session, one)) is not None
        ]
        if merged:
            _, k, wider = max(merged, key=lambda found: (found[0], -found[1]))
            shelves[k] = wider
        else:
            shelves.append(((session, one),))
    return shelves


def _cheapest(session: Session) -> Group:
    return min(session.groups, key=lambda one: one.share * one.configuration.price + one.own_cost)


def _merge(instance: Instance, shelf: Shelf, session: Session, opened: Group) -> Shelf | None:
    """The shelf with one more session, batches squished to the longest cycle at which all keep their budgets."""
    if shelf[0][1].configuration.hardware != opened.configuration.hardware:
        return None
    members = [(held, _alike(held, one)) for held, one in (*shelf, (session, opened))]
    shortest = min(max(one.spacing for one in choices) for _, choices in members)
    cycles = {one.spacing for _, choices in members for one in choices if one.spacing <= shortest}
    for duty in sorted(cycles, reverse=True):
        squished = [(member, _within(choices, duty)) for member, choices in members]
        wider = tuple((member, one) for member, one in squished if one is not None)
        if len(wider) == len(members) and stands(instance, wider):
            return wider
    return None


def _alike(session: Session, opened: Group) -> list[Group]:
    """Groups of a session on the type of one of them, with the same machines of its own."""
    return [one for one in session.on(opened.configuration.hardware) if one.deal == opened.deal]


def _within(groups: Sequence[Group], duty: float) -> Group | None:
    """The largest batch that is collected within the duty cycle."""
    return max((one for one in groups if one.close_after <= duty), key=lambda one: one.spacing, default=None)
