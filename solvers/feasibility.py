"""Whether there is any plan at all: by theory, since no budget is large enough to find that out by searching."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.formulations.bounds import reaches_smallest, smallest_latency
from harpagon.formulations.physics import TIME_TOLERANCE
from harpagon.formulations.problem import ModuleProblem
from harpagon.solvers.enumeration.schedules import Option, combine, module_options, pareto

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harpagon.solvers.enumeration.schedules import Rules


def has_plan(rules: Rules) -> bool:
    """Whether some plan meets every SLO within the hardware limits, at any cost.

    A module that uses a type without limit takes longer than the smallest batch duration d of such a type, and comes
    arbitrarily near d with many machines (``round-robin``: 2 d, attained). Schedules of limited types are finite.

    Raises
    ------
    UnsupportedError
        Where a module has too many schedules of limited types to list.
    """
    fronts = [
        [pareto([*_ideal(rules, module), *_limited_only(rules, module)]) for module in problem.modules]
        for problem in rules.problems
    ]
    return combine(rules, fronts) is not None


def _ideal(rules: Rules, module: ModuleProblem) -> Iterator[Option]:
    unlimited = tuple(c for c in module.configurations if c.hardware not in rules.limits)
    if unlimited:
        free = ModuleProblem(module.name, module.rate, unlimited)
        margin = 0.0 if reaches_smallest(free, rules.dispatch) else 2 * TIME_TOLERANCE
        yield Option(0.0, smallest_latency(free, rules.dispatch) + margin, (0.0,) * len(rules.limits), ())


def _limited_only(rules: Rules, module: ModuleProblem) -> Iterator[Option]:
    limited = tuple(c for c in module.configurations if c.hardware in rules.limits)
    if limited:
        budget = sum(
            limit * max((c.price for c in limited if c.hardware == name), default=0.0)
            for name, limit in rules.limits.items()
        )
        yield from module_options(rules, module, limited, budget)
