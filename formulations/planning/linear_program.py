"""A mixed-integer linear program as arrays, the form in which every linear model reaches the solver."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from harpagon.instances.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray
    from pyomo.environ import ConcreteModel


@dataclass(frozen=True, slots=True)
class LinearProgram:
    """Minimise costs @ x subject to row_lower <= A x <= row_upper, column_lower <= x <= column_upper.

    Attributes
    ----------
    column_names, costs, column_lower, column_upper, integer
        One entry per column; ``integer`` marks the columns that take whole values.
    row_names, row_lower, row_upper
        One entry per row.
    starts, indices, values
        A by rows: row i has the columns ``indices[starts[i]:starts[i + 1]]`` with these ``values``.
    """

    column_names: Sequence[str]
    costs: NDArray[np.float64]
    column_lower: NDArray[np.float64]
    column_upper: NDArray[np.float64]
    integer: NDArray[np.bool_]
    row_names: Sequence[str]
    row_lower: NDArray[np.float64]
    row_upper: NDArray[np.float64]
    starts: NDArray[np.int32]
    indices: NDArray[np.int32]
    values: NDArray[np.float64]

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.row_lower)

    @property
    def columns(self) -> int:
        """Number of columns."""
        return len(self.costs)


@dataclass(frozen=True, slots=True)
class Row:
    """One row: lower <= sum of value x column <= upper, ``entries`` from number of a column to value."""

    name: str
    lower: float
    upper: float
    entries: Mapping[int, float]


def program_of_rows(columns: Sequence[tuple[str, float, float, bool]], rows: Sequence[Row]) -> LinearProgram:
    """Program over columns from 0 up, given as name, cost, upper bound and whether it is integer."""
    names, costs, upper, integer = zip(*columns, strict=True)
    return LinearProgram(
        column_names=names,
        costs=np.array(costs),
        column_lower=np.zeros(len(columns)),
        column_upper=np.array(upper),
        integer=np.array(integer),
        row_names=[row.name for row in rows],
        row_lower=np.array([row.lower for row in rows]),
        row_upper=np.array([row.upper for row in rows]),
        starts=np.cumsum([0, *(len(row.entries) for row in rows)]).astype(np.int32),
        indices=np.array([column for row in rows for column in row.entries], dtype=np.int32),
        values=np.array([value for row in rows for value in row.entries.values()]),
    )


class Paths(Protocol):
    """Modules of all pipelines in one list, with what their entry times must keep; all in seconds."""

    @property
    def slo(self) -> Sequence[float]:
        """Per module the SLO of its pipeline."""

    @property
    def edges(self) -> Mapping[tuple[int, int], float]:
        """(tail, head) to transfer."""

    @property
    def sinks(self) -> Sequence[int]:
        """Modules without successors."""


def path_rows(paths: Paths, entry: Sequence[int], latencies: Sequence[Mapping[int, float]]) -> Iterator[Row]:
    """Precedence of every edge and deadline of every sink.

    Parameters
    ----------
    paths
        Edges, sinks and SLOs.
    entry
        Per module the column of its entry time.
    latencies
        Per module the columns whose weighted sum is its latency.
    """
    for (tail, head), transfer in paths.edges.items():
        entries = {entry[tail]: 1.0, entry[head]: -1.0, **latencies[tail]}
        yield Row(f"precedence[{tail},{head}]", -math.inf, -transfer, entries)
    for m in paths.sinks:
        yield Row(f"deadline[{m}]", -math.inf, paths.slo[m], {entry[m]: 1.0, **latencies[m]})


def quickest_of(
    columns: Sequence[tuple[str, float, float, bool]],
    rows: Sequence[Row],
    paths: Paths,
    pipelines: Sequence[int],
    cost: float,
) -> LinearProgram:
    """The quickest of the solutions of at most ``cost`` $/h: least sum over pipelines of latency / SLO.

    ``columns`` and ``rows``, `path_rows` of ``paths`` among them, are of a program that minimises cost; columns
    length[q] follow. ``pipelines`` has the number of every module's.
    """
    free = [(name, 0.0, upper, whole) for name, _, upper, whole in columns]
    slos = dict(zip(pipelines, paths.slo, strict=True))
    length = {q: len(columns) + i for i, q in enumerate(slos)}
    ends = {row.name: row.entries for row in rows}
    lengths = [
        Row(f"length[{m}]", -math.inf, 0.0, {**ends[f"deadline[{m}]"], length[pipelines[m]]: -1.0}) for m in paths.sinks
    ]
    budget = Row("budget", -math.inf, cost, {column: price for column, (_, price, *_) in enumerate(columns) if price})
    measured = [(f"length[{q}]", 1 / slo, slo, False) for q, slo in slos.items()]
    return program_of_rows([*free, *measured], [*rows, *lengths, budget])


def exclusion_rows(choices: Iterable[Collection[int]]) -> Iterator[Row]:
    """Not all columns of a choice at once, for every choice."""
    for i, columns in enumerate(choices):
        yield Row(f"excluded[{i}]", -math.inf, len(columns) - 1, dict.fromkeys(columns, 1.0))


def linear_program(model: ConcreteModel) -> LinearProgram:
    """Arrays of a linear Pyomo model with one minimisation objective; its inactive components do not count.

    Raises
    ------
    InputError
        Where a row is not linear.
    """
    from pyomo.environ import Constraint, Objective
    from pyomo.repn import generate_standard_repn

    numbers: dict[int, int] = {}
    variables: list[Any] = []
    starts: list[int] = [0]
    indices: list[int] = []
    values: list[float] = []
    row_names, row_lower, row_upper = [], [], []

    def number(variable: object) -> int:
        found = numbers.setdefault(id(variable), len(variables))
        if found == len(variables):
            variables.append(variable)
        return found

    for row in model.component_data_objects(Constraint, active=True, descend_into=True):
        form = generate_standard_repn(row.body)
        if not form.is_linear():
            raise InputError(row.name, "", "this row is not linear", "Write it with sums of multiples of variables")
        indices.extend(map(number, form.linear_vars))
        values.extend(form.linear_coefs)
        starts.append(len(indices))
        row_names.append(row.name)
        row_lower.append(_or(row.lower, -math.inf) - form.constant)
        row_upper.append(_or(row.upper, math.inf) - form.constant)
    (objective,) = model.component_data_objects(Objective, active=True, descend_into=True)
    form = generate_standard_repn(objective.expr)
    cost_of = dict(zip(map(number, form.linear_vars), form.linear_coefs, strict=True))
    return LinearProgram(
        column_names=[variable.name for variable in variables],
        costs=np.array([cost_of.get(i, 0.0) for i in range(len(variables))]),
        column_lower=np.array([_or(variable.lb, -math.inf) for variable in variables]),
        column_upper=np.array([_or(variable.ub, math.inf) for variable in variables]),
        integer=np.array([not variable.is_continuous() for variable in variables]),
        row_names=row_names,
        row_lower=np.array(row_lower),
        row_upper=np.array(row_upper),
        starts=np.array(starts, dtype=np.int32),
        indices=np.array(indices, dtype=np.int32),
        values=np.array(values),
    )


def _or(value: object, default: float) -> float:
    from pyomo.environ import value as number

    return default if value is None else float(number(value))


def pyomo_model(program: LinearProgram, name: str) -> ConcreteModel:
    """Pyomo model of the same program, for writing it to a file."""
    from pyomo.environ import Binary, ConcreteModel, Constraint, NonNegativeIntegers, NonNegativeReals, Objective, Var

    model = ConcreteModel(name)
    numbers = range(program.columns)
    whole_values = [Binary if upper == 1 else NonNegativeIntegers for upper in program.column_upper]
    kinds = [values if whole else NonNegativeReals for whole, values in zip(program.integer, whole_values, strict=True)]
    for i, label in enumerate(program.column_names):
        setattr(model, label, Var(domain=kinds[i]))
    columns = [getattr(model, label) for label in program.column_names]
    for row, label in enumerate(program.row_names):
        places = range(program.starts[row], program.starts[row + 1])
        body = sum(float(program.values[i]) * columns[program.indices[i]] for i in places)
        lower, upper = float(program.row_lower[row]), float(program.row_upper[row])
        bounds = (None if math.isinf(lower) else lower, body, None if math.isinf(upper) else upper)
        setattr(model, label, Constraint(expr=bounds))
    model.cost = Objective(expr=sum(float(program.costs[i]) * columns[i] for i in numbers))
    return model
