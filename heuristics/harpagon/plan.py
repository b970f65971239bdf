"""Harpagon (INFOCOM 2025, arXiv 2412.06161) [R]: the whole heuristic, each part a switch.

1. Dispatch: batch-aware, tuples in descending order of throughput-cost ratio.
2. Module scheduler: `harpagon.heuristics.harpagon.module_scheduler`.
3. Dummy generator: `harpagon.heuristics.harpagon.dummy_generator`.
4. Latency splitter with node merger and cost-direct: `harpagon.heuristics.harpagon.latency_splitter`.
5. Latency reassigner: `harpagon.heuristics.harpagon.latency_reassigner`.

[R]: reconstructed from general knowledge of the paper; only its abstract was read.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from harpagon.formulations.physics import TIME_TOLERANCE, has_free_order
from harpagon.heuristics.fleet import left_over, plan_fleet
from harpagon.heuristics.harpagon.latency_reassigner import reassign_latency
from harpagon.heuristics.harpagon.latency_splitter import (
    cost_direct,
    latency_cost_efficiency,
    parallel_groups,
    split_latency,
)
from harpagon.heuristics.harpagon.module_scheduler import schedule_module
from harpagon.heuristics.harpagon.operating_points import estimated_points, scheduled_points, throughput_points
from harpagon.heuristics.harpagon.profile_restriction import HardwareChoice, restrict_hardware, without_batching
from harpagon.heuristics.harpagon.quantised_splitter import split_on_grid
from harpagon.heuristics.harpagon.schedule_frontier import loosest_budgets, schedule_frontier
from harpagon.heuristics.point_selection import select_points
from harpagon.heuristics.scheduling_rules import OutOfTimeError, SchedulingRules
from harpagon.instances.policies import Dispatch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harpagon.formulations.problem import PipelineProblem
    from harpagon.heuristics.harpagon.operating_points import OperatingPoint
    from harpagon.heuristics.scheduling_rules import ModuleSchedule
    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan
    from harpagon.instances.policies import Billing

_SPLITS = 20_000
"""Partial splits that brute force looks at where residuals are padded."""
_DISPATCHES = tuple(policy for policy in Dispatch if not has_free_order(policy))


class Splitter(StrEnum):
    """What a latency splitter goes by."""

    SCHEDULE = "schedule"
    """Greedily, by what the module scheduler saves per second."""
    ESTIMATE = "estimate"
    """Greedily, by what one configuration alone would save per second."""
    THROUGHPUT = "throughput"
    """Greedily, by the throughput that one machine gains per second."""
    EVERY = "every"
    """Brute force over all splits with the module scheduler. Where residuals are padded there is a continuum of them:
    those that `schedule_frontier` samples, their leftover latency reassigned, and the greedy split by schedule."""


@dataclass(frozen=True, slots=True)
class HarpagonOptions:
    """One field per part; the defaults are the whole heuristic.

    Attributes
    ----------
    dispatch
        ``tc``, ``per-config``, ``round-robin``; ``tc-safe`` and ``edf`` with our scheduler,
        `harpagon.heuristics.harpagon.safe_scheduler`.
    max_configurations
        Configurations one module may mix; None for any number.
    dummies
        Dummy generator.
    batching
        Whether batches above the smallest may be used.
    hardware
        Hardware types that may be used.
    splitter
        What the latency splitter goes by.
    quantum
        Split latency by dynamic programming on a grid of this share of the SLO; None for the ``splitter``.
    node_merger
        Joint moves of parallel modules.
    cost_direct
        Second split by raw cost saved; the cheaper plan is kept.
    reassignments
        Changes the latency reassigner may make; None for as many as improve, 0 for none.

    Raises
    ------
    ValueError
        For a dispatch the module scheduler has no bound for, or for two splitters at once.
    """

    dispatch: Dispatch = Dispatch.TC
    max_configurations: int | None = None
    dummies: bool = True
    batching: bool = True
    hardware: HardwareChoice = HardwareChoice.ALL
    splitter: Splitter = Splitter.SCHEDULE
    quantum: float | None = None
    node_merger: bool = True
    cost_direct: bool = True
    reassignments: int | None = None

    def __post_init__(self) -> None:
        if self.dispatch not in _DISPATCHES:
            known = ", ".join(_DISPATCHES)
            raise ValueError(f"Harpagon schedules under {known}, not under {self.dispatch}")
        if self.splitter is not Splitter.SCHEDULE and self.quantum is not None:
            raise ValueError(f"choose one latency splitter: {self.splitter} or a quantum")


def plan_harpagon(
    instance: Instance,
    billing: Billing,
    options: HarpagonOptions = HarpagonOptions(),
    deadline: float = math.inf,
) -> Plan | None:
    """Plan every pipeline of an instance with Harpagon's heuristic.

    Pipelines are planned one after another, the one with the least room in its SLO first; each leaves the limited
    machines it takes out of the next one's reach. A module takes at most what is left of a limited type and goes on
    with its next configuration.

    Parameters
    ----------
    instance
        Hardware, profiles, pipelines.
    billing
        How machines are paid for.
    options
        Parts to switch off or replace.
    deadline
        Reading of ``time.perf_counter`` at which it gives up.

    Returns
    -------
    Plan or None
        None where the heuristic finds no plan, or not in time; that is no proof that there is none.
    """
    rules = SchedulingRules(billing, options.dispatch, options.max_configurations, options.dummies, deadline)

    def schedule(problem: PipelineProblem, available: Mapping[str, float] | None) -> list[ModuleSchedule] | None:
        return schedule_pipeline(_restricted(problem, options), rules, options, available)

    try:
        return plan_fleet(instance, billing, options.dispatch, schedule)
    except OutOfTimeError:
        return None


def schedule_pipeline(
    problem: PipelineProblem,
    rules: SchedulingRules,
    options: HarpagonOptions,
    available: Mapping[str, float] | None = None,
) -> list[ModuleSchedule] | None:
    """Cheapest schedules of one pipeline over its latency splits, or None."""
    if options.splitter is Splitter.EVERY:
        return _best_of_every_split(problem, rules, options, available)
    best, best_cost = None, math.inf
    tried: list[list[float]] = []
    for budgets in _splits(problem, rules, options):
        if budgets is None or budgets in tried:
            continue
        tried.append(budgets)
        schedules = schedule_within(problem, budgets, rules, available)
        if schedules is None:
            continue
        schedules = reassign_latency(problem, schedules, rules, options.reassignments, available)
        cost = sum(schedule.cost for schedule in schedules)
        if cost < best_cost:
            best, best_cost = schedules, cost
    return best


def schedule_within(
    problem: PipelineProblem,
    budgets: Sequence[float],
    rules: SchedulingRules,
    available: Mapping[str, float] | None = None,
) -> list[ModuleSchedule] | None:
    """Schedule every module within its budget.

    A module that the scheduler cannot serve within its budget (a limit, or no dummies for its residual) is offered
    the latency that the others leave over. None where that does not help.
    """
    latencies = list(budgets)
    schedules: list[ModuleSchedule] = []
    for i, module in enumerate(problem.modules):
        free = left_over(available, schedules)
        schedule = schedule_module(module, budgets[i], rules, free)
        if schedule is None:
            slack = problem.slo - problem.network.path_lengths(latencies)[i]
            schedule = schedule_module(module, budgets[i] + max(0.0, slack), rules, free)
        if schedule is None:
            return None
        latencies[i] = schedule.latency
        schedules.append(schedule)
    return schedules


def _restricted(problem: PipelineProblem, options: HarpagonOptions) -> PipelineProblem:
    problem = restrict_hardware(problem, options.hardware)
    return problem if options.batching else without_batching(problem)


def _splits(problem: PipelineProblem, rules: SchedulingRules, options: HarpagonOptions) -> Iterator[list[float] | None]:
    """Latency budgets to try, by the splitter of the options."""
    network, slo = problem.network, problem.slo
    if options.quantum is not None:
        yield split_on_grid(network, slo, options.quantum, lambda i, budget: _cost(problem, i, budget, rules))
        return
    groups = parallel_groups(network) if options.node_merger else ()
    frontiers = _operating_points(problem, rules, options.splitter)
    yield split_latency(network, slo, frontiers, latency_cost_efficiency, groups, rules.check_time)
    if options.cost_direct:
        yield split_latency(network, slo, frontiers, cost_direct, groups, rules.check_time)


def _operating_points(
    problem: PipelineProblem, rules: SchedulingRules, splitter: Splitter
) -> list[list[OperatingPoint]]:
    if splitter is Splitter.SCHEDULE:
        return [scheduled_points(schedules) for schedules in _schedule_frontiers(problem, rules)]
    points = throughput_points if splitter is Splitter.THROUGHPUT else estimated_points
    return [points(module, rules) for module in problem.modules]


def _schedule_frontiers(problem: PipelineProblem, rules: SchedulingRules) -> list[list[ModuleSchedule]]:
    budgets = loosest_budgets(problem)
    return [schedule_frontier(module, rules, budget) for module, budget in zip(problem.modules, budgets, strict=True)]


def _best_of_every_split(
    problem: PipelineProblem,
    rules: SchedulingRules,
    options: HarpagonOptions,
    available: Mapping[str, float] | None,
) -> list[ModuleSchedule] | None:
    """Cheapest choice of one schedule per module among all that the module scheduler makes; None beyond a limit."""
    slo = problem.slo + TIME_TOLERANCE / 2
    frontiers = _schedule_frontiers(problem, rules)
    if not all(frontiers):
        return None
    if not rules.pads:
        chosen = select_points(problem.network, frontiers, slo)
        return None if chosen is None or _beyond_limits(chosen, available) else chosen
    greedy = schedule_pipeline(problem, rules, replace(options, splitter=Splitter.SCHEDULE), available)
    ceiling = math.inf if greedy is None else sum(schedule.cost for schedule in greedy)
    chosen = select_points(problem.network, frontiers, slo, ceiling, _SPLITS)
    if chosen is None or _beyond_limits(chosen, available):
        return greedy
    return reassign_latency(problem, chosen, rules, options.reassignments, available)


def _beyond_limits(schedules: Sequence[ModuleSchedule], available: Mapping[str, float] | None) -> bool:
    return any(left < 0 for left in (left_over(available, schedules) or {}).values())


def _cost(problem: PipelineProblem, module: int, budget: float, rules: SchedulingRules) -> float:
    schedule = schedule_module(problem.modules[module], budget, rules)
    return math.inf if schedule is None else schedule.cost
