"""InferLine (SoCC 2020), adapted to this plan space [R].

The original plans a pipeline offline: every model starts at batch 1 on its best hardware, replicas are added at the
bottleneck until the pipeline keeps up, and then the plan is made cheaper greedily. Each step tries for every model to
double its batch, to remove a replica and to downgrade its hardware, and takes what saves most within the latency
objective; it ends when nothing helps. A discrete event simulation estimates latency.

Adapted: the round-robin bound takes the place of the simulation. One configuration a module. Adding replicas one by one
at the bottleneck ends at ceil(T / t) per module, which is computed at once; then a replica can be removed only under
``fractional`` billing, where the last machine pays its occupancy (``inferline``) or is bought whole all the same
(``inferline-whole``). The best hardware is the type with the shortest duration at the smallest batch. An increase goes
to the smallest batch of the profile that is at least twice as large and drops the replicas it makes idle; where no
action saves, the increase that costs nothing and gains most throughput is taken. A downgrade tries every cheaper type
with each of its batches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from harpagon.formulations.physics import COST_TOLERANCE, execution
from harpagon.heuristics.baselines.single_configuration import serve_alone
from harpagon.heuristics.fleet import left_over, plan_fleet
from harpagon.heuristics.scheduling_rules import ROUNDING, ModuleSchedule, machines_left
from harpagon.instances.policies import Billing, Dispatch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harpagon.formulations.problem import ModuleProblem, PipelineProblem
    from harpagon.instances.instance import Configuration, Instance
    from harpagon.instances.plan import Plan

    Limits: TypeAlias = Mapping[str, float] | None


def plan_inferline(instance: Instance, billing: Billing, *, occupancy: bool = True) -> Plan | None:
    """Plan with InferLine; None where the start misses the SLO, or a hardware limit is in the way.

    The arguments are those of `harpagon.heuristics.baselines.clipper.plan_clipper`.
    """
    paid = billing if occupancy else Billing.WHOLE

    def schedule(problem: PipelineProblem, available: Limits) -> list[ModuleSchedule] | None:
        schedules = _start(problem, available)
        while schedules is not None and (better := _best_action(problem, schedules, paid, available)) is not None:
            schedules = better
        return schedules

    return plan_fleet(instance, billing, Dispatch.ROUND_ROBIN, schedule)


def _start(problem: PipelineProblem, available: Limits) -> list[ModuleSchedule] | None:
    """Smallest batch on the quickest type with machines enough, whole machines; None where that misses the SLO."""
    schedules: list[ModuleSchedule] = []
    for module in problem.modules:
        smallest = min(c.batch for c in module.configurations)
        quickest = sorted(
            (c for c in module.configurations if c.batch == smallest), key=lambda c: (c.duration, c.hardware)
        )
        left = left_over(available, schedules)
        options = (_serve(c, module.rate, execution(c, Dispatch.ROUND_ROBIN), Billing.WHOLE, left) for c in quickest)
        found = next((option for option in options if option is not None), None)
        if found is None:
            return None
        schedules.append(found)
    length = problem.network.length([schedule.latency for schedule in schedules])
    return schedules if length <= problem.slo + ROUNDING else None


def _best_action(
    problem: PipelineProblem, schedules: Sequence[ModuleSchedule], billing: Billing, available: Limits
) -> list[ModuleSchedule] | None:
    """Schedules after the action that saves most; without one, after the free increase that gains most throughput."""
    lengths = problem.network.path_lengths([schedule.latency for schedule in schedules])
    best, best_score = None, (0.0, 0.0)
    for i, (module, now) in enumerate(zip(problem.modules, schedules, strict=True)):
        budget = now.latency + problem.slo - lengths[i]
        left = left_over(available, [*schedules[:i], *schedules[i + 1 :]])
        for configuration in _actions(module, _configuration(now)):
            changed = _serve(configuration, module.rate, budget, billing, left)
            if changed is None:
                continue
            score = _score(now, changed)
            if score > best_score:
                best, best_score = [*schedules[:i], changed, *schedules[i + 1 :]], score
    return best


def _actions(module: ModuleProblem, now: Configuration) -> Iterator[Configuration]:
    """Configurations after removing a replica, doubling the batch, downgrading the hardware."""
    yield now
    same = [c for c in module.configurations if c.hardware == now.hardware and c.batch >= 2 * now.batch]
    if same:
        yield min(same, key=lambda c: c.batch)
    yield from (c for c in module.configurations if c.price < now.price)


def _score(now: ModuleSchedule, changed: ModuleSchedule) -> tuple[float, float]:
    """Cost saved, then throughput gained by an increase on the same hardware that costs nothing."""
    before, after = _configuration(now), _configuration(changed)
    saved = now.cost - changed.cost
    if saved > COST_TOLERANCE * now.cost:
        return (saved, 0.0)
    increased = before.hardware == after.hardware and after.batch > before.batch
    if saved < -COST_TOLERANCE * now.cost or not increased:
        return (0.0, 0.0)
    return (0.0, after.throughput - before.throughput)


def _serve(
    configuration: Configuration, rate: float, budget: float, billing: Billing, left: Limits
) -> ModuleSchedule | None:
    """Serve with one configuration within a budget and the machines left."""
    schedule = ModuleSchedule.of(serve_alone(configuration, rate, budget, billing), Dispatch.ROUND_ROBIN)
    fits = schedule.latency <= budget + ROUNDING
    return schedule if fits and machines_left(configuration.hardware, schedule.tuples, left) >= 0 else None


def _configuration(schedule: ModuleSchedule) -> Configuration:
    return schedule.tuples[0].configuration
