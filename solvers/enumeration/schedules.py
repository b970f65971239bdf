"""Every schedule of a module within a budget, and every combination of modules: the parts of brute force."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from itertools import permutations
from typing import TYPE_CHECKING

from harpagon.formulations.physics import RATE_TOLERANCE, TIME_TOLERANCE, in_dispatch_order
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.capabilities import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from harpagon.formulations.problem import ModuleProblem, PipelineProblem
    from harpagon.instances.instance import Configuration

LARGEST_ENUMERATION = 3e6
"""Schedules of one module beyond which enumeration is refused."""

Schedule = tuple[DispatchTuple, ...]


class OutOfTimeError(Exception):
    """The time limit was hit."""


@dataclass(frozen=True, slots=True)
class Option:
    """One way to run a module or a pipeline; ``content`` is its schedule or the schedules of its modules."""

    cost: float
    latency: float
    usage: tuple[float, ...]
    content: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Rules:
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
            raise OutOfTimeError


def module_options(
    rules: Rules, module: ModuleProblem, configurations: tuple[Configuration, ...], budget: float
) -> Iterator[Option]:
    """Every schedule of a module from ``configurations`` that costs at most ``budget``."""
    _refuse_explosion(rules, module, configurations, budget)
    slack = budget * RATE_TOLERANCE
    for counts in _machine_counts(configurations, budget + slack):
        rules.check_time()
        pairs = zip(configurations, counts, strict=True)
        full = tuple(DispatchTuple.full(c, n - module.spare, module.spare) for c, n in pairs if n > module.spare)
        if not rules.within_limits(rules.usage(full)):
            continue
        for schedule in schedules_of(rules, module, configurations, full):
            usage = rules.usage(schedule)
            cost = sum(part.cost for part in schedule)
            if cost <= budget + slack and rules.within_limits(usage):
                yield Option(cost, module.latency(schedule, rules.dispatch), usage, schedule)


def _machine_counts(configurations: Sequence[Configuration], budget: float) -> Iterator[tuple[int, ...]]:
    """Every vector of machine counts that costs at most ``budget``."""
    if not configurations:
        yield ()
        return
    first, *rest = configurations
    for machines in range(int(budget / first.price) + 1):
        for others in _machine_counts(rest, budget - machines * first.price):
            yield (machines, *others)


def schedules_of(
    rules: Rules, module: ModuleProblem, configurations: Sequence[Configuration], full: Schedule
) -> Iterator[Schedule]:
    """Every schedule with exactly these full machines: in every order, with every residual the billing allows."""
    missing = module.rate - sum(part.rate for part in full)
    orders: Iterable[Schedule] = permutations(full) if rules.dispatch is Dispatch.FREE else (in_dispatch_order(full),)
    if missing <= module.rate * RATE_TOLERANCE:
        yield from orders
    elif rules.billing is Billing.FRACTIONAL:
        residuals = [
            DispatchTuple.residual(c, missing) for c in configurations if missing < c.throughput * (1 - RATE_TOLERANCE)
        ]
        for order in orders:
            for residual in residuals:
                yield (*order, residual)


def _refuse_explosion(
    rules: Rules, module: ModuleProblem, configurations: Sequence[Configuration], budget: float
) -> None:
    """Bound the number of schedules by the volume of {sum of n p <= budget} with every n one larger."""
    dimension = len(configurations)
    prices = [configuration.price for configuration in configurations]
    count = (max(0.0, budget) + sum(prices)) ** dimension / math.factorial(dimension) / math.prod(prices)
    if rules.dispatch is Dispatch.FREE:
        count *= math.factorial(dimension)
    if rules.billing is Billing.FRACTIONAL:
        count *= dimension
    if count > LARGEST_ENUMERATION:
        raise UnsupportedError(
            "brute-force", f"module {module.name}: up to {count:.1e} schedules to enumerate", ("exact",)
        )


def pareto(options: Iterable[Option]) -> list[Option]:
    """Options that no other one equals or beats in cost, latency and usage at once, cheapest first."""
    front: list[Option] = []
    for option in sorted(options, key=lambda option: (option.cost, option.latency, option.usage)):
        if not any(kept.latency <= option.latency and _below(kept.usage, option.usage) for kept in front):
            front.append(option)
    return front


def _below(left: Sequence[float], right: Sequence[float]) -> bool:
    return all(a <= b for a, b in zip(left, right, strict=True))


# Combination of modules to pipelines and of pipelines to a plan.


def combine(rules: Rules, fronts: Sequence[Sequence[list[Option]]]) -> Option | None:
    """Cheapest combination of one option per module, or None."""
    pipelines = []
    for problem, modules in zip(rules.problems, fronts, strict=True):
        if not all(modules):
            return None
        pipelines.append(_Combination(rules, modules, problem).run())
    if not all(pipelines):
        return None
    return min(_Combination(rules, pipelines, None).run(), key=lambda option: option.cost, default=None)


@dataclass(slots=True)
class _Combination:
    """Depth-first search over one option per front; ``problem`` adds its SLO, without one latencies do not count."""

    rules: Rules
    fronts: Sequence[list[Option]]
    problem: PipelineProblem | None
    found: list[Option] = field(default_factory=list)

    def run(self) -> list[Option]:
        """Combinations that no other one beats in cost and usage at once."""
        self._extend((), 0.0, (0.0,) * len(self.rules.limits))
        return pareto(self.found)

    def _extend(self, chosen: tuple[Option, ...], cost: float, usage: tuple[float, ...]) -> None:
        self.rules.check_time()
        rest = self.fronts[len(chosen) :]
        if not self.rules.within_limits(usage) or not self._meets_slo(chosen, rest):
            return
        lowest = cost + sum(front[0].cost for front in rest)
        if any(other.cost <= lowest and _below(other.usage, usage) for other in self.found):
            return
        if not rest:
            self.found.append(Option(cost, 0.0, usage, tuple(option.content for option in chosen)))
            return
        for option in rest[0]:
            total = tuple(a + b for a, b in zip(usage, option.usage, strict=True))
            self._extend((*chosen, option), cost + option.cost, total)

    def _meets_slo(self, chosen: Sequence[Option], rest: Sequence[list[Option]]) -> bool:
        """Whether the SLO can still be met, every module not chosen yet at its smallest latency."""
        if self.problem is None:
            return True
        latencies = [option.latency for option in chosen]
        latencies += [min(option.latency for option in front) for front in rest]
        return self.problem.network.length(latencies) <= self.problem.slo + TIME_TOLERANCE
