"""Enumeration: the referee of the other exact methods, for small instances.

It shares only the latency formulas and the path lengths with them. Within a budget it lists every schedule of every
module, keeps the ones that no other beats in latency, cost and use of limited hardware, and tries every combination.
A plan that costs at most the budget is optimal, because every module of a cheaper plan would have been listed; until
one is found the budget grows.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import permutations
from typing import TYPE_CHECKING

from harpagon.formulations.assembly import assemble_plan, plan_pipeline
from harpagon.formulations.physics import RATE_TOLERANCE, TIME_TOLERANCE, in_dispatch_order, module_latency
from harpagon.formulations.problem import pipeline_problems
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.capabilities import UnsupportedError, require_support
from harpagon.solvers.options import DEFAULT_OPTIONS
from harpagon.solvers.result import Result, SolverInfo, Termination

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from harpagon.formulations.problem import ModuleProblem, PipelineProblem
    from harpagon.instances.instance import Configuration, Instance
    from harpagon.instances.plan import Plan
    from harpagon.solvers.options import SolverOptions

METHOD = "brute-force"
LARGEST_ENUMERATION = 3e6
"""Schedules of one module beyond which the method refuses."""
_BUDGET_GROWTH = 1.5

Schedule = tuple[DispatchTuple, ...]


class _OutOfTime(Exception):  # noqa: N818
    """The time limit was hit."""


@dataclass(frozen=True, slots=True)
class _Option:
    """One way to run a module or a pipeline; ``content`` is its schedule or the schedules of its modules."""

    cost: float
    latency: float
    usage: tuple[float, ...]
    content: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class _Referee:
    """The instance compiled, with the rules every enumeration needs."""

    problems: tuple[PipelineProblem, ...]
    limits: Mapping[str, int]
    billing: Billing
    dispatch: Dispatch
    deadline: float

    def usage(self, schedule: Iterable[DispatchTuple]) -> tuple[float, ...]:
        """Machines of each limited type."""
        parts = tuple(schedule)
        return tuple(sum(p.machines for p in parts if p.configuration.hardware == name) for name in self.limits)

    def within_limits(self, usage: Sequence[float]) -> bool:
        return all(
            used <= limit * (1 + RATE_TOLERANCE) for used, limit in zip(usage, self.limits.values(), strict=True)
        )

    def check_time(self) -> None:
        if time.perf_counter() > self.deadline:
            raise _OutOfTime


def solve_brute_force(
    instance: Instance, billing: Billing, dispatch: Dispatch, options: SolverOptions = DEFAULT_OPTIONS
) -> Result:
    """Solve a small instance by enumeration, under every billing, dispatch policy and hardware limit.

    Parameters
    ----------
    instance
        Few configurations per module and rates that few machines serve.
    options
        Only ``time_limit`` applies.

    Raises
    ------
    UnsupportedError
        Where a module has more than `LARGEST_ENUMERATION` schedules.
    """
    require_support(METHOD, instance, billing, dispatch)
    begin = time.perf_counter()
    limits = {name: hardware.limit for name, hardware in instance.hardware.items() if hardware.limit is not None}
    deadline = math.inf if options.time_limit is None else begin + options.time_limit
    referee = _Referee(pipeline_problems(instance), limits, billing, dispatch, deadline)
    info = SolverInfo(METHOD, version("harpagon"), {"time_limit": options.time_limit})
    build_time = time.perf_counter() - begin

    termination, best, bound = _search(referee)
    plan = None if best is None else _plan(instance, referee, best)
    return Result(METHOD, termination, plan, bound, build_time, time.perf_counter() - begin - build_time, info)


def _search(referee: _Referee) -> tuple[Termination, _Option | None, float]:
    """Raise the budget until a plan within it is found; returns why it stopped, the best plan and the bound."""
    floors = [[_cost_floor(module) for module in problem.modules] for problem in referee.problems]
    bound = sum(map(sum, floors))
    best: _Option | None = None
    budget = bound
    known_feasible = False
    try:
        while best is None or best.cost > budget:
            bound = budget
            budget = min(budget * _BUDGET_GROWTH, math.inf if best is None else best.cost)
            best = _cheapest_plan(referee, floors, budget)
            known_feasible = known_feasible or best is not None or _is_feasible(referee)
            if not known_feasible:
                return Termination.INFEASIBLE, None, math.inf
        return Termination.OPTIMAL, best, best.cost
    except _OutOfTime:
        return (Termination.LIMIT if best is None else Termination.FEASIBLE), best, bound


def _plan(instance: Instance, referee: _Referee, best: _Option) -> Plan:
    pipelines = [
        plan_pipeline(problem, schedules, referee.dispatch)  # type: ignore[arg-type]
        for problem, schedules in zip(referee.problems, best.content, strict=True)
    ]
    return assemble_plan(instance, referee.billing, referee.dispatch, pipelines)


def _cost_floor(module: ModuleProblem) -> float:
    """No schedule costs less than the rate served at the best throughput-cost ratio."""
    return module.rate * (1 - RATE_TOLERANCE) / max(configuration.ratio for configuration in module.configurations)


# Feasibility, by theory: no budget is large enough to find that out by enumeration.


def _is_feasible(referee: _Referee) -> bool:
    """Whether some plan meets every SLO within the hardware limits, at any cost.

    A module that uses a type without limit takes longer than the smallest batch duration d of such a type, and comes
    arbitrarily near d with many machines (``round-robin``: 2 d, attained). Schedules of limited types are finite.
    """
    fronts = [
        [_pareto([*_ideal(referee, module), *_limited_only(referee, module)]) for module in problem.modules]
        for problem in referee.problems
    ]
    return _combine(referee, fronts) is not None


def _ideal(referee: _Referee, module: ModuleProblem) -> Iterator[_Option]:
    durations = [c.duration for c in module.configurations if c.hardware not in referee.limits]
    if durations:
        latency = min(durations)
        latency = 2 * latency if referee.dispatch is Dispatch.ROUND_ROBIN else latency + 2 * TIME_TOLERANCE
        yield _Option(0.0, latency, (0.0,) * len(referee.limits), ())


def _limited_only(referee: _Referee, module: ModuleProblem) -> Iterator[_Option]:
    limited = tuple(c for c in module.configurations if c.hardware in referee.limits)
    if limited:
        budget = sum(
            limit * max((c.price for c in limited if c.hardware == name), default=0.0)
            for name, limit in referee.limits.items()
        )
        yield from _module_options(referee, module, limited, budget)


# Within a budget.


def _cheapest_plan(referee: _Referee, floors: Sequence[Sequence[float]], budget: float) -> _Option | None:
    """Cheapest plan in which no module costs more than the budget leaves beside the floors of the others."""
    total = sum(map(sum, floors))
    fronts = [
        [
            _pareto(_module_options(referee, module, module.configurations, budget - total + floor))
            for module, floor in zip(problem.modules, pipeline_floors, strict=True)
        ]
        for problem, pipeline_floors in zip(referee.problems, floors, strict=True)
    ]
    return _combine(referee, fronts)


def _module_options(
    referee: _Referee, module: ModuleProblem, configurations: tuple[Configuration, ...], budget: float
) -> Iterator[_Option]:
    """Every schedule of a module from ``configurations`` that costs at most ``budget``."""
    _refuse_explosion(referee, module, configurations, budget)
    slack = budget * RATE_TOLERANCE
    for counts in _machine_counts(configurations, budget + slack):
        referee.check_time()
        full = tuple(DispatchTuple.full(c, n) for c, n in zip(configurations, counts, strict=True) if n)
        if not referee.within_limits(referee.usage(full)):
            continue
        for schedule in _schedules(referee, module, configurations, full):
            usage = referee.usage(schedule)
            cost = sum(part.cost for part in schedule)
            if cost <= budget + slack and referee.within_limits(usage):
                yield _Option(cost, module_latency(schedule, referee.dispatch), usage, schedule)


def _machine_counts(configurations: Sequence[Configuration], budget: float) -> Iterator[tuple[int, ...]]:
    """Every vector of machine counts that costs at most ``budget``."""
    if not configurations:
        yield ()
        return
    first, *rest = configurations
    for machines in range(int(budget / first.price) + 1):
        for others in _machine_counts(rest, budget - machines * first.price):
            yield (machines, *others)


def _schedules(
    referee: _Referee, module: ModuleProblem, configurations: Sequence[Configuration], full: Schedule
) -> Iterator[Schedule]:
    """Every schedule with exactly these full machines: in every order, with every residual the billing allows."""
    missing = module.rate - sum(part.rate for part in full)
    orders: Iterable[Schedule] = permutations(full) if referee.dispatch is Dispatch.FREE else (in_dispatch_order(full),)
    if missing <= module.rate * RATE_TOLERANCE:
        yield from orders
    elif referee.billing is Billing.FRACTIONAL:
        residuals = [
            DispatchTuple.residual(c, missing) for c in configurations if missing < c.throughput * (1 - RATE_TOLERANCE)
        ]
        for order in orders:
            for residual in residuals:
                yield (*order, residual)


def _refuse_explosion(
    referee: _Referee, module: ModuleProblem, configurations: Sequence[Configuration], budget: float
) -> None:
    """Bound the number of schedules by the volume of {sum of n p <= budget} with every n one larger."""
    dimension = len(configurations)
    prices = [configuration.price for configuration in configurations]
    count = (max(0.0, budget) + sum(prices)) ** dimension / math.factorial(dimension) / math.prod(prices)
    if referee.dispatch is Dispatch.FREE:
        count *= math.factorial(dimension)
    if referee.billing is Billing.FRACTIONAL:
        count *= dimension
    if count > LARGEST_ENUMERATION:
        raise UnsupportedError(METHOD, f"module {module.name}: up to {count:.1e} schedules to enumerate", ("exact",))


def _pareto(options: Iterable[_Option]) -> list[_Option]:
    """Options that no other one equals or beats in cost, latency and usage at once, cheapest first."""
    front: list[_Option] = []
    for option in sorted(options, key=lambda option: (option.cost, option.latency, option.usage)):
        if not any(kept.latency <= option.latency and _below(kept.usage, option.usage) for kept in front):
            front.append(option)
    return front


def _below(left: Sequence[float], right: Sequence[float]) -> bool:
    return all(a <= b for a, b in zip(left, right, strict=True))


# Combination of modules to pipelines and of pipelines to a plan.


def _combine(referee: _Referee, fronts: Sequence[Sequence[list[_Option]]]) -> _Option | None:
    """Cheapest combination of one option per module, or None."""
    pipelines = []
    for problem, modules in zip(referee.problems, fronts, strict=True):
        if not all(modules):
            return None
        pipelines.append(_Combination(referee, modules, problem).run())
    if not all(pipelines):
        return None
    return min(_Combination(referee, pipelines, None).run(), key=lambda option: option.cost, default=None)


@dataclass(slots=True)
class _Combination:
    """Depth-first search over one option per front; ``problem`` adds its SLO, without one latencies do not count."""

    referee: _Referee
    fronts: Sequence[list[_Option]]
    problem: PipelineProblem | None
    found: list[_Option] = field(default_factory=list)

    def run(self) -> list[_Option]:
        """Combinations that no other one beats in cost and usage at once."""
        self._extend((), 0.0, (0.0,) * len(self.referee.limits))
        return _pareto(self.found)

    def _extend(self, chosen: tuple[_Option, ...], cost: float, usage: tuple[float, ...]) -> None:
        self.referee.check_time()
        rest = self.fronts[len(chosen) :]
        if not self.referee.within_limits(usage) or not self._meets_slo(chosen, rest):
            return
        lowest = cost + sum(front[0].cost for front in rest)
        if any(other.cost <= lowest and _below(other.usage, usage) for other in self.found):
            return
        if not rest:
            self.found.append(_Option(cost, 0.0, usage, tuple(option.content for option in chosen)))
            return
        for option in rest[0]:
            total = tuple(a + b for a, b in zip(usage, option.usage, strict=True))
            self._extend((*chosen, option), cost + option.cost, total)

    def _meets_slo(self, chosen: Sequence[_Option], rest: Sequence[list[_Option]]) -> bool:
        """Whether the SLO can still be met, every module not chosen yet at its smallest latency."""
        if self.problem is None:
            return True
        latencies = [option.latency for option in chosen]
        latencies += [min(option.latency for option in front) for front in rest]
        return self.problem.network.length(latencies) <= self.problem.slo + TIME_TOLERANCE
