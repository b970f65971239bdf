"""Enumeration under ``shared`` billing: the referee of the exact method, for small instances.

Every module has a schedule of its own or joins a machine, as every group that its configurations allow, dealt or whole;
every way to hand modules to machines of every type is tried, a machine with one dealt module left out, each with the
cheapest schedules for the modules that are left. As in `brute_force`, the budget grows until a plan within it is found.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import TYPE_CHECKING

from harpagon.formulations.bounds import cost_floor, hardware_limits, is_reachable, most_under_shared
from harpagon.formulations.physics import RATE_TOLERANCE
from harpagon.formulations.problem import model_names, pipeline_problems
from harpagon.formulations.shared import Mix, busy, every_group, fits_memory, latencies, machines_of_a_mix
from harpagon.formulations.shared_assembly import assemble_shared
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.enumeration.combinations import combine, pareto
from harpagon.solvers.enumeration.schedules import Option, OutOfTimeError, Rules, module_options
from harpagon.solvers.options import DEFAULT_OPTIONS
from harpagon.solvers.result import Result, SolverInfo, Termination

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harpagon.formulations.problem import ModuleProblem
    from harpagon.formulations.shared import Group
    from harpagon.instances.instance import Hardware, Instance
    from harpagon.instances.plan import Plan
    from harpagon.solvers.options import SolverOptions

_METHOD = "brute-force"
_GROWTH = 1.5


@dataclass(frozen=True, slots=True)
class _Host:
    """A machine and its groups by module."""

    hardware: Hardware
    guests: tuple[tuple[int, Group], ...]

    @property
    def groups(self) -> tuple[Group, ...]:
        return tuple(one for _, one in self.guests)


@dataclass(slots=True)
class _Listing:
    """All plans within one budget, ``machines`` in every mix; ``best`` is the cheapest, with those that it shares."""

    instance: Instance
    rules: Rules
    models: Sequence[str]
    groups: Sequence[Sequence[Group]]
    owned: Sequence[list[Option]]
    budget: float
    machines: int
    best: Option | None = None
    hosts: tuple[_Host, ...] = ()
    least: list[float] = field(default_factory=list)

    def run(self) -> None:
        self.least = [min((option.cost for option in front), default=math.inf) for front in self.owned]
        self._place(0, 0.0, ())

    def _place(self, m: int, floor: float, hosts: tuple[_Host, ...]) -> None:
        """Hand module ``m`` and those after it out; ``floor`` dollars per hour are spent at least."""
        self.rules.check_time()
        if floor > (self.budget if self.best is None else self.best.cost) * (1 + RATE_TOLERANCE):
            return
        if m == len(self.owned):
            self._offer(hosts)
            return
        self._place(m + 1, floor + self.least[m], hosts)
        for one in self.groups[m]:
            name, more = one.configuration.hardware, floor + one.own_cost
            for k, host in enumerate(hosts):
                if host.hardware.name == name:
                    grown = replace(host, guests=(*host.guests, (m, one)))
                    if self._stands(grown):
                        self._place(m + 1, more, (*hosts[:k], grown, *hosts[k + 1 :]))
            alone = _Host(self.instance.hardware[name], ((m, one),))
            if self._stands(alone):
                self._place(m + 1, more + self.machines * alone.hardware.price, (*hosts, alone))

    def _stands(self, host: _Host) -> bool:
        models = [(self.models[m], one.configuration) for m, one in host.guests]
        return busy(host.groups) <= 1 + RATE_TOLERANCE and fits_memory(models, host.hardware)

    def _offer(self, hosts: tuple[_Host, ...]) -> None:
        fronts = list(self.owned)
        for host in hosts:
            if len(host.guests) == 1 and host.groups[0].deal is not None:
                return
            for position, ((m, one), latency) in enumerate(zip(host.guests, latencies(host.groups), strict=True)):
                bought = 0 if position else self.machines
                usage = list(self.rules.usage(one.own))
                for h, name in enumerate(self.rules.limits):
                    usage[h] += bought * (name == host.hardware.name)
                fronts[m] = [Option(bought * host.hardware.price + one.own_cost, latency, tuple(usage), ())]
        found = combine(self.rules, list(_by_pipeline(self.rules, fronts)))
        if found is not None and (self.best is None or found.cost < self.best.cost):
            self.best, self.hosts = found, hosts


def _by_pipeline(rules: Rules, fronts: Sequence[list[Option]]) -> Iterator[list[list[Option]]]:
    first = 0
    for problem in rules.problems:
        yield list(fronts[first : first + len(problem.modules)])
        first += len(problem.modules)


def solve_shared_by_force(
    instance: Instance, billing: Billing, dispatch: Dispatch, options: SolverOptions = DEFAULT_OPTIONS
) -> Result:
    """Solve a small instance under ``shared`` billing and ``paced`` by enumeration; only ``time_limit`` applies.

    Raises
    ------
    UnsupportedError
        Where a module has more than `enumeration.LARGEST_ENUMERATION` schedules.
    """
    begin = time.perf_counter()
    deadline = math.inf if options.time_limit is None else begin + options.time_limit
    rules = Rules(pipeline_problems(instance), hardware_limits(instance), Billing.WHOLE, dispatch, deadline)
    info = SolverInfo(_METHOD, version("harpagon"), {"time_limit": options.time_limit})
    termination, plan, bound = _search(instance, rules)
    return Result(_METHOD, termination, plan, bound, 0.0, time.perf_counter() - begin, info)


def _search(instance: Instance, rules: Rules) -> tuple[Termination, Plan | None, float]:
    """Raise the budget until a plan within it is found; returns why it stopped, the best plan and the bound."""
    modules = [module for problem in rules.problems for module in problem.modules]
    floors = [cost_floor(module) for module in modules]
    budget = sum(floors)
    if not all(is_reachable(problem, Dispatch.PACED) for problem in rules.problems):
        return Termination.INFEASIBLE, None, math.inf
    ceiling = most_under_shared(instance, rules.problems)
    bound = budget
    try:
        while True:
            budget = min(budget * _GROWTH, ceiling)
            shares = [budget - sum(floors) + floor for floor in floors]
            listing = _listing(instance, rules, modules, shares, budget)
            listing.run()
            if listing.best is not None and listing.best.cost <= budget * (1 + RATE_TOLERANCE):
                return Termination.OPTIMAL, _plan(instance, rules, modules, listing), listing.best.cost
            if budget >= ceiling:
                return Termination.INFEASIBLE, None, math.inf
            bound = budget
    except OutOfTimeError:
        return Termination.LIMIT, None, bound


def _listing(
    instance: Instance, rules: Rules, modules: Sequence[ModuleProblem], shares: Sequence[float], budget: float
) -> _Listing:
    models = model_names(instance, rules.problems)
    there = [name for name, hardware in instance.hardware.items() if hardware.limit != 0]
    groups = [[one for one in every_group(module) if one.configuration.hardware in there] for module in modules]
    owned = [
        pareto(module_options(rules, module, module.configurations, share))
        for module, share in zip(modules, shares, strict=True)
    ]
    return _Listing(instance, rules, models, groups, owned, budget, machines_of_a_mix(modules))


def _plan(instance: Instance, rules: Rules, modules: Sequence[ModuleProblem], listing: _Listing) -> Plan:
    assert listing.best is not None, "found"
    schedules = [schedule for pipeline in listing.best.content for schedule in pipeline]  # type: ignore[attr-defined]
    owned = {m: schedules[m] for m in range(len(modules)) if schedules[m]}
    mixes = [Mix(tuple(m for m, _ in host.guests), host.groups, listing.machines) for host in listing.hosts]
    return assemble_shared(instance, rules.problems, owned, mixes)
