"""The assignment model of ``shared`` billing: modules are put on the machines of every type one by one.

Where the master of `harpagon.formulations.planning.shared` has a column for every mix, this one has machines. With
binary x_mk for schedule k of module m alone, v_i for machine i (of type h_i) and a_mgi for module m on it as group g
(batch duration d, closing c, share d / P, of a dealt module cost, use and latency of machines of its own), u_qi for
model q on it, latency L_m and entry time s_m:

    minimise  sum of cost_mk x_mk + sum of machines x price_i v_i + sum of cost_g a_mgi
    cover       sum over k of x_mk + sum over g and i of a_mgi = 1
    alone       sum over k of latency_mk x_mk + sum over g and i of latency_g a_mgi <= L_m
    several     2 v_i <= sum over m and g of a_mgi
    time        sum over m and g of (d_g / P_g) a_mgi <= v_i
    wait        sum over g of c_g a_mgi + sum over m' and g of d_g a_m'gi - D_i (1 - sum over g of a_mgi) <= L_m
    loaded      sum over g of a_mgi <= u_qi   for the model q of m
    memory      sum over q of GB_q u_qi <= GB_i
    precedence  s_m + L_m + transfer <= s_m'   for every edge (m, m')
    deadline    s_m + L_m <= SLO  at every sink
    limit       sum over m and k of usage_mkh x_mk + sum over the i of type h of machines x v_i
                + sum over m, g and i of usage_gh a_mgi <= limit_h
    order       v_i+1 <= v_i  for two machines of one type

D_i is the longest that all batches of a machine may take, one of each: no module on it may wait longer than the
SLO. ``machines`` are one and those in spare. A type needs no more machines than half the modules that can be on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harpagon.formulations.planning.compact import add_paths

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pyomo.environ import ConcreteModel

    from harpagon.formulations.planning.compact import Expression
    from harpagon.formulations.planning.shared import SharedData
    from harpagon.formulations.shared import Group
    from harpagon.instances.instance import Hardware

Place = tuple[int, int, int]
"""Module, number of a group of it on the machine's type, machine."""


@dataclass(frozen=True, slots=True)
class AssignmentData:
    """What is put on which machines.

    Attributes
    ----------
    master
        Own schedules, path latencies and limits; it has no mixes.
    groups
        Hardware type to the groups of every module on it.
    machines
        The machines that may be bought to be shared, by number.
    models
        Per module the name of its model.
    together
        Machines that are bought for each shared one, those in spare included.
    """

    master: SharedData
    groups: Mapping[str, tuple[tuple[Group, ...], ...]]
    machines: tuple[Hardware, ...]
    models: tuple[str, ...]
    together: int = 1

    @property
    def places(self) -> list[Place]:
        """Every group of every module on every machine of its type."""
        return [
            (m, g, i)
            for i, machine in enumerate(self.machines)
            for m, own in enumerate(self.groups[machine.name])
            for g in range(len(own))
        ]

    def can_serve(self) -> bool:
        """Whether every module has a schedule of its own or a place."""
        placed = {m for m, _, _ in self.places}
        return all(own or m in placed for m, own in enumerate(self.master.owned))

    def group(self, place: Place) -> Group:
        """The group at a place."""
        m, g, i = place
        return self.groups[self.machines[i].name][m][g]


def machines_to_share(
    groups: Mapping[str, tuple[tuple[Group, ...], ...]], hardware: Mapping[str, Hardware]
) -> tuple[Hardware, ...]:
    """Of every type as many machines as mixes of two modules could need, within its limit."""
    found: list[Hardware] = []
    for name, own in groups.items():
        needed = sum(map(bool, own)) // 2
        limit = hardware[name].limit
        found += [hardware[name]] * (needed if limit is None else min(needed, limit))
    return tuple(found)


def build_assignment(data: AssignmentData) -> ConcreteModel:
    """Pyomo model of ``data``."""
    from pyomo.environ import Binary, ConcreteModel, NonNegativeReals, Objective, Var

    model, master = ConcreteModel("assignment"), data.master
    modules = range(len(master.owned))
    owned = [(m, k) for m in modules for k in range(len(master.owned[m]))]
    model.own = Var(owned, domain=Binary)
    model.machine = Var(range(len(data.machines)), domain=Binary)
    model.place = Var(data.places, domain=Binary)
    model.loaded = Var(sorted({(data.models[m], i) for m, _, i in data.places}), domain=Binary)
    model.latency = Var(modules, domain=NonNegativeReals)
    model.entry = Var(modules, domain=NonNegativeReals)
    model.cost = Objective(
        expr=sum(master.owned[m][k].cost * model.own[m, k] for m, k in owned)
        + sum(data.together * machine.price * model.machine[i] for i, machine in enumerate(data.machines))
        + sum(data.group(place).own_cost * model.place[place] for place in data.places)
    )
    _add_modules(model, data)
    _add_machines(model, data)
    add_paths(model, data.master)
    _add_limits(model, data)
    return model


