"""The compact model: one mixed-integer linear program over all modules of all pipelines.

With machine counts n, use u (0 or 1), latency L and entry time s, for modules m and configurations c (batch size b,
batch duration d, throughput t, price p), request rate T:

    minimise  sum of p n
    capacity      sum over c of t_c n_mc >= T_m
    activation    n_mc <= N_mc u_mc
    collection    d_c + b_c / w_mc <= L_m  where u_mc = 1;  ``tc``: w_mc = sum over c' from c on of t_c' n_mc'
    precedence    s_m + L_m + transfer <= s_m'  for every edge (m, m')
    deadline      s_m + L_m <= SLO
    limit         sum over m and c on hardware h of n_mc <= limit_h

b / w is convex in w, so its tangents 2 / w0 - w / w0^2 bound it from below; they replace it, and are added where a
solution passes under the curve, until none does (`harpagon.solvers.models.tangents`). ``fractional`` billing adds
the rate f and the use v of a residual; see the functions below.

Under ``tc-safe`` a tuple also waits for the batches before it: collection is d_c + (b_c + sum over j before c of
b_j u_mj) / w_mc <= L_m. Each product u_mj / w_mc where both are used is a variable z_mcj >= 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from harpagon.formulations.physics import TIME_TOLERANCE, collects, collects_alone, waits_for_front
from harpagon.instances.policies import Billing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyomo.environ import ConcreteModel

    from harpagon.formulations.planning.data import PlanningData
    from harpagon.instances.instance import Hardware

Key: TypeAlias = tuple[int, int]
Expression: TypeAlias = Any
"""A Pyomo expression or relation: Pyomo carries no types."""


class Paths(Protocol):
    """What path rows need of a model's data: per module its SLO, edges with their transfers, and sinks; seconds."""

    @property
    def slo(self) -> Sequence[float]: ...
    @property
    def edges(self) -> Mapping[tuple[int, int], float]: ...
    @property
    def sinks(self) -> Sequence[int]: ...


def build_compact(data: PlanningData) -> ConcreteModel:
    """Pyomo model of ``data`` with the tangents it holds."""
    from pyomo.environ import ConcreteModel

    model = ConcreteModel("compact")
    add_machines(model, data)
    add_uses(model, data)
    add_times(model, data)
    add_bundles(model, data)
    add_cost(model, data)
    add_capacity(model, data)
    add_activation(model, data)
    if waits_for_front(data.dispatch):
        add_waits(model, data)
    add_collection(model, data)
    add_paths(model, data)
    add_limits(model, data)
    if data.billing is Billing.FRACTIONAL:
        add_residual_activation(model, data)
        add_residual_rows(model, data)
        add_residual_collection(model, data)
    return model


def add_machines(model: ConcreteModel, data: PlanningData) -> None:
    """n integer in [0, N]; ``fractional``: residual rate f in [0, t), its use v binary."""
    from pyomo.environ import Binary, NonNegativeIntegers, NonNegativeReals, Var

    model.machines = Var(data.keys, domain=NonNegativeIntegers, bounds=lambda _, m, c: (0, data.machine_bound(m, c)))
    if data.billing is Billing.FRACTIONAL:
        model.residual_rate = Var(
            data.keys, domain=NonNegativeReals, bounds=lambda _, m, c: (0.0, data.residual_bound(m, c))
        )
        model.has_residual = Var(data.keys, domain=Binary)


def add_uses(model: ConcreteModel, data: PlanningData) -> None:
    """u binary."""
    from pyomo.environ import Binary, Var

    model.uses = Var(data.keys, domain=Binary)


def add_times(model: ConcreteModel, data: PlanningData) -> None:
    """L in [earliest, latest], s >= 0."""
    from pyomo.environ import NonNegativeReals, Var

    numbers = range(len(data.modules))
    model.latency = Var(
        numbers, bounds=lambda _, m: (data.bounds[m].earliest, data.bounds[m].latest + TIME_TOLERANCE / 2)
    )
    model.entry = Var(numbers, domain=NonNegativeReals)


def add_cost(model: ConcreteModel, data: PlanningData) -> None:
    """Minimise sum of p n, plus p f / t of the residuals, plus p i of machines that stand idle in bundles."""
    from pyomo.environ import Objective

    machines = sum(module_cost(model, data, m) for m in range(len(data.modules)))
    idle = sum(one.price * _idle(model, data, one) for one in data.bundles.values())
    model.cost = Objective(expr=machines + idle)


def add_capacity(model: ConcreteModel, data: PlanningData) -> None:
    """sum over c of t_c n_mc + sum over c of f_mc >= T_m."""
    from pyomo.environ import Constraint

    def rule(_: ConcreteModel, m: int) -> Expression:
        return served_rate(model, data, m) >= data.modules[m].rate

    model.capacity = Constraint(range(len(data.modules)), rule=rule)


def add_activation(model: ConcreteModel, data: PlanningData) -> None:
    """n_mc <= N_mc u_mc."""
    from pyomo.environ import Constraint

    def rule(_: ConcreteModel, m: int, c: int) -> Expression:
        return model.machines[m, c] <= data.machine_bound(m, c) * model.uses[m, c]

    model.activation = Constraint(data.keys, rule=rule)


