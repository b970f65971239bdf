"""Provisioning under envelopes in Pyomo: one binary per column, starts along the paths.

minimise    sum of cost_{m,k} x_{m,k}
select      sum over k of x_{m,k} = 1                               for every module m
precede     s_m >= s_j + sum over k of latency_{j,k} x_{j,k} + transfer_{j,m}   for every edge (j, m)
finish      s_m + sum over k of latency_{m,k} x_{m,k} <= SLO        for every sink m
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyomo.environ as pyo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.formulations.slopt.columns import Column, ProvisioningProblem


def build_slopt(problem: ProvisioningProblem, columns: Sequence[Sequence[Column]]) -> pyo.ConcreteModel:
    """Model over ``columns``, one sequence per module.

    Components: ``x``, ``s``, ``select``, ``precede``, ``finish``, ``cost``.
    """
    model = pyo.ConcreteModel(name="slopt")
    model.modules = pyo.RangeSet(0, len(columns) - 1)
    pairs = [(m, k) for m, module in enumerate(columns) for k in range(len(module))]
    model.x = pyo.Var(pairs, domain=pyo.Binary)
    model.s = pyo.Var(model.modules, bounds=(0.0, problem.slo))
    latency = [
        pyo.quicksum(column.latency * model.x[m, k] for k, column in enumerate(module))
        for m, module in enumerate(columns)
    ]
    _add_select(model, columns)
    _add_precede(model, problem, latency)
    _add_finish(model, problem, latency)
    model.cost = pyo.Objective(expr=pyo.quicksum(columns[m][k].cost * model.x[m, k] for m, k in pairs))
    return model


def _add_select(model: pyo.ConcreteModel, columns: Sequence[Sequence[Column]]) -> None:
    """sum over k of x[m, k] = 1."""
    model.select = pyo.Constraint(
        model.modules, rule=lambda model, m: pyo.quicksum(model.x[m, k] for k in range(len(columns[m]))) == 1
    )


def _add_precede(model: pyo.ConcreteModel, problem: ProvisioningProblem, latency: Sequence[object]) -> None:
    """s[m] >= s[j] + latency of j + transfer."""
    edges = [(j, m, transfer) for m, pairs in enumerate(problem.network.predecessors) for j, transfer in pairs]
    model.precede = pyo.ConstraintList()
    for j, m, transfer in edges:
        model.precede.add(model.s[m] >= model.s[j] + latency[j] + transfer)


def _add_finish(model: pyo.ConcreteModel, problem: ProvisioningProblem, latency: Sequence[object]) -> None:
    """s[m] + latency of m <= SLO at every sink."""
    model.finish = pyo.Constraint(problem.network.sinks, rule=lambda model, m: model.s[m] + latency[m] <= problem.slo)
