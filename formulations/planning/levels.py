"""The compact model with the latency of every module on levels, each with the least that it costs.

The latencies of module m, from earliest to latest, are cut into levels k = 1, 2, ...: a level has a shortest latency
h_mk, a longest H_mk, and a floor f_mk, which no schedule of a latency in [h_mk, H_mk] undercuts
(`harpagon.solvers.models.levels` finds it). Beside the rows of `harpagon.formulations.planning.compact`, with y_mk = 1
for the level of module m:

    level     sum over k of y_mk = 1
    shortest  L_m >= sum over k of h_mk y_mk
    floor     sum over c of p_c n_mc + p_c f_mc / t_c >= sum over k of f_mk y_mk

``floor`` and ``shortest`` are what makes it tight, each switched off by its ``deactivate()``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harpagon.formulations.physics import COST_TOLERANCE
from harpagon.formulations.planning.compact import Expression, build_compact, module_cost

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyomo.environ import ConcreteModel

    from harpagon.formulations.planning.data import PlanningData


@dataclass(frozen=True, slots=True)
class Level:
    """A range of latencies of one module in seconds, and the dollars per hour that no schedule in it undercuts."""

    shortest: float
    longest: float
    floor: float


def build_levels(data: PlanningData, levels: Sequence[Sequence[Level]]) -> ConcreteModel:
    """Pyomo model of ``data`` with the tangents it holds; per module its levels, slowest first."""
    model = build_compact(data)
    add_levels(model, levels)
    add_shortest(model, levels)
    add_floor(model, data, levels)
    return model


def add_levels(model: ConcreteModel, levels: Sequence[Sequence[Level]]) -> None:
    """y binary, sum over k of y_mk = 1."""
    from pyomo.environ import Binary, Constraint, Var

    keys = [(m, k) for m, own in enumerate(levels) for k in range(len(own))]
    model.on_level = Var(keys, domain=Binary)

    def rule(_: ConcreteModel, m: int) -> Expression:
        return sum(model.on_level[m, k] for k in range(len(levels[m]))) == 1

    model.level = Constraint(range(len(levels)), rule=rule)


def add_shortest(model: ConcreteModel, levels: Sequence[Sequence[Level]]) -> None:
    """L_m >= sum over k of h_mk y_mk."""
    from pyomo.environ import Constraint

    def rule(_: ConcreteModel, m: int) -> Expression:
        return model.latency[m] >= sum(one.shortest * model.on_level[m, k] for k, one in enumerate(levels[m]))

    model.shortest = Constraint(range(len(levels)), rule=rule)


def add_floor(model: ConcreteModel, data: PlanningData, levels: Sequence[Sequence[Level]]) -> None:
    """Cost of module m >= sum over k of f_mk y_mk."""
    from pyomo.environ import Constraint

    def rule(_: ConcreteModel, m: int) -> Expression:
        floor = sum(one.floor * model.on_level[m, k] for k, one in enumerate(levels[m]))
        return module_cost(model, data, m) >= floor * (1 - COST_TOLERANCE)

    model.floor = Constraint(range(len(levels)), rule=rule)
