"""The hindsight optimum of a trace by HiGHS: the rows that `harpagon.formulations.slopt.hindsight` states."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harpagon.formulations.planning.linear_program import LinearProgram, Row, program_of_rows
from harpagon.formulations.slopt.hindsight import Choice, HindsightProblem, module_choices
from harpagon.solvers.models.highs import Values, solve_linear_program
from harpagon.solvers.options import DEFAULT_OPTIONS
from harpagon.solvers.result import Solution

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


def solve_hindsight_milp(problem: HindsightProblem) -> Solution[Values]:
    choices = [_distinct(module_choices(problem, m)) for m in range(len(problem.configurations))]
    return solve_linear_program(hindsight_program(problem, choices), DEFAULT_OPTIONS)


def _distinct(module: Sequence[Choice]) -> list[Choice]:
    """Per configuration only the smallest budget of every vector of needs: the others cost the same."""
    kept: dict[tuple[object, bytes], Choice] = {}
    for choice in module:
        kept.setdefault((choice.configuration, choice.needs.tobytes()), choice)
    return list(kept.values())


def hindsight_program(problem: HindsightProblem, choices: Sequence[Sequence[Choice]]) -> LinearProgram:
    columns = list(_columns(problem, choices))
    number = {name: i for i, (name, *_) in enumerate(columns)}
    rows = [*_machine_rows(choices, number), *_path_rows(problem, choices, number)]
    return program_of_rows(columns, rows)


def _columns(
    problem: HindsightProblem, choices: Sequence[Sequence[Choice]]
) -> Iterator[tuple[str, float, float, bool]]:
    """s[m], x[m,j], n[m,k,c], u[m,k,c]; n and u take whole values once x does, because every need is whole."""
    for m, module in enumerate(choices):
        yield f"s[{m}]", 0.0, problem.slo, False
        yield from ((f"x[{m},{j}]", 0.0, 1.0, True) for j in range(len(module)))
        for configuration in dict.fromkeys(choice.configuration for choice in module):
            hourly = configuration.price / 3600.0
            for k in range(len(problem.envelopes[m])):
                yield f"n[{m},{k},{configuration}]", hourly * problem.period, math.inf, False
                yield f"u[{m},{k},{configuration}]", hourly * problem.startup, math.inf, False


def _machine_rows(choices: Sequence[Sequence[Choice]], number: Mapping[str, int]) -> Iterator[Row]:
    for m, module in enumerate(choices):
        yield Row(f"choose[{m}]", 1.0, 1.0, {number[f"x[{m},{j}]"]: 1.0 for j in range(len(module))})
        for configuration in dict.fromkeys(choice.configuration for choice in module):
            own = [(number[f"x[{m},{j}]"], c.needs) for j, c in enumerate(module) if c.configuration is configuration]
            for k in range(module[0].needs.size):
                n = number[f"n[{m},{k},{configuration}]"]
                needs = {x: -float(needs[k]) for x, needs in own}
                yield Row(f"serve[{m},{k},{configuration}]", 0.0, math.inf, {n: 1.0, **needs})
                if k:
                    started = {number[f"u[{m},{k},{configuration}]"]: 1.0, n: -1.0}
                    before = {number[f"n[{m},{k - 1},{configuration}]"]: 1.0}
                    yield Row(f"start[{m},{k},{configuration}]", 0.0, math.inf, started | before)


def _path_rows(
    problem: HindsightProblem, choices: Sequence[Sequence[Choice]], number: Mapping[str, int]
) -> Iterator[Row]:
    for m, tails in enumerate(problem.network.predecessors):
        for j, transfer in tails:
            budgets = {number[f"x[{j},{i}]"]: -choice.budget for i, choice in enumerate(choices[j])}
            entries = {number[f"s[{m}]"]: 1.0, number[f"s[{j}]"]: -1.0, **budgets}
            yield Row(f"precede[{j},{m}]", transfer, math.inf, entries)
        budgets = {number[f"x[{m},{i}]"]: choice.budget for i, choice in enumerate(choices[m])}
        yield Row(f"finish[{m}]", -math.inf, problem.slo, {number[f"s[{m}]"]: 1.0, **budgets})
