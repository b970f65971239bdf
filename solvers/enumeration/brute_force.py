"""Enumeration: the referee of the other exact methods, for small instances.

It shares only the latency formulas and the path lengths with them. Within a budget it lists every schedule of every
module, keeps the ones that no other beats in latency, cost and use of limited hardware, and tries every combination.
A plan that costs at most the budget is optimal, because every module of a cheaper plan would have been listed; until
one is found the budget grows.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING

from harpagon.formulations.assembly import assemble_plan, plan_pipeline
from harpagon.formulations.physics import RATE_TOLERANCE
from harpagon.formulations.problem import pipeline_problems
from harpagon.solvers.enumeration.combinations import combine, latest_latency, pareto
from harpagon.solvers.enumeration.schedules import Option, OutOfTimeError, Rules, module_options
from harpagon.solvers.feasibility import has_plan
from harpagon.solvers.options import DEFAULT_OPTIONS
from harpagon.solvers.result import Result, SolverInfo, Termination

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.formulations.problem import ModuleProblem
    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan
    from harpagon.instances.policies import Billing, Dispatch
    from harpagon.solvers.options import SolverOptions

METHOD = "brute-force"
_BUDGET_GROWTH = 1.5
_ANY_NUMBER = 10**9
"""Machines of a type without limit whose use is counted all the same."""


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
        Where a module has more than `enumeration.LARGEST_ENUMERATION` schedules.
    """
    begin = time.perf_counter()
    bundles = {name: hardware for name, hardware in instance.hardware.items() if hardware.bundle > 1}
    limits = dict.fromkeys(bundles, _ANY_NUMBER)
    for name, hardware in instance.hardware.items():
        if hardware.limit is not None:
            limits[name] = hardware.limit // hardware.bundle * hardware.bundle
    deadline = math.inf if options.time_limit is None else begin + options.time_limit
    rules = Rules(pipeline_problems(instance), limits, billing, dispatch, deadline, bundles)
    info = SolverInfo(METHOD, version("harpagon"), {"time_limit": options.time_limit})
    build_time = time.perf_counter() - begin

    termination, best, bound = _search(rules)
    plan = None if best is None else _plan(instance, rules, best)
    return Result(METHOD, termination, plan, bound, build_time, time.perf_counter() - begin - build_time, info)


def _search(rules: Rules) -> tuple[Termination, Option | None, float]:
    """Raise the budget until a plan within it is found; returns why it stopped, the best plan and the bound."""
    floors = [[_cost_floor(module) for module in problem.modules] for problem in rules.problems]
    bound = sum(map(sum, floors))
    best: Option | None = None
    budget = bound
    known_feasible = False
    try:
        while best is None or best.cost > budget:
            bound = budget
            budget = min(budget * _BUDGET_GROWTH, math.inf if best is None else best.cost)
            best = _cheapest_plan(rules, floors, budget)
            known_feasible = known_feasible or best is not None or has_plan(_limited(rules))
            if not known_feasible:
                return Termination.INFEASIBLE, None, math.inf
        return Termination.OPTIMAL, best, best.cost
    except OutOfTimeError:
        return (Termination.LIMIT if best is None else Termination.FEASIBLE), best, bound


def _limited(rules: Rules) -> Rules:
    """The rules without bundles, which every plan can fill up: their types count where they are limited."""
    limits = {name: limit for name, limit in rules.limits.items() if limit < _ANY_NUMBER}
    return replace(rules, limits=limits, bundles={})


def _plan(instance: Instance, rules: Rules, best: Option) -> Plan:
    pipelines = [
        plan_pipeline(problem, schedules, rules.dispatch)  # type: ignore[arg-type]
        for problem, schedules in zip(rules.problems, best.content, strict=True)
    ]
    return assemble_plan(instance, rules.billing, rules.dispatch, pipelines)


def _cost_floor(module: ModuleProblem) -> float:
    """No schedule costs less than the rate served at the best throughput-cost ratio."""
    return module.rate * (1 - RATE_TOLERANCE) / max(configuration.ratio for configuration in module.configurations)


def _cheapest_plan(rules: Rules, floors: Sequence[Sequence[float]], budget: float) -> Option | None:
    """Cheapest plan in which no module costs more than the budget leaves beside the floors of the others."""
    total = sum(map(sum, floors))
    fronts = [
        [
            pareto(
                module_options(rules, module, module.configurations, budget - total + floor, latest_latency(problem)),
                latest_latency(problem),
                rules.bundled,
            )
            for module, floor in zip(problem.modules, pipeline_floors, strict=True)
        ]
        for problem, pipeline_floors in zip(rules.problems, floors, strict=True)
    ]
    return combine(rules, fronts)
