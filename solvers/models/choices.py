"""One column per module picked by HiGHS: what a solution picks, and the cut-off of choices that do not hold."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harpagon.formulations.planning.pattern import pattern_program
from harpagon.solvers.models.highs import solve_linear_program
from harpagon.solvers.result import Termination

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence, Sized

    from harpagon.formulations.planning.pattern import PatternData
    from harpagon.solvers.models.highs import Values
    from harpagon.solvers.options import SolverOptions
    from harpagon.solvers.result import Solution


def picked(options: Sequence[Sized], values: Mapping[str, float]) -> tuple[int, ...]:
    """Per module the number of the option whose ``pick[m,k]`` is largest."""
    return tuple(
        max(range(len(own)), key=lambda k, m=m: values[f"pick[{m},{k}]"])  # type: ignore[misc]
        for m, own in enumerate(options)
    )


def choose_columns(
    data: PatternData,
    options: Callable[[], SolverOptions],
    is_faulty: Callable[[tuple[int, ...]], bool],
    on_bound: Callable[[float], None] | None = None,
) -> tuple[Solution[Values], tuple[int, ...] | None]:
    """Cheapest choice of columns without a fault.

    HiGHS allows a row to be missed by its tolerance; a choice that is faulty for it is cut off and the model solved
    again, unless HiGHS stopped before its optimum.

    Parameters
    ----------
    data
        What is chosen from.
    options
        Asked before every solve.
    is_faulty
        Told of every choice.
    on_bound
        As `solve_linear_program` has it.

    Returns
    -------
    tuple
        The last solution, and its choice where it has one without a fault.
    """
    while True:
        solution = solve_linear_program(pattern_program(data), options(), on_bound=on_bound)
        if solution.plan is None:
            return solution, None
        choice = picked(data.columns, solution.plan)
        if not is_faulty(choice):
            return solution, choice
        if solution.termination is not Termination.OPTIMAL:
            return solution, None
        data = replace(data, excluded=(*data.excluded, choice))
