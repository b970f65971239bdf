"""The pattern model: every module picks one schedule from its Pareto frontier.

With binary x_mk for column k of module m (cost, latency, machines of each limited hardware type) and entry time s_m:

    minimise  sum of cost_mk x_mk
    select      sum over k of x_mk = 1
    precedence  s_m + sum over k of latency_mk x_mk + transfer <= s_m'  for every edge (m, m')
    deadline    s_m + sum over k of latency_mk x_mk <= SLO  at every sink
    limit       sum over m and k of usage_mkh x_mk <= limit_h
    excluded    sum over a choice of x_mk <= (its modules) - 1, for choices that met a row only within its tolerance

`build_pattern` is the readable form in Pyomo, `pattern_program` the same rows as arrays.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harpagon.formulations.planning.linear_program import Row, exclusion_rows, path_rows, program_of_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pyomo.environ import ConcreteModel

    from harpagon.formulations.planning.compact import Expression
    from harpagon.formulations.planning.linear_program import LinearProgram
    from harpagon.instances.plan import DispatchTuple


@dataclass(frozen=True, slots=True)
class Column:
    """One schedule of one module: $/hour, seconds, machines of each limited type in the order of the limits."""

    cost: float
    latency: float
    usage: tuple[float, ...]
    schedule: tuple[DispatchTuple, ...]


@dataclass(frozen=True, slots=True)
class PatternData:
    """Columns per module, modules of all pipelines in one list.

    Attributes
    ----------
    columns
        Per module its columns.
    slo
        Per module the SLO of its pipeline in seconds.
    edges
        (tail, head) to transfer seconds.
    sinks
        Modules without successors.
    limits
        Machines of each limited hardware type.
    excluded
        Choices of one column per module that are cut off.
    """

    columns: tuple[tuple[Column, ...], ...]
    slo: tuple[float, ...]
    edges: Mapping[tuple[int, int], float]
    sinks: tuple[int, ...]
    limits: Mapping[str, int]
    excluded: tuple[tuple[int, ...], ...] = ()

    @property
    def keys(self) -> list[tuple[int, int]]:
        """All pairs (module, column)."""
        return [(m, k) for m, columns in enumerate(self.columns) for k in range(len(columns))]


def build_pattern(data: PatternData) -> ConcreteModel:
    """Pyomo model of ``data``."""
    from pyomo.environ import Binary, ConcreteModel, Constraint, NonNegativeReals, Objective, Var

    model = ConcreteModel("pattern")
    numbers = range(len(data.columns))
    model.pick = Var(data.keys, domain=Binary)
    model.entry = Var(numbers, domain=NonNegativeReals)

    def latency(m: int) -> Expression:
        return sum(column.latency * model.pick[m, k] for k, column in enumerate(data.columns[m]))

    def select(_: ConcreteModel, m: int) -> Expression:
        return sum(model.pick[m, k] for k in range(len(data.columns[m]))) == 1

    def precedence(_: ConcreteModel, tail: int, head: int) -> Expression:
        return model.entry[tail] + latency(tail) + data.edges[tail, head] <= model.entry[head]

    def deadline(_: ConcreteModel, m: int) -> Expression:
        return model.entry[m] + latency(m) <= data.slo[m]

    def limit(_: ConcreteModel, h: int, machines: int) -> Expression:
        used = [(key, data.columns[key[0]][key[1]].usage[h]) for key in data.keys]
        if not any(usage for _, usage in used):
            return Constraint.Feasible
        return sum(usage * model.pick[key] for key, usage in used if usage) <= machines

    def excluded(_: ConcreteModel, number: int) -> Expression:
        choice = data.excluded[number]
        return sum(model.pick[m, k] for m, k in enumerate(choice)) <= len(choice) - 1

    model.cost = Objective(expr=sum(data.columns[m][k].cost * model.pick[m, k] for m, k in data.keys))
    model.select = Constraint(numbers, rule=select)
    model.precedence = Constraint(list(data.edges), rule=precedence)
    model.deadline = Constraint(data.sinks, rule=deadline)
    model.limit = Constraint(list(enumerate(data.limits.values())), rule=limit)
    model.excluded = Constraint(range(len(data.excluded)), rule=excluded)
    return model


def pattern_program(data: PatternData) -> LinearProgram:
    """The same model as arrays, without Pyomo: columns pick[m,k], then entry[m]."""
    keys = data.keys
    picks = [(f"pick[{m},{k}]", data.columns[m][k].cost, 1.0, True) for m, k in keys]
    entries = [(f"entry[{m}]", 0.0, math.inf, False) for m in range(len(data.columns))]
    return program_of_rows([*picks, *entries], list(_rows(data, {key: i for i, key in enumerate(keys)})))


def _rows(data: PatternData, number: Mapping[tuple[int, int], int]) -> Iterator[Row]:
    entry = [len(number) + m for m in range(len(data.columns))]
    latencies = [
        {number[m, k]: column.latency for k, column in enumerate(columns)} for m, columns in enumerate(data.columns)
    ]
    for m, columns in enumerate(data.columns):
        yield Row(f"select[{m}]", 1.0, 1.0, {number[m, k]: 1.0 for k in range(len(columns))})
    yield from path_rows(data, entry, latencies)
    for h, (hardware, machines) in enumerate(data.limits.items()):
        usage = {number[m, k]: data.columns[m][k].usage[h] for m, k in number if data.columns[m][k].usage[h]}
        if usage:
            yield Row(f"limit[{hardware}]", -math.inf, machines, usage)
    yield from exclusion_rows([number[m, k] for m, k in enumerate(choice)] for choice in data.excluded)
