"""Sponge's integer program in Pyomo: one binary per pair of cores and batch size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyomo.environ as pyo

if TYPE_CHECKING:
    from harpagon.formulations.sponge.problem import SpongeProblem


def build_sponge(problem: SpongeProblem) -> pyo.ConcreteModel:
    """Model of `harpagon.formulations.sponge.problem`, with x[c, b] = 1 for the pair that is chosen.

    Components: ``x`` (pairs), ``one_pair``, ``throughput``, ``deadline`` (requests), ``cost``. Size: one column a
    pair; two rows and one row a request.
    """
    model = pyo.ConcreteModel(name="sponge")
    model.pairs = pyo.Set(initialize=list(problem.profile.durations), dimen=2)
    model.requests = pyo.RangeSet(0, len(problem.remaining) - 1)
    model.x = pyo.Var(model.pairs, domain=pyo.Binary)
    _add_one_pair(model)
    _add_throughput(model, problem)
    _add_deadline(model, problem)
    model.cost = pyo.Objective(expr=pyo.quicksum(problem.objective(c, b) * model.x[c, b] for c, b in model.pairs))
    return model


def _add_one_pair(model: pyo.ConcreteModel) -> None:
    """sum x[c, b] = 1."""
    model.one_pair = pyo.Constraint(expr=pyo.quicksum(model.x.values()) == 1)


def _add_throughput(model: pyo.ConcreteModel, problem: SpongeProblem) -> None:
    """sum (b - rate l(b, c)) x[c, b] >= 0."""
    durations = problem.profile.durations
    served = pyo.quicksum((b - problem.throughput * durations[c, b]) * model.x[c, b] for c, b in model.pairs)
    model.throughput = pyo.Constraint(expr=served >= 0)


def _add_deadline(model: pyo.ConcreteModel, problem: SpongeProblem) -> None:
    """sum (floor(i / b) + 1) l(b, c) x[c, b] <= remaining_i, for every request i."""
    durations = problem.profile.durations

    def row(model: pyo.ConcreteModel, i: int) -> object:
        done = pyo.quicksum((i // b + 1) * durations[c, b] * model.x[c, b] for c, b in model.pairs)
        return done <= problem.remaining[i]

    model.deadline = pyo.Constraint(model.requests, rule=row)