def _add_modules(model: ConcreteModel, data: AssignmentData) -> None:
    """``cover`` and ``alone``."""
    from pyomo.environ import Constraint

    def cover(_: ConcreteModel, m: int) -> Expression:
        own = sum(model.own[m, k] for k in range(len(data.master.owned[m])))
        return own + sum(model.place[place] for place in data.places if place[0] == m) == 1

    def alone(_: ConcreteModel, m: int) -> Expression:
        waits = sum(one.latency * model.own[m, k] for k, one in enumerate(data.master.owned[m]))
        for place in data.places:
            deal = data.group(place).deal
            if place[0] == m and deal is not None:
                waits += deal.service.latency * model.place[place]
        return waits <= model.latency[m]

    model.cover = Constraint(range(len(data.models)), rule=cover)
    model.alone = Constraint(range(len(data.models)), rule=alone)


def _add_machines(model: ConcreteModel, data: AssignmentData) -> None:
    """``time``, ``several``, ``wait``, ``loaded``, ``memory`` and ``order``."""
    from pyomo.environ import Constraint

    on = {i: [place for place in data.places if place[2] == i] for i in range(len(data.machines))}
    guests = sorted({(m, i) for m, _, i in data.places})
    longest = max(data.master.slo)

    def put(m: int, i: int) -> list[Place]:
        return [place for place in on[i] if place[0] == m]

    def time(_: ConcreteModel, i: int) -> Expression:
        return sum(data.group(place).share * model.place[place] for place in on[i]) <= model.machine[i]

    def several(_: ConcreteModel, i: int) -> Expression:
        return 2 * model.machine[i] <= sum(model.place[place] for place in on[i])

    def wait(_: ConcreteModel, m: int, i: int) -> Expression:
        closing = sum(data.group(place).close_after * model.place[place] for place in put(m, i))
        cycle = sum(data.group(place).duration * model.place[place] for place in on[i])
        away = 1 - sum(model.place[place] for place in put(m, i))
        return closing + cycle - longest * away <= model.latency[m]

    def loaded(_: ConcreteModel, m: int, i: int) -> Expression:
        return sum(model.place[place] for place in put(m, i)) <= model.loaded[data.models[m], i]

    def memory(_: ConcreteModel, i: int) -> Expression:
        there = data.machines[i].memory_gb
        needs = dict(_memory(data, i))
        if there is None or not any(needs.values()):
            return Constraint.Feasible
        return sum(gigabytes * model.loaded[name, i] for name, gigabytes in needs.items()) <= there

    def order(_: ConcreteModel, i: int) -> Expression:
        if data.machines[i].name != data.machines[i - 1].name:
            return Constraint.Feasible
        return model.machine[i] <= model.machine[i - 1]

    model.time = Constraint([i for i, places in on.items() if places], rule=time)
    model.several = Constraint([i for i, places in on.items() if places], rule=several)
    model.wait = Constraint(guests, rule=wait)
    model.loading = Constraint(guests, rule=loaded)
    model.memory = Constraint([i for i, places in on.items() if places], rule=memory)
    model.order = Constraint(range(1, len(data.machines)), rule=order)


def _memory(data: AssignmentData, i: int) -> Iterator[tuple[str, float]]:
    """Gigabytes of every model that can be on machine ``i``."""
    for place in data.places:
        if place[2] == i:
            yield data.models[place[0]], data.group(place).configuration.memory_gb or 0.0


def _add_limits(model: ConcreteModel, data: AssignmentData) -> None:
    """``limit``."""
    from pyomo.environ import Constraint

    def limit(_: ConcreteModel, h: int, name: str, machines: int) -> Expression:
        used = [
            one.usage[h] * model.own[m, k]
            for m, own in enumerate(data.master.owned)
            for k, one in enumerate(own)
            if one.usage[h]
        ]
        used += [data.together * model.machine[i] for i, machine in enumerate(data.machines) if machine.name == name]
        used += [
            part.machines * model.place[place]
            for place in data.places
            for part in data.group(place).own
            if part.configuration.hardware == name
        ]
        return sum(used) <= machines if used else Constraint.Feasible

    limits = [(h, name, machines) for h, (name, machines) in enumerate(data.master.limits.items())]
    model.limit = Constraint(limits, rule=limit)
