"""The pattern model: every module picks one schedule from its Pareto frontier.

With binary x_mk for column k of module m (cost, latency, machines of each limited hardware type) and entry time s_m:

    minimise  sum of cost_mk x_mk
    select      sum over k of x_mk = 1
    precedence  s_m + sum over k of latency_mk x_mk + transfer <= s_m'  for every edge (m, m')
    deadline    s_m + sum over k of latency_mk x_mk <= SLO  at every sink
    limit       sum over m and k of usage_mkh x_mk <= limit_h
    bundle      sum over m and k of usage_mkh x_mk + i_h = B_h y_h  for types sold in bundles of B_h, y_h integer, and
                idle machines i_h >= 0, which add p_h i_h to the cost
    excluded    sum over a choice of x_mk <= (its modules) - 1, for choices that met a row only within its tolerance

`build_pattern` is the readable form in Pyomo, `pattern_program` the same rows as arrays.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harpagon.formulations.planning.linear_program import Row, exclusion_rows, path_rows, program_of_rows, quickest_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pyomo.environ import ConcreteModel

    from harpagon.formulations.planning.compact import Expression
    from harpagon.formulations.planning.linear_program import LinearProgram
    from harpagon.instances.instance import Hardware
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
    bundles
        Of the types in ``limits``, those sold in bundles.
    """

    columns: tuple[tuple[Column, ...], ...]
    slo: tuple[float, ...]
    edges: Mapping[tuple[int, int], float]
    sinks: tuple[int, ...]
    limits: Mapping[str, int]
    excluded: tuple[tuple[int, ...], ...] = ()
    bundles: Mapping[str, Hardware] = field(default_factory=dict)

    @property
    def keys(self) -> list[tuple[int, int]]:
        """All pairs (module, column)."""
        return [(m, k) for m, columns in enumerate(self.columns) for k in range(len(columns))]


def build_pattern(data: PatternData) -> ConcreteModel:
    """Pyomo model of ``data``."""
    from pyomo.environ import Binary, ConcreteModel, Constraint, NonNegativeIntegers, NonNegativeReals, Objective, Var

    model = ConcreteModel("pattern")
    numbers = range(len(data.columns))
    model.pick = Var(data.keys, domain=Binary)
    model.entry = Var(numbers, domain=NonNegativeReals)
    model.bundles = Var(list(data.bundles), domain=NonNegativeIntegers)
    model.idle = Var(list(data.bundles), domain=NonNegativeReals)
    places = list(data.limits)

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
            return Constraint.Skip
        return sum(usage * model.pick[key] for key, usage in used if usage) <= machines

    def bundle(_: ConcreteModel, hardware: str) -> Expression:
        h = places.index(hardware)
        used = sum(data.columns[m][k].usage[h] * model.pick[m, k] for m, k in data.keys)
        return used + model.idle[hardware] == data.bundles[hardware].bundle * model.bundles[hardware]

    def excluded(_: ConcreteModel, number: int) -> Expression:
        choice = data.excluded[number]
        return sum(model.pick[m, k] for m, k in enumerate(choice)) <= len(choice) - 1

    cost = sum(data.columns[m][k].cost * model.pick[m, k] for m, k in data.keys)
    cost += sum(hardware.price * model.idle[name] for name, hardware in data.bundles.items())
    model.cost = Objective(expr=cost)
    model.select = Constraint(numbers, rule=select)
    model.precedence = Constraint(list(data.edges), rule=precedence)
    model.deadline = Constraint(data.sinks, rule=deadline)
    model.limit = Constraint(list(enumerate(data.limits.values())), rule=limit)
    model.bundle = Constraint(list(data.bundles), rule=bundle)
    model.excluded = Constraint(range(len(data.excluded)), rule=excluded)
    return model


def pattern_program(data: PatternData) -> LinearProgram:
    """The same model as arrays, without Pyomo: columns pick[m,k], entry[m], then idle[h] and bundles[h]."""
    return program_of_rows(_columns(data), list(_rows(data)))


def quickest_program(data: PatternData, pipelines: Sequence[int], cost: float) -> LinearProgram:
    """The quickest of its choices of at most ``cost`` $/h, as `quickest_of` says."""
    return quickest_of(_columns(data), list(_rows(data)), data, pipelines, cost)


def _columns(data: PatternData) -> list[tuple[str, float, float, bool]]:
    return [
        *((f"pick[{m},{k}]", data.columns[m][k].cost, 1.0, True) for m, k in data.keys),
        *((f"entry[{m}]", 0.0, math.inf, False) for m in range(len(data.columns))),
        *((f"idle[{name}]", hardware.price, math.inf, False) for name, hardware in data.bundles.items()),
        *((f"bundles[{name}]", 0.0, math.inf, True) for name in data.bundles),
    ]


def _rows(data: PatternData) -> Iterator[Row]:
    number = {key: i for i, key in enumerate(data.keys)}
    entry = [len(number) + m for m in range(len(data.columns))]
    latencies = [
        {number[m, k]: column.latency for k, column in enumerate(columns)} for m, columns in enumerate(data.columns)
    ]
    for m, columns in enumerate(data.columns):
        yield Row(f"select[{m}]", 1.0, 1.0, {number[m, k]: 1.0 for k in range(len(columns))})
    yield from path_rows(data, entry, latencies)
    used = {
        hardware: {number[m, k]: data.columns[m][k].usage[h] for m, k in number if data.columns[m][k].usage[h]}
        for h, hardware in enumerate(data.limits)
    }
    for hardware, usage in used.items():
        if usage:
            yield Row(f"limit[{hardware}]", -math.inf, data.limits[hardware], usage)
    first = len(number) + len(data.columns)
    for i, (name, sold) in enumerate(data.bundles.items()):
        bought = {first + i: 1.0, first + len(data.bundles) + i: -float(sold.bundle)}
        yield Row(f"bundle[{name}]", 0.0, 0.0, {**used[name], **bought})
    yield from exclusion_rows([number[m, k] for m, k in enumerate(choice)] for choice in data.excluded)
