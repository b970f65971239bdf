"""Whether there is any plan at all, and one where there is: by theory, by capacity, and by listing what limits allow.

A module that uses a type without limit takes longer than the smallest batch duration d of such a type, and comes
arbitrarily near d with many machines (``round-robin``: 2 d, attained). Schedules of limited types are finite.
"""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

from harpagon.formulations.bounds import (
    approached_latency,
    cheapest_single,
    first_plan,
    is_reachable,
    largest_stretch,
    smallest_latency,
)
from harpagon.formulations.physics import TIME_TOLERANCE, has_free_order, keeps_streams
from harpagon.formulations.problem import module_spans
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.capabilities import UnsupportedError
from harpagon.solvers.enumeration.combinations import combine, pareto
from harpagon.solvers.enumeration.schedules import LARGEST_ENUMERATION, Option, options_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harpagon.formulations.problem import ModuleProblem, PipelineProblem
    from harpagon.instances.instance import Configuration
    from harpagon.solvers.enumeration.schedules import Rules, Schedule


def has_plan(rules: Rules) -> bool:
    """Whether some plan meets every SLO within the hardware limits, at any cost; raises as `listed_plan`."""
    return listed_plan(rules) is not None


def is_short_of_capacity(problems: Sequence[PipelineProblem], limits: Mapping[str, int], dispatch: Dispatch) -> bool:
    """Whether a linear program over capacities proves that limits leave no plan."""
    if not limits:
        return False
    # Only here is a general solver, and numpy, needed: most instances have a plan within their limits.
    from harpagon.solvers.capacity import MARGIN, capacity_share, collection_share

    shares = (capacity_share,) if keeps_streams(dispatch) else (capacity_share, collection_share)
    return any(share(problems, limits, dispatch) < 1 - MARGIN for share in shares)


def listed_plan(rules: Rules) -> list[Schedule] | None:
    """One schedule per module of some plan, the modules of all pipelines in one list; None where there is no plan.

    Raises
    ------
    UnsupportedError
        Where a module has too many schedules of limited types to list.
    OutOfTimeError
        At the deadline of ``rules``.
    """
    if not all(is_reachable(problem, rules.dispatch) for problem in rules.problems):
        return None
    if not rules.limits:
        return [schedule for problem in rules.problems for schedule in first_plan(problem, rules.dispatch) or ()]
    fronts = [
        [pareto([*_ideal(rules, module), *_limited_only(rules, module, latest)], latest) for module, latest in modules]
        for modules in (_with_latest(problem, rules.dispatch) for problem in rules.problems)
    ]
    found = combine(rules, fronts)
    if found is None:
        return None
    contents = [content for pipeline in found.content for content in pipeline]  # type: ignore[attr-defined]
    chosen = [contents[begin:end] for begin, end in module_spans(rules.problems)]
    filled = [_filled(rules, problem, parts) for problem, parts in zip(rules.problems, chosen, strict=True)]
    return [schedule for schedules in filled for schedule in schedules]


def _with_latest(problem: PipelineProblem, dispatch: Dispatch) -> list[tuple[ModuleProblem, float]]:
    """Per module the seconds it may take where all others take their smallest."""
    smallest = [smallest_latency(module, dispatch) for module in problem.modules]
    lengths = problem.network.path_lengths(smallest)
    latest = [problem.slo - length + own for length, own in zip(lengths, smallest, strict=True)]
    return list(zip(problem.modules, latest, strict=True))


def _ideal(rules: Rules, module: ModuleProblem) -> Iterator[Option]:
    """What a module comes near to with any number of machines without limit."""
    unlimited = _unlimited(rules, module)
    if unlimited.configurations:
        yield Option(0.0, approached_latency(unlimited, rules.dispatch), (0.0,) * len(rules.limits), ())


def _unlimited(rules: Rules, module: ModuleProblem) -> ModuleProblem:
    kept = tuple(c for c in module.configurations if c.hardware not in rules.limits)
    return replace(module, configurations=kept)


def _limited_only(rules: Rules, module: ModuleProblem, latest: float) -> Iterator[Option]:
    """Every schedule of limited types within their limits that may take part in a plan."""
    usable = tuple(
        c for c in module.configurations if c.hardware in rules.limits and c.duration <= latest + TIME_TOLERANCE
    )
    _refuse_explosion(rules, module, usable)
    for full in _within_limits(rules, usable, module.spare):
        rules.check_time()
        if not full and rules.billing is Billing.WHOLE:
            continue
        for option in options_of(rules, module, usable, full, latest + TIME_TOLERANCE):
            if rules.within_limits(option.usage):
                yield option


def _within_limits(rules: Rules, usable: Sequence[Configuration], spare: int) -> Iterator[Schedule]:
    """Every list of full machines that the limits allow, the types one after another."""
    by_type = [
        list(_shared_out([c for c in usable if c.hardware == name], limit, spare))
        for name, limit in rules.limits.items()
    ]
    for parts in product(*by_type):
        yield tuple(part for tuples in parts for part in tuples)


def _shared_out(configurations: Sequence[Configuration], machines: int, spare: int) -> Iterator[Schedule]:
    """Every way to give at most so many machines to ``configurations``, more than ``spare`` or none to each."""
    if not configurations:
        yield ()
        return
    first, *rest = configurations
    for count in (0, *range(spare + 1, machines + 1)):
        own = (DispatchTuple.full(first, count - spare, spare),) if count else ()
        for others in _shared_out(rest, machines - count, spare):
            yield (*own, *others)


def _refuse_explosion(rules: Rules, module: ModuleProblem, usable: Sequence[Configuration]) -> None:
    kinds = {name: sum(c.hardware == name for c in usable) for name in rules.limits}
    count = float(math.prod(math.comb(limit + kinds[name], kinds[name]) for name, limit in rules.limits.items()))
    if has_free_order(rules.dispatch):
        count *= math.factorial(min(len(usable), sum(rules.limits.values())))
    if rules.billing is Billing.FRACTIONAL:
        count *= max(1, len(usable))
    if count > LARGEST_ENUMERATION:
        raise UnsupportedError("enumeration", f"module {module.name}: up to {count:.1e} schedules within limits", ())


def _filled(rules: Rules, problem: PipelineProblem, parts: Sequence[Schedule]) -> list[Schedule]:
    """Schedules of a pipeline: those listed, and machines without limit in the time that these leave."""
    pairs = zip(problem.modules, parts, strict=True)
    held = [module.latency(part, rules.dispatch) if part else 0.0 for module, part in pairs]
    open_ones = [_unlimited(rules, module) for module in problem.modules]
    smallest = [
        latency or smallest_latency(module, rules.dispatch) for latency, module in zip(held, open_ones, strict=True)
    ]
    stretch = largest_stretch(problem, smallest, held)
    schedules = [
        part or cheapest_single(module, stretch * latency, rules.dispatch)
        for part, module, latency in zip(parts, open_ones, smallest, strict=True)
    ]
    assert None not in schedules, "what was taken as ideal leaves more than rounding"
    return schedules  # type: ignore[return-value]
