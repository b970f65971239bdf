"""Further tangents for a model that is built already, so that rows added to it by hand stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.formulations.physics import waits_for_front
from harpagon.formulations.planning.compact import (
    Expression,
    collection_row,
    residual_collection_row,
    residual_waiting_row,
    waiting_row,
)

if TYPE_CHECKING:
    from pyomo.environ import ConcreteModel

    from harpagon.formulations.planning.data import PlanningData, Tangents


def add_tangents(model: ConcreteModel, data: PlanningData, points: Tangents, number: int) -> None:
    """Add the rows of ``points`` to a compact or disjunctive model, in components that end in ``_number``.

    In a disjunctive model they stand outside the disjunctions, in the compact form, with the disjunct's indicator as
    u: as valid, and not as tight.
    """
    _add(
        model,
        f"collection_{number}",
        points.full,
        lambda m, c, w: collection_row(model, data, m, c, w, _use(model, m, c)),
    )
    _add(model, f"residual_collection_{number}", points.residual, lambda *p: residual_collection_row(model, data, *p))
    if waits_for_front(data.dispatch):
        waits = [(m, c, w, j) for m, c, w in points.full for j in range(c)]
        _add(model, f"waiting_{number}", waits, lambda *p: waiting_row(model, data, *p))
        waits = [(m, c, f, j) for m, c, f in points.residual for j in data.of_module(m)]
        _add(model, f"residual_waiting_{number}", waits, lambda *p: residual_waiting_row(model, *p))


def _use(model: ConcreteModel, m: int, c: int) -> Expression:
    return model.uses[m, c] if hasattr(model, "uses") else model.used[m, c].binary_indicator_var


def _add(model: ConcreteModel, name: str, points: Expression, row: Expression) -> None:
    from pyomo.environ import Constraint

    if points:
        model.add_component(name, Constraint(list(points), rule=lambda _, *point: row(*point)))
