"""The disjunctive model: each configuration is used and meets its latency, or it is not used.

Variables, cost, capacity, paths and limits are those of `harpagon.formulations.planning.compact`.
Activation and collection become, per module m and configuration c,

    [ n >= 1, w >= q, d + b (2 / w0 - w / w0^2) <= L for every tangent w0 ]  or  [ n = 0 ]

and the same for a residual with f in place of n and w. Pyomo.GDP turns the disjunctions into linear rows: ``bigm``
relaxes each row by the largest value it can take over the variables' bounds, ``hull`` splits every variable into one
copy per side, which is the tightest relaxation of each single disjunction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.formulations.physics import collects
from harpagon.formulations.planning.compact import (
    Expression,
    add_bundles,
    add_capacity,
    add_cost,
    add_limits,
    add_machines,
    add_paths,
    add_residual_rows,
    add_times,
    collected_rate,
)
from harpagon.instances.policies import Billing

if TYPE_CHECKING:
    from pyomo.environ import ConcreteModel

    from harpagon.formulations.planning.data import PlanningData


def build_disjunctive(data: PlanningData, relaxation: str) -> ConcreteModel:
    """Pyomo model with its disjunctions made linear by ``relaxation``: "bigm" or "hull"."""
    import pyomo.gdp  # noqa: F401  registers the transformations
    from pyomo.environ import ConcreteModel, TransformationFactory

    model = ConcreteModel(f"disjunctive-{relaxation}")
    add_machines(model, data)
    add_times(model, data)
    add_bundles(model, data)
    add_cost(model, data)
    add_capacity(model, data)
    add_use_disjunction(model, data)
    add_paths(model, data)
    add_limits(model, data)
    if data.billing is Billing.FRACTIONAL:
        add_residual_disjunction(model, data)
        add_residual_rows(model, data)
    TransformationFactory(f"gdp.{relaxation}").apply_to(model)
    return model


def add_use_disjunction(model: ConcreteModel, data: PlanningData) -> None:
    """Used: n >= 1, w >= q, tangents (``round-robin``: 2 d <= L); or unused: n = 0.

    w is a variable with bounds, counted in machines of the configuration, t requests per second each: in requests per
    second its coefficients in the tangents, b / w0^2, are nearer to a solver's tolerance.
    """
    from pyomo.environ import Constraint, Var
    from pyomo.gdp import Disjunct, Disjunction

    def rate(_: ConcreteModel, m: int, c: int) -> Expression:
        return model.collected[m, c] == collected_rate(model, data, m, c) / data.configuration(m, c).throughput

    def used(disjunct: Disjunct, m: int, c: int) -> None:
        disjunct.some = Constraint(expr=model.machines[m, c] >= 1)
        disjunct.execution = Constraint(expr=data.execution(m, c) <= model.latency[m])
        if collects(data.dispatch):
            throughput, machines = data.configuration(m, c).throughput, model.collected[m, c]
            disjunct.least_rate = Constraint(expr=machines >= data.least_rate(m, c) / throughput)
            points = [w0 for n, k, w0 in data.tangents.full if (n, k) == (m, c)]
            disjunct.collection = Constraint(
                points, rule=lambda _, w0: _tangent(data, m, c, w0, throughput * machines) <= model.latency[m]
            )

    def unused(disjunct: Disjunct, m: int, c: int) -> None:
        disjunct.none = Constraint(expr=model.machines[m, c] == 0)

    model.collected = Var(
        data.keys, bounds=lambda _, m, c: (0.0, data.largest_rate(m) / data.configuration(m, c).throughput)
    )
    model.collected_rate = Constraint(data.keys, rule=rate)
    model.used = Disjunct(data.keys, rule=used)
    model.unused = Disjunct(data.keys, rule=unused)
    model.use = Disjunction(data.keys, rule=lambda _, m, c: [model.used[m, c], model.unused[m, c]])


def add_residual_disjunction(model: ConcreteModel, data: PlanningData) -> None:
    """Used: v = 1, f >= q, tangents; or unused: v = 0, f = 0."""
    from pyomo.environ import Constraint
    from pyomo.gdp import Disjunct, Disjunction

    def used(disjunct: Disjunct, m: int, c: int) -> None:
        rate = model.residual_rate[m, c]
        disjunct.indicator = Constraint(expr=model.has_residual[m, c] == 1)
        disjunct.least_rate = Constraint(expr=rate >= data.least_rate(m, c))
        points = [f0 for n, k, f0 in data.tangents.residual if (n, k) == (m, c)]
        disjunct.collection = Constraint(points, rule=lambda _, f0: _tangent(data, m, c, f0, rate) <= model.latency[m])

    def unused(disjunct: Disjunct, m: int, c: int) -> None:
        disjunct.indicator = Constraint(expr=model.has_residual[m, c] == 0)
        disjunct.none = Constraint(expr=model.residual_rate[m, c] == 0)

    model.residual_used = Disjunct(data.keys, rule=used)
    model.residual_unused = Disjunct(data.keys, rule=unused)
    model.residual_use = Disjunction(
        data.keys, rule=lambda _, m, c: [model.residual_used[m, c], model.residual_unused[m, c]]
    )


def _tangent(data: PlanningData, m: int, c: int, w0: float, rate: Expression) -> Expression:
    """d + b (2 / w0 - w / w0^2)."""
    configuration = data.configuration(m, c)
    return configuration.duration + configuration.batch * (2 / w0 - rate / w0**2)