def add_collection(model: ConcreteModel, data: PlanningData) -> None:
    """Tangent at w0 of d + b / w <= L where u = 1: e + (d - e) u + b (2 u / w0 - w / w0^2) <= L, e = earliest.

    With u = 0 the left side is at most e, so no big-M stands beside it. execution: e + (d - e) u <= L, with 2 d under
    ``round-robin``, which has no other row. least_rate: w >= q u, q = b / (latest - d).
    """
    from pyomo.environ import Constraint

    def rule(_: ConcreteModel, m: int, c: int, w0: float) -> Expression:
        return collection_row(model, data, m, c, w0, model.uses[m, c])

    def execution(_: ConcreteModel, m: int, c: int) -> Expression:
        earliest = data.bounds[m].earliest
        return earliest + (data.execution(m, c) - earliest) * model.uses[m, c] <= model.latency[m]

    def least(_: ConcreteModel, m: int, c: int) -> Expression:
        return collected_rate(model, data, m, c) >= data.least_rate(m, c) * model.uses[m, c]

    model.execution = Constraint(data.keys, rule=execution)
    if collects(data.dispatch):
        model.least_rate = Constraint(data.keys, rule=least)
    model.collection = Constraint(data.tangents.full, rule=rule)


def add_waits(model: ConcreteModel, data: PlanningData) -> None:
    """``tc-safe``: tangents z_cj >= 2 (u_c + u_j - 1) / w0 - w / w0^2 of 1 / w_c, for j before c.

    Where one of the two is not used the right side is not positive, so no big-M is needed. A residual comes after all
    full tuples and waits for each of them.
    """
    from pyomo.environ import Constraint, NonNegativeReals, Var

    def rule(_: ConcreteModel, m: int, c: int, w0: float, j: int) -> Expression:
        return waiting_row(model, data, m, c, w0, j)

    def residual(_: ConcreteModel, m: int, c: int, f0: float, j: int) -> Expression:
        return residual_waiting_row(model, m, c, f0, j)

    model.wait = Var([(m, c, j) for m, c in data.keys for j in range(c)], domain=NonNegativeReals)
    model.waiting = Constraint([(m, c, w0, j) for m, c, w0 in data.tangents.full for j in range(c)], rule=rule)
    if data.billing is Billing.FRACTIONAL:
        pairs = [(m, c, j) for m, c in data.keys for j in data.of_module(m)]
        points = [(m, c, f0, j) for m, c, f0 in data.tangents.residual for j in data.of_module(m)]
        model.residual_wait = Var(pairs, domain=NonNegativeReals)
        model.residual_waiting = Constraint(points, rule=residual)


def add_paths(model: ConcreteModel, data: Paths) -> None:
    """precedence: s_m + L_m + transfer <= s_m' for every edge; deadline: s_m + L_m <= SLO at every sink."""
    from pyomo.environ import Constraint

    def precedence(_: ConcreteModel, tail: int, head: int) -> Expression:
        return model.entry[tail] + model.latency[tail] + data.edges[tail, head] <= model.entry[head]

    def deadline(_: ConcreteModel, m: int) -> Expression:
        return model.entry[m] + model.latency[m] <= data.slo[m] + TIME_TOLERANCE / 2

    model.precedence = Constraint(list(data.edges), rule=precedence)
    model.deadline = Constraint(data.sinks, rule=deadline)


def add_limits(model: ConcreteModel, data: PlanningData) -> None:
    """sum of n_mc + f_mc / t_c over all modules and all c on hardware h <= limit_h."""
    from pyomo.environ import Constraint

    residuals = dict(_residual_rates(model, data))

    def rule(_: ConcreteModel, hardware: str) -> Expression:
        keys = [(m, c) for m, c in data.keys if data.configuration(m, c).hardware == hardware]
        used = sum(model.machines[key] for key in keys)
        used += sum(residuals[m, c] / data.configuration(m, c).throughput for m, c in keys if (m, c) in residuals)
        return used <= data.limits[hardware] if keys else Constraint.Skip

    model.limit = Constraint(list(data.limits), rule=rule)


def add_bundles(model: ConcreteModel, data: PlanningData) -> None:
    """y integer, i = B y - sum of n_mc over all modules and all c on hardware h, i >= 0: types sold in bundles of B."""
    from pyomo.environ import Constraint, NonNegativeIntegers, Var

    names = list(data.bundles)
    model.bundles = Var(names, domain=NonNegativeIntegers)
    model.bundle = Constraint(names, rule=lambda _, name: _idle(model, data, data.bundles[name]) >= 0)


def _idle(model: ConcreteModel, data: PlanningData, hardware: Hardware) -> Expression:
    used = sum(model.machines[m, c] for m, c in data.keys if data.configuration(m, c).hardware == hardware.name)
    return hardware.bundle * model.bundles[hardware.name] - used


