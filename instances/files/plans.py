"""Plan files: a plan with its certificate as JSON, and back."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from harpagon.instances.checks import expect
from harpagon.instances.errors import InputError, Place, format_place, shown, suggestion
from harpagon.instances.files.documents import read_document
from harpagon.instances.files.instances import write_json
from harpagon.instances.files.schema import ModulePlanFile, PipelinePlanFile, PlanFile, TupleFile
from harpagon.instances.files.units import milliseconds, seconds
from harpagon.instances.files.validation import validate
from harpagon.instances.instance import Instance
from harpagon.instances.plan import DispatchTuple, ModulePlan, Pace, PipelinePlan, Plan, Promise
from harpagon.instances.policies import Billing, Dispatch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from harpagon.instances.instance import Configuration, Pipeline


@dataclass(frozen=True, slots=True)
class Certificate:
    """What is known about a plan beside the plan.

    Attributes
    ----------
    method
        Name of the method as on the command line.
    status
        Why it stopped: a word of `harpagon.solvers.result.Termination`.
    lower_bound
        No plan costs less, dollars per hour; None (or not finite) where nothing was proven.
    gap
        (cost - lower bound) / cost; None without a bound.
    build_s, solve_s
        Seconds spent on setting the problem up and on solving it.
    solver
        ``name``, ``version`` and ``options`` of what ran.
    """

    method: str
    status: str
    lower_bound: float | None
    gap: float | None
    build_s: float
    solve_s: float
    solver: Mapping[str, object] = field(default_factory=dict)


def plan_document(plan: Plan, certificate: Certificate) -> dict[str, Any]:
    """Plain data of a plan in the format ``harpagon-plan/2``; unknown figures are None, never NaN or infinite."""
    document = {
        "format": "harpagon-plan/2",
        "instance": plan.instance,
        "instance_digest": plan.instance_digest,
        "method": certificate.method,
        "billing": plan.billing.value,
        "dispatch": plan.dispatch.value,
        "status": str(certificate.status),
        "cost_per_hour": plan.cost,
        "lower_bound": certificate.lower_bound,
        "gap": certificate.gap,
        "headroom": plan.headroom,
        "spare": plan.spare,
        "build_s": certificate.build_s,
        "solve_s": certificate.solve_s,
        "solver": certificate.solver,
        "pipelines": [_pipeline_document(pipeline) for pipeline in plan.pipelines],
    }
    return {key: _finite(value) for key, value in document.items()}


def _finite(value: Any) -> Any:
    """Value with None in the place of every figure that JSON cannot hold."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if hasattr(value, "items"):
        return {str(key): _finite(item) for key, item in value.items()}
    return value


def _pipeline_document(pipeline: PipelinePlan) -> dict[str, Any]:
    return {
        "name": pipeline.name,
        "latency_ms": milliseconds(pipeline.latency),
        "slo_ms": milliseconds(pipeline.slo),
        **({} if pipeline.promise is None else {"promise": _promise_document(pipeline.promise)}),
        "modules": {name: _module_document(module) for name, module in pipeline.modules.items()},
    }


def _promise_document(promise: Promise) -> dict[str, Any]:
    return {"rate_rps": promise.rate, "burst": promise.burst, "arrivals": promise.arrivals}


def _module_document(module: ModulePlan) -> dict[str, Any]:
    pace = module.pace
    closings: list[dict[str, float]] = [{} for _ in module.tuples]
    if pace is not None:
        closings = [{"close_after_ms": milliseconds(seconds)} for seconds in pace.close_after]
    return {
        "rate_rps": module.rate,
        "spare_rps": module.dummy_rate,
        "latency_ms": milliseconds(module.latency),
        **({} if pace is None else _pace_document(pace, module.latency)),
        "cost_per_hour": module.cost,
        "tuples": [
            {
                "hardware": part.configuration.hardware,
                **(
                    {"batch": part.configuration.batch}
                    if part.configuration.capacity is None
                    else {"capacity_rps": part.configuration.capacity}
                ),
                "machines": part.machines,
                "rate_rps": part.rate,
                "latency_ms": milliseconds(latency),
                **closing,
            }
            for part, latency, closing in zip(module.tuples, module.tuple_latencies, closings, strict=True)
        ],
    }


def _pace_document(pace: Pace, latency: float) -> dict[str, Any]:
    return {
        "start_ms": milliseconds(pace.start),
        "hold_until_ms": milliseconds(pace.start + latency),
        "dispatcher": pace.dispatcher,
        **({"machine": pace.machine} if pace.machine else {}),
        **({"own_share": str(pace.own_share)} if pace.own_share else {}),
    }


def write_plan(path: str | Path, plan: Plan, certificate: Certificate) -> None:
    """Write a plan with its certificate as JSON.

    Raises
    ------
    InputError
        Where an argument is of another class.
    MachineError
        Where the file cannot be written.
    """
    expect(Plan, plan=plan)
    expect(Certificate, certificate=certificate)
    write_json(path, plan_document(plan, certificate))


