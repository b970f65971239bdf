"""Every schedule of a module within a budget."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from itertools import permutations
from typing import TYPE_CHECKING

from harpagon.formulations.physics import RATE_TOLERANCE, has_free_order, in_dispatch_order
from harpagon.formulations.residual import Structure, has_curves
from harpagon.formulations.structures import structures_with
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Billing
from harpagon.solvers.capabilities import UnsupportedError
from harpagon.solvers.exact.effort import Effort

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from harpagon.formulations.problem import ModuleProblem, PipelineProblem
    from harpagon.instances.instance import Configuration, Hardware
    from harpagon.instances.policies import Dispatch

LARGEST_ENUMERATION = 3e6
"""Schedules of one module beyond which enumeration is refused."""

Schedule = tuple[DispatchTuple, ...]


class OutOfTimeError(Exception):
    """The time limit was hit."""


@dataclass(frozen=True, slots=True)
class Option:
    """One way to run a module or a pipeline; ``content`` is its schedule or the schedules of its modules.

    With ``structure`` the rate of a residual is open: cost and use are the least, the latency is the smallest that it
    may have, and ``content`` is empty.
    """

    cost: float
    latency: float
    usage: tuple[float, ...]
    content: tuple[object, ...]
    structure: Structure | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """The instance compiled, with the rules every enumeration needs.

    ``limits`` are the machines of every type that is counted, ``bundles`` of these the types sold in bundles;
    ``effort`` is charged for every schedule.
    """

    problems: tuple[PipelineProblem, ...]
    limits: Mapping[str, int]
    billing: Billing
    dispatch: Dispatch
    deadline: float
    bundles: Mapping[str, Hardware] = field(default_factory=dict)
    effort: Effort = field(default_factory=Effort)

    @property
    def bundled(self) -> tuple[float, ...]:
        """Price of every counted type that is sold in bundles, 0 for others; empty where none is."""
        prices = {name: hardware.price for name, hardware in self.bundles.items()}
        return tuple(prices.get(name, 0.0) for name in self.limits) if prices else ()

    def idle_cost(self, usage: Sequence[float]) -> float:
        """Dollars per hour of machines that fill up bundles."""
        used = dict(zip(self.limits, usage, strict=True))
        return sum(hardware.price * hardware.idle(used[name]) for name, hardware in self.bundles.items())

    def usage(self, schedule: Iterable[DispatchTuple]) -> tuple[float, ...]:
        """Machines of each limited type."""
        parts = tuple(schedule)
        return tuple(sum(p.machines for p in parts if p.configuration.hardware == name) for name in self.limits)

    def within_limits(self, usage: Sequence[float]) -> bool:
        return all(
            used <= limit * (1 + RATE_TOLERANCE) for used, limit in zip(usage, self.limits.values(), strict=True)
        )

    def check_time(self) -> None:
        self.effort.spend(0)
        if time.perf_counter() > self.deadline:
            raise OutOfTimeError


def module_options(
    rules: Rules,
    module: ModuleProblem,
    configurations: tuple[Configuration, ...],
    budget: float,
    latest: float = math.inf,
) -> Iterator[Option]:
    """Every schedule of a module from ``configurations`` that costs at most ``budget`` within ``latest`` seconds."""
    _refuse_explosion(rules, module, configurations, budget)
    slack = budget * RATE_TOLERANCE
    for counts in _machine_counts(configurations, budget + slack):
        rules.check_time()
        pairs = zip(configurations, counts, strict=True)
        full = tuple(DispatchTuple.full(c, n - module.spare, module.spare) for c, n in pairs if n > module.spare)
        if not rules.within_limits(rules.usage(full)):
            continue
        for option in options_of(rules, module, configurations, full, latest):
            if option.cost <= budget + slack and rules.within_limits(option.usage):
                yield option


def _machine_counts(configurations: Sequence[Configuration], budget: float) -> Iterator[tuple[int, ...]]:
    """Every vector of machine counts that costs at most ``budget``."""
    if not configurations:
        yield ()
        return
    first, *rest = configurations
    for machines in range(int(budget / first.price) + 1):
        for others in _machine_counts(rest, budget - machines * first.price):
            yield (machines, *others)


def options_of(
    rules: Rules, module: ModuleProblem, configurations: Sequence[Configuration], full: Schedule, latest: float
) -> Iterator[Option]:
    """Every schedule with exactly these full machines: in every order, with every residual the billing allows."""
    orders: Iterable[Schedule] = permutations(full) if has_free_order(rules.dispatch) else (in_dispatch_order(full),)
    enough = sum(part.rate for part in full) >= module.rate * (1 - RATE_TOLERANCE)
    for order in orders:
        if enough and order and (latency := module.latency(order, rules.dispatch)) <= latest:
            yield Option(sum(part.cost for part in full), latency, rules.usage(full), order)
        for residual in configurations if has_curves(rules.billing, rules.dispatch) else ():
            for structure in structures_with(order, residual, module, rules.dispatch):
                if structure.quickest <= latest:
                    yield _open_option(rules, structure, latest)


def _open_option(rules: Rules, structure: Structure, latest: float) -> Option:
    least = structure.schedule(structure.rate(latest))
    return Option(sum(part.cost for part in least), structure.quickest, rules.usage(least), (), structure)


def _refuse_explosion(
    rules: Rules, module: ModuleProblem, configurations: Sequence[Configuration], budget: float
) -> None:
    """Bound the number of schedules by the volume of {sum of n p <= budget} with every n one larger."""
    dimension = len(configurations)
    prices = [configuration.price for configuration in configurations]
    count = (max(0.0, budget) + sum(prices)) ** dimension / math.factorial(dimension) / math.prod(prices)
    if has_free_order(rules.dispatch):
        count *= math.factorial(dimension)
    if rules.billing is Billing.FRACTIONAL:
        count *= dimension + 1
    if count > LARGEST_ENUMERATION:
        raise UnsupportedError(
            "brute-force", f"module {module.name}: up to {count:.1e} schedules to enumerate", ("exact",)
        )
