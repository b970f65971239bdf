"""The independent checker: is this plan a plan, and does it keep what it claims?

It recomputes rates, worst-case latencies, path latencies, hardware use and cost from the instance and the plan
alone. It imports no solver and no heuristic, and every plan that any method returns goes through it.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harpagon.formulations.physics import (
    COST_TOLERANCE,
    RATE_TOLERANCE,
    TIME_TOLERANCE,
    has_ratio_order,
    in_dispatch_order,
    keeps_streams,
)
from harpagon.formulations.problem import pipeline_problem
from harpagon.formulations.shared import DEALT, DISPATCHER
from harpagon.formulations.shared_checker import recompute_hosts
from harpagon.instances.checks import expect
from harpagon.instances.instance import Instance
from harpagon.instances.plan import Plan
from harpagon.instances.policies import Billing, Dispatch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harpagon.formulations.paced import Service
    from harpagon.formulations.problem import ModuleProblem, PipelineProblem
    from harpagon.formulations.shared_checker import Guest, Hosts
    from harpagon.instances.instance import Configuration, Pipeline
    from harpagon.instances.plan import DispatchTuple, ModulePlan, PipelinePlan

_CLAIM_TOLERANCE = 1e-6
"""Relative difference between a claimed figure and the recomputed one that counts as rounding in a file."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule: ``place`` in the plan, and what is wrong in domain words."""

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What the checker found.

    Attributes
    ----------
    violations
        Empty where the plan stands.
    cost
        Recomputed dollars per hour.
    latencies
        Pipeline name to recomputed longest-path latency in seconds.
    """

    violations: tuple[Violation, ...]
    cost: float
    latencies: dict[str, float]

    @property
    def ok(self) -> bool:
        """Whether nothing is broken."""
        return not self.violations


def check(instance: Instance, plan: Plan) -> CheckReport:
    """Check ``plan`` against ``instance``.

    Returns
    -------
    CheckReport
        All violations, not just the first; cost and latencies recomputed.

    Raises
    ------
    InputError
        Where an argument is of another class.
    """
    expect(Instance, instance=instance)
    expect(Plan, plan=plan)
    violations: list[Violation] = list(_digest_faults(instance, plan))
    instance = _as_planned(instance, plan)
    hosts = recompute_hosts(instance, plan)
    violations.extend(Violation(place, text) for place, text in hosts.faults)
    latencies: dict[str, float] = {}
    planned = {pipeline.name: pipeline for pipeline in plan.pipelines}
    known = {pipeline.name for pipeline in instance.pipelines}
    for name in planned:
        if name not in known:
            violations.append(Violation(f"pipelines.{name}", "the instance has no pipeline of this name"))
    for pipeline in instance.pipelines:
        if pipeline.name not in planned:
            violations.append(Violation(f"pipelines.{pipeline.name}", "the plan leaves this pipeline out"))
            continue
        found, latency = _check_pipeline(instance, pipeline, planned[pipeline.name], plan, hosts)
        violations.extend(found)
        latencies[pipeline.name] = latency
    violations.extend(_check_limits(instance, plan))
    bought = _bought(instance, plan)
    cost = sum(instance.hardware[name].price * machines for name, machines in bought.items())
    if not _same(plan.cost, cost):
        violations.append(Violation("cost_per_hour", _claim("cost_per_hour", plan.cost, cost)))
    return CheckReport(tuple(violations), cost, latencies)


def _digest_faults(instance: Instance, plan: Plan) -> Iterator[Violation]:
    if plan.instance_digest and plan.instance_digest != instance.digest():
        yield Violation("instance_digest", "the plan was made for an instance with other figures")


def _as_planned(instance: Instance, plan: Plan) -> Instance:
    """The instance with the headroom in its rates and the machines in spare that the plan was made with."""
    if not plan.headroom and not plan.spare:
        return instance
    pipelines = tuple(
        replace(pipeline, rate=pipeline.rate * (1 + plan.headroom), spare=max(pipeline.spare, plan.spare))
        for pipeline in instance.pipelines
    )
    return replace(instance, pipelines=pipelines)


def _check_pipeline(
    instance: Instance, pipeline: Pipeline, planned: PipelinePlan, plan: Plan, hosts: Hosts
) -> tuple[list[Violation], float]:
    place = f"pipelines.{pipeline.name}"
    violations: list[Violation] = []
    problem = pipeline_problem(instance, pipeline, planned.promise)
    network = problem.network
    for name in planned.modules:
        if name not in pipeline.graph:
            violations.append(Violation(f"{place}.modules.{name}", "the pipeline has no module of this name"))
    latencies = []
    for compiled in problem.modules:
        name, here = compiled.name, f"{place}.modules.{compiled.name}"
        module = planned.modules.get(name)
        if module is None or not module.tuples:
            violations.append(Violation(here, "the plan gives this module no machines"))
            latencies.append(math.inf)
            continue
        profile = instance.profiles[pipeline.graph.nodes[name]["model"]]
        violations.extend(Violation(here, text) for text in _profile_faults(module.tuples, profile))
        if _is_hosted(module):
            faults, recomputed = _check_guest(compiled, module, plan, hosts, (pipeline.name, name))
        else:
            faults, recomputed = _check_module(compiled, module, plan)
        violations.extend(Violation(here, text) for text in faults)
        latencies.append(max(recomputed))
    latency = network.length(latencies) + problem.entry
    if latency > pipeline.slo + TIME_TOLERANCE:
        path = " -> ".join(network.critical_path(latencies))
        message = f"path {path} takes {latency * 1e3:.6g} ms, the SLO is {pipeline.slo * 1e3:.6g} ms"
        violations.append(Violation(place, message))
    if keeps_streams(plan.dispatch):
        violations.extend(_start_faults(problem, planned, latencies, place))
    if not _same(planned.latency, latency):
        violations.append(Violation(place, _claim("latency_ms", planned.latency * 1e3, latency * 1e3)))
    return violations, latency


def _check_module(compiled: ModuleProblem, module: ModulePlan, plan: Plan) -> tuple[list[str], tuple[float, ...]]:
    """What is wrong with a module on machines of its own, and the latency of every tuple."""
    service, latencies = compiled.served(module.tuples, plan.dispatch)
    faults = [*_capacity_faults(module.tuples, compiled, plan.billing), *_pace_faults(module, service)]
    if len(module.tuples) > 1:
        faults += _order_faults(module.tuples, plan.dispatch)
    return [*faults, *_claim_faults(module, compiled, latencies)], latencies


def _check_guest(
    compiled: ModuleProblem, module: ModulePlan, plan: Plan, hosts: Hosts, guest: Guest
) -> tuple[list[str], tuple[float, ...]]:
    """The same of a module on a shared machine; latencies are infinite where that does not stand."""
    latencies = hosts.latencies.get(guest, (math.inf,) * len(module.tuples))
    faults = [*_part_faults(module, hosts.parts.get(guest)), *_order_faults(module.tuples[:-1], plan.dispatch)]
    return [*faults, *_claim_faults(module, compiled, latencies)], latencies


def _is_hosted(module: ModulePlan) -> bool:
    """Whether it takes turns on a shared machine."""
    return module.pace is not None and bool(module.pace.machine)


def _part_faults(module: ModulePlan, part: DispatchTuple | None) -> Iterator[str]:
    """What a module claims of its part of a shared machine."""
    if module.pace is None or part is None:
        return
    dispatcher = DEALT if module.pace.own_share else DISPATCHER
    if module.pace.dispatcher != dispatcher:
        yield f"claims dispatcher {module.pace.dispatcher}, on a shared machine it takes {dispatcher}"
    position, claimed = len(module.tuples) - 1, module.tuples[-1]
    if not _same(claimed.machines, part.machines):
        yield _claim("machines", claimed.machines, part.machines)
    if not _same(claimed.rate, part.rate):
        yield _claim(f"tuples[{position}].rate_rps", claimed.rate, part.rate)


def _profile_faults(tuples: Sequence[DispatchTuple], profile: Sequence[Configuration]) -> Iterator[str]:
    for part in tuples:
        if part.configuration not in profile:
            yield f"{part.configuration} is not in the profile of this module's model"


def _capacity_faults(tuples: Sequence[DispatchTuple], problem: ModuleProblem, billing: Billing) -> Iterator[str]:
    rate = problem.rate
    for part in tuples:
        whole = float(part.machines).is_integer() and part.machines >= 1
        if not whole and not (0 < part.machines < 1):
            yield f"{part.configuration} has {part.machines:g} machines: a whole number, or a fraction below one"
        if not _same(part.rate, _working(part, problem.spare) * part.configuration.throughput):
            yield f"{part.configuration} claims {part.rate:g} req/s, its machines do something else"
    residuals = [part for part in tuples if part.is_residual]
    total = sum(_working(part, problem.spare) * part.configuration.throughput for part in tuples)
    if residuals and billing is not Billing.FRACTIONAL:
        yield f"a fraction of a machine under {billing} billing"
    if len(residuals) > 1:
        yield "more than one residual"
    if residuals and not tuples[-1].is_residual:
        yield "the residual does not stand last"
    if total < rate * (1 - RATE_TOLERANCE):
        yield f"too little capacity: {total:.9g} req/s for {rate:.9g} that arrive"


def _order_faults(tuples: Sequence[DispatchTuple], dispatch: Dispatch) -> Iterator[str]:
    full = [part.configuration for part in tuples if not part.is_residual]
    for configuration, times in Counter(full).items():
        if times > 1:
            yield f"{configuration} stands in {times} full tuples: join them"
    if has_ratio_order(dispatch) and in_dispatch_order(tuples) != tuple(tuples):
        yield "tuples do not stand in descending order of throughput-cost ratio"


def _working(part: DispatchTuple, spare: int) -> float:
    """Machines of a tuple that are there whatever is lost."""
    return part.machines if part.is_residual else max(0, part.machines - spare)


def _claim_faults(module: ModulePlan, problem: ModuleProblem, latencies: Sequence[float]) -> Iterator[str]:
    rate = problem.rate
    if not _same(module.rate, rate):
        yield _claim("rate_rps", module.rate, rate)
    total = sum(part.rate for part in module.tuples)
    if not _same(module.dummy_rate, max(0.0, total - rate)):
        yield _claim("dummy_rps", module.dummy_rate, max(0.0, total - rate))
    cost = sum(part.cost for part in module.tuples)
    if not _same(module.cost, cost):
        yield _claim("cost_per_hour", module.cost, cost)
    if not _same(module.latency, max(latencies)):
        yield _claim("latency_ms", module.latency * 1e3, max(latencies) * 1e3)
    for position, (claimed, found) in enumerate(zip(module.tuple_latencies, latencies, strict=True)):
        if not _same(claimed, found):
            yield f"tuples[{position}]: " + _claim("latency_ms", claimed * 1e3, found * 1e3)


def _pace_faults(module: ModulePlan, service: Service | None) -> Iterator[str]:
    """What a paced module claims of its dispatcher."""
    if service is None:
        return
    if module.pace is None:
        yield "does not say which dispatcher keeps its latency"
        return
    if module.pace.dispatcher != service.dispatcher:
        yield f"claims dispatcher {module.pace.dispatcher}, {service.dispatcher} keeps this latency"
    for position, (claimed, found) in enumerate(zip(module.pace.close_after, service.close_after, strict=False)):
        if not _same(claimed, found):
            yield f"tuples[{position}]: " + _claim("close_after_ms", claimed * 1e3, found * 1e3)
    if len(module.pace.close_after) != len(service.close_after):
        yield "does not say of every tuple when its batches close"


def _start_faults(
    problem: PipelineProblem, planned: PipelinePlan, latencies: Sequence[float], place: str
) -> Iterator[Violation]:
    """Starts of paced modules that do not follow from the latencies."""
    for name, head in zip(problem.network.modules, problem.network.heads(latencies), strict=True):
        module, start = planned.modules.get(name), problem.entry + head
        if module is not None and module.pace is not None and not _same(module.pace.start, start):
            message = _claim("start_ms", module.pace.start * 1e3, start * 1e3)
            yield Violation(f"{place}.modules.{name}", message)


def _bought(instance: Instance, plan: Plan) -> dict[str, float]:
    """Machines to pay for of every known hardware type in use: those of a type sold in bundles up to whole bundles."""
    bought: dict[str, float] = {}
    for name, used in plan.usage().items():
        if name in instance.hardware:
            bundle = instance.hardware[name].bundle
            bought[name] = used if bundle == 1 else math.ceil(used / bundle * (1 - RATE_TOLERANCE)) * bundle
    return bought


def _check_limits(instance: Instance, plan: Plan) -> Iterator[Violation]:
    for name, machines in _bought(instance, plan).items():
        hardware = instance.hardware[name]
        if hardware.limit is not None and machines > hardware.limit * (1 + RATE_TOLERANCE):
            bundles = f" in bundles of {hardware.bundle}" if hardware.bundle > 1 else ""
            message = f"{machines:.6g} machines in use{bundles}, the limit is {hardware.limit}"
            yield Violation(f"hardware.{name}", message)


def _claim(what: str, claimed: float, found: float) -> str:
    return f"claims {what} {claimed:.9g}, recomputed {found:.9g}"


def _same(left: float, right: float) -> bool:
    return math.isclose(left, right, rel_tol=_CLAIM_TOLERANCE, abs_tol=COST_TOLERANCE)
