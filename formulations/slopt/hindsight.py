"""The cheapest machines for a whole trace that is known beforehand.

In every period k module m has an envelope. A choice j = (configuration, budget) of a module needs d_{m,k,j} machines
in period k. Machines are paid p per hour while they run; starting one costs its start-up time S at the same price.

    minimise    sum over m, k, c of p_c (P n_{m,k,c} + S u_{m,k,c})
    choose      sum over j of x_{m,j} = 1                                            for every module m
    serve       n_{m,k,c} >= sum over j of configuration c of d_{m,k,j} x_{m,j}      for every m, k, c
    start       u_{m,k,c} >= n_{m,k,c} - n_{m,k-1,c},  u >= 0                        for every m, k > 0, c
    precede     s_m - s_j - sum of L_{j} x_{j} >= transfer                           for every edge
    finish      s_m + sum of L_m x_m <= SLO                                          for every sink

Configurations and budgets hold for the whole trace, as those of the online systems do; machine counts change freely.
Budgets are multiples of SLO / `BUDGETS`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harpagon.formulations.planning.linear_program import LinearProgram
from harpagon.formulations.slopt.envelope import WINDOWS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.formulations.slopt.envelope import Envelope
    from harpagon.graphs import PathNetwork
    from harpagon.instances.instance import Configuration

BUDGETS = 100
"""Steps of the budget grid from 0 to the SLO."""


@dataclass(frozen=True, slots=True)
class HindsightProblem:
    """A trace that is known.

    Attributes
    ----------
    network
        Paths of the pipeline; modules in its order.
    slo
        Seconds.
    envelopes
        Per module the envelope of every period.
    configurations
        Per module its choices.
    period, startup
        Seconds.
    """

    network: PathNetwork
    slo: float
    envelopes: tuple[tuple[Envelope, ...], ...]
    configurations: tuple[tuple[Configuration, ...], ...]
    period: float
    startup: float


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """A configuration and a budget in seconds for the whole trace; ``needs``: machines in every period, shape (K,)."""

    configuration: Configuration
    budget: float
    needs: np.ndarray


def module_choices(problem: HindsightProblem, module: int) -> list[Choice]:
    """Every choice of a module whose budget a batch fits in."""
    counts = np.array([envelope.counts for envelope in problem.envelopes[module]])
    rates = np.array([envelope.rate for envelope in problem.envelopes[module]])
    choices = []
    for configuration in problem.configurations[module]:
        for step in range(1, BUDGETS + 1):
            slack = step * problem.slo / BUDGETS - configuration.duration
            if slack > 0:
                required = np.maximum(rates, ((counts + configuration.batch) / (WINDOWS + slack)).max(axis=1))
                needs = np.maximum(1, np.ceil(required / configuration.throughput - 1e-9)).astype(np.int64)
                choices.append(Choice(configuration, step * problem.slo / BUDGETS, needs))
    return choices


class _Rows:
    """Rows of a linear program under construction."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.lower: list[float] = []
        self.upper: list[float] = []
        self.entries: list[dict[int, float]] = []

    def add(self, name: str, lower: float, upper: float, entries: dict[int, float]) -> None:
        self.names.append(name)
        self.lower.append(lower)
        self.upper.append(upper)
        self.entries.append(entries)


def hindsight_program(problem: HindsightProblem, choices: Sequence[Sequence[Choice]]) -> LinearProgram:
    """Arrays of the model over ``choices``, one sequence per module. Costs are in dollars."""
    columns = _Columns(problem, choices)
    rows = _Rows()
    for m in range(len(choices)):
        rows.add(f"choose[{m}]", 1.0, 1.0, {columns.x[m, j]: 1.0 for j in range(len(choices[m]))})
        _add_serve(rows, columns, choices[m], m)
    _add_paths(rows, columns, problem, choices)
    return LinearProgram(
        column_names=columns.names,
        costs=np.array(columns.costs),
        column_lower=np.zeros(len(columns.names)),
        column_upper=np.array(columns.upper),
        integer=np.array(columns.integer),
        row_names=rows.names,
        row_lower=np.array(rows.lower),
        row_upper=np.array(rows.upper),
        starts=np.cumsum([0, *map(len, rows.entries)]).astype(np.int32),
        indices=np.array([i for entries in rows.entries for i in entries], dtype=np.int32),
        values=np.array([v for entries in rows.entries for v in entries.values()]),
    )


class _Columns:
    """Numbers of the columns s[m], x[m,j], n[m,k,c], u[m,k,c]."""

    def __init__(self, problem: HindsightProblem, choices: Sequence[Sequence[Choice]]) -> None:
        self.names: list[str] = []
        self.costs: list[float] = []
        self.upper: list[float] = []
        self.integer: list[bool] = []
        self.s = [self._add(f"s[{m}]", 0.0, problem.slo) for m in range(len(choices))]
        self.x = {
            (m, j): self._add(f"x[{m},{j}]", 0.0, 1.0, integer=True)
            for m, module in enumerate(choices)
            for j in range(len(module))
        }
        self.n: dict[tuple[int, int, Configuration], int] = {}
        self.u: dict[tuple[int, int, Configuration], int] = {}
        for m, module in enumerate(choices):
            for configuration in dict.fromkeys(choice.configuration for choice in module):
                hourly = configuration.price / 3600.0
                for k in range(len(problem.envelopes[m])):
                    key = m, k, configuration
                    self.n[key] = self._add(f"n[{m},{k},{configuration}]", hourly * problem.period, math.inf)
                    self.u[key] = self._add(f"u[{m},{k},{configuration}]", hourly * problem.startup, math.inf)

    def _add(self, name: str, cost: float, upper: float, integer: bool = False) -> int:
        self.names.append(name)
        self.costs.append(cost)
        self.upper.append(upper)
        self.integer.append(integer)
        return len(self.names) - 1


def _add_serve(rows: _Rows, columns: _Columns, module: Sequence[Choice], m: int) -> None:
    """Serve and start rows; n and u take whole values by themselves once x does, because every need is whole."""
    for (owner, k, configuration), n in columns.n.items():
        if owner != m:
            continue
        entries = {n: 1.0}
        entries |= {
            columns.x[m, j]: -float(choice.needs[k])
            for j, choice in enumerate(module)
            if choice.configuration is configuration
        }
        rows.add(f"serve[{m},{k},{configuration}]", 0.0, math.inf, entries)
        if k > 0:
            started = {columns.u[m, k, configuration]: 1.0, n: -1.0, columns.n[m, k - 1, configuration]: 1.0}
            rows.add(f"start[{m},{k},{configuration}]", 0.0, math.inf, started)


def _add_paths(rows: _Rows, columns: _Columns, problem: HindsightProblem, choices: Sequence[Sequence[Choice]]) -> None:
    def budget(m: int, sign: float) -> dict[int, float]:
        return {columns.x[m, j]: sign * choice.budget for j, choice in enumerate(choices[m])}

    for m, tails in enumerate(problem.network.predecessors):
        for j, transfer in tails:
            rows.add(
                f"precede[{j},{m}]", transfer, math.inf, {columns.s[m]: 1.0, columns.s[j]: -1.0, **budget(j, -1.0)}
            )
        if not problem.network.successors[m]:
            rows.add(f"finish[{m}]", -math.inf, problem.slo, {columns.s[m]: 1.0, **budget(m, 1.0)})