def read_plan(path: str | Path, instance: Instance) -> Plan:
    """Plan of a JSON or YAML file in the format ``harpagon-plan/2`` or ``/1``, its figures as the file claims them.

    Whether the figures are true is for the checker to say. A pipeline, module, hardware type or batch size that the
    instance does not have is an error here: no physics is known for it.

    Parameters
    ----------
    path
        File.
    instance
        The instance that the plan is for.

    Raises
    ------
    InputError
        With file, place, problem and next step, for whatever is wrong with the file.
    """
    expect(Instance, instance=instance)
    return plan_from_document(read_document(path), instance, str(path))


def plan_from_document(document: Any, instance: Instance, source: str) -> Plan:
    """Plan of plain data, as `plan_document` returns it; ``source`` names it in messages."""
    file = validate(PlanFile, document, source)
    known = {pipeline.name: pipeline for pipeline in instance.pipelines}
    planned: dict[str, PipelinePlan] = {}
    for position, item in enumerate(file.pipelines):
        place: Place = ("pipelines", position)
        where = format_place((*place, "name"))
        if item.name not in known:
            problem = f"the instance has no pipeline {shown(item.name)}"
            raise InputError(source, where, problem, suggestion(item.name, known))
        if item.name in planned:
            raise InputError(source, where, f"a second plan for {shown(item.name)}", "Remove one of the two")
        planned[item.name] = _pipeline_plan(item, known[item.name], instance, place, source)
    billing, dispatch = Billing(file.billing), Dispatch(file.dispatch)
    return Plan(
        file.instance,
        billing,
        dispatch,
        tuple(planned.values()),
        file.cost_per_hour,
        file.instance_digest,
        file.headroom,
        file.spare,
    )


def _pipeline_plan(
    file: PipelinePlanFile, pipeline: Pipeline, instance: Instance, place: Place, source: str
) -> PipelinePlan:
    modules = {}
    for name, item in file.modules.items():
        here: Place = (*place, "modules", name)
        if name not in pipeline.graph:
            problem = f"the pipeline has no module {shown(name)}"
            raise InputError(source, format_place(here), problem, suggestion(name, pipeline.graph))
        profile = instance.profiles[pipeline.graph.nodes[name]["model"]]
        modules[name] = _module_plan(item, profile, here, source)
    promise = None
    if file.promise is not None:
        promise = Promise(file.promise.rate_rps, file.promise.burst, file.promise.arrivals)
    return PipelinePlan(file.name, seconds(file.slo_ms), seconds(file.latency_ms), modules, promise)


def _module_plan(file: ModulePlanFile, profile: tuple[Configuration, ...], place: Place, source: str) -> ModulePlan:
    parts = []
    for position, item in enumerate(file.tuples):
        configuration = _configuration(item, profile, (*place, "tuples", position), source)
        machines = int(item.machines) if item.machines.is_integer() else item.machines
        parts.append(DispatchTuple(configuration, machines, item.rate_rps))
    return ModulePlan(
        rate=file.rate_rps,
        tuples=tuple(parts),
        tuple_latencies=tuple(seconds(item.latency_ms) for item in file.tuples),
        latency=seconds(file.latency_ms),
        dummy_rate=file.spare_rps,
        cost=file.cost_per_hour,
        pace=_pace(file),
    )


def _pace(file: ModulePlanFile) -> Pace | None:
    """How a paced module keeps its latency; a close_after_ms that is missing counts as 0, for the checker to find."""
    if file.dispatcher is None:
        return None
    close_after = tuple(seconds(item.close_after_ms or 0.0) for item in file.tuples)
    share = Fraction(file.own_share or 0)
    return Pace(file.dispatcher, seconds(file.start_ms or 0.0), close_after, file.machine or "", share)


def _configuration(file: TupleFile, profile: tuple[Configuration, ...], place: Place, source: str) -> Configuration:
    on_hardware = [item for item in profile if item.hardware == file.hardware]
    if not on_hardware:
        problem = f"the profile of this module's model has no hardware {shown(file.hardware)}"
        next_step = suggestion(file.hardware, {item.hardware for item in profile})
        raise InputError(source, format_place((*place, "hardware")), problem, next_step)
    if (file.batch is None) == (file.capacity_rps is None):
        raise InputError(source, format_place(place), "needs one of batch and capacity_rps", "Give one of the two")
    key, wanted = ("batch", file.batch) if file.capacity_rps is None else ("capacity_rps", file.capacity_rps)
    known = {item.batch if key == "batch" else item.capacity: item for item in on_hardware}
    if wanted not in known:
        words = f"batch size {wanted}" if key == "batch" else f"capacity of {wanted:g} req/s"
        next_step = "Known here: " + ", ".join(str(item) for item in sorted(filter(None, known)))
        problem = f"the profile has no {words} on {file.hardware}"
        raise InputError(source, format_place((*place, key)), problem, next_step)
    return known[wanted]