def add_residual_activation(model: ConcreteModel, data: PlanningData) -> None:
    """f_mc <= t_c v_mc."""
    from pyomo.environ import Constraint

    def rule(_: ConcreteModel, m: int, c: int) -> Expression:
        return model.residual_rate[m, c] <= data.residual_bound(m, c) * model.has_residual[m, c]

    model.residual_activation = Constraint(data.keys, rule=rule)


def add_residual_rows(model: ConcreteModel, data: PlanningData) -> None:
    """single_residual: sum over c of v_mc <= 1; dummies may raise its rate up to the machine's throughput."""
    from pyomo.environ import Constraint

    def single(_: ConcreteModel, m: int) -> Expression:
        return sum(model.has_residual[m, c] for c in data.of_module(m)) <= 1

    model.single_residual = Constraint(range(len(data.modules)), rule=single)


def add_residual_collection(model: ConcreteModel, data: PlanningData) -> None:
    """Tangent at f0 of d + b / f <= L where v = 1, as in `add_collection`."""
    from pyomo.environ import Constraint

    def rule(_: ConcreteModel, m: int, c: int, f0: float) -> Expression:
        return residual_collection_row(model, data, m, c, f0)

    model.residual_collection = Constraint(data.tangents.residual, rule=rule)


def collection_row(model: ConcreteModel, data: PlanningData, m: int, c: int, w0: float, use: Expression) -> Expression:
    """Row of `add_collection` for one tangent."""
    rate = collected_rate(model, data, m, c)
    return tangent(data, m, c, w0, rate, use) + _waiting(model, data, m, c) <= model.latency[m]


def residual_collection_row(model: ConcreteModel, data: PlanningData, m: int, c: int, f0: float) -> Expression:
    """Row of `add_residual_collection` for one tangent."""
    residual, use = model.residual_rate[m, c], model.has_residual[m, c]
    return tangent(data, m, c, f0, residual, use) + _residual_waiting(model, data, m, c) <= model.latency[m]


def waiting_row(model: ConcreteModel, data: PlanningData, m: int, c: int, w0: float, j: int) -> Expression:
    """Row of `add_waits` for one tangent of a full tuple."""
    both = model.uses[m, c] + model.uses[m, j] - 1
    return model.wait[m, c, j] >= 2 / w0 * both - collected_rate(model, data, m, c) / w0**2


def residual_waiting_row(model: ConcreteModel, m: int, c: int, f0: float, j: int) -> Expression:
    """Row of `add_waits` for one tangent of a residual."""
    both = model.has_residual[m, c] + model.uses[m, j] - 1
    return model.residual_wait[m, c, j] >= 2 / f0 * both - model.residual_rate[m, c] / f0**2


def tangent(data: PlanningData, m: int, c: int, w0: float, rate: Expression, use: Expression) -> Expression:
    """e + (d - e) u + b (2 u / w0 - w / w0^2), e = earliest latency of the module."""
    configuration, earliest = data.configuration(m, c), data.bounds[m].earliest
    collecting = configuration.batch * (2 / w0 * use - rate / w0**2)
    return earliest + (configuration.duration - earliest) * use + collecting


def collected_rate(model: ConcreteModel, data: PlanningData, m: int, c: int) -> Expression:
    """w_mc: rate from which a full machine collects its batches."""
    if collects_alone(data.dispatch):
        return data.configuration(m, c).throughput * model.machines[m, c]
    behind = sum(data.configuration(m, k).throughput * model.machines[m, k] for k in data.of_module(m) if k >= c)
    return behind + sum(f for (n, _), f in _residual_rates(model, data) if n == m)


def served_rate(model: ConcreteModel, data: PlanningData, m: int) -> Expression:
    """sum over c of t_c n_mc + f_mc."""
    full = sum(data.configuration(m, c).throughput * model.machines[m, c] for c in data.of_module(m))
    return full + sum(f for (n, _), f in _residual_rates(model, data) if n == m)


def module_cost(model: ConcreteModel, data: PlanningData, m: int) -> Expression:
    """sum over c of p_c n_mc + p_c f_mc / t_c."""
    full = sum(data.configuration(m, c).price * model.machines[m, c] for c in data.of_module(m))
    return full + sum(f / data.configuration(m, c).ratio for (n, c), f in _residual_rates(model, data) if n == m)


def _waiting(model: ConcreteModel, data: PlanningData, m: int, c: int) -> Expression:
    """Seconds in which the batches before a full tuple fill: sum over j of b_j z_cj; 0 but under ``tc-safe``."""
    if not waits_for_front(data.dispatch):
        return 0.0
    return sum(data.configuration(m, j).batch * model.wait[m, c, j] for j in range(c))


def _residual_waiting(model: ConcreteModel, data: PlanningData, m: int, c: int) -> Expression:
    """The same for a residual."""
    if not waits_for_front(data.dispatch):
        return 0.0
    return sum(data.configuration(m, j).batch * model.residual_wait[m, c, j] for j in data.of_module(m))


def _residual_rates(model: ConcreteModel, data: PlanningData) -> list[tuple[Key, Expression]]:
    return [(key, model.residual_rate[key]) for key in data.keys] if data.billing is Billing.FRACTIONAL else []
