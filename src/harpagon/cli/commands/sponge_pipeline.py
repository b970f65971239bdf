"""The part of ``harpagon sponge`` that serves a whole pipeline over a bandwidth trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.cli.console import note, show, show_json

if TYPE_CHECKING:
    from harpagon.formulations.problem import PipelineProblem
    from harpagon.instances.instance import Instance
    from harpagon.simulation.sponge.bandwidth import BandwidthTrace
    from harpagon.simulation.sponge.pipeline import PipelineRun
    from harpagon.simulation.sponge.pipeline_scaler import PipelineScaler


def serve_pipeline(
    name_or_path: str, bandwidth: BandwidthTrace, size: float, duration: float, change_cost: float, *, as_json: bool
) -> None:
    """Serve an instance's pipeline with containers resized in place, and with fixed ones; print both.

    Parameters
    ----------
    name_or_path
        Instance of one pipeline on hardware types cpu-1, cpu-2 and so on; its rate and SLO hold.
    bandwidth
        What requests cross.
    size
        Bytes per request.
    duration
        Seconds.
    change_cost
        Dollars per hour that a module's change of cores must save.
    as_json
        Whether to print one JSON document.
    """
    from harpagon.simulation.sponge.pipeline import run_pipeline
    from harpagon.simulation.sponge.pipeline_scaler import count_unavoidable
    from harpagon.simulation.sponge.requests import send_requests

    instance, problem = _only_pipeline(name_or_path)
    pipeline = instance.pipelines[0]
    requests = send_requests(bandwidth, pipeline.rate, size, pipeline.slo, duration)
    unavoidable = count_unavoidable(problem, requests)
    scalers = _scalers(problem, change_cost)
    runs = {name: run_pipeline(instance, scaler, requests, duration) for name, scaler in scalers.items()}
    if as_json:
        show_json({name: _document(run, unavoidable) for name, run in runs.items()})
    else:
        _print(runs, unavoidable)


def _only_pipeline(name_or_path: str) -> tuple[Instance, PipelineProblem]:
    from harpagon.formulations.problem import pipeline_problem
    from harpagon.instances.cpu.instance import core_profile_of
    from harpagon.instances.errors import InputError
    from harpagon.instances.library.shipped import resolve

    instance = resolve(name_or_path)
    if len(instance.pipelines) > 1:
        raise InputError(name_or_path, "pipelines", "there are several pipelines", "Keep one of them")
    for _, model in instance.pipelines[0].graph.nodes(data="model"):
        core_profile_of(instance, model)
    return instance, pipeline_problem(instance, instance.pipelines[0])


def _scalers(problem: PipelineProblem, change_cost: float) -> dict[str, PipelineScaler]:
    from harpagon.heuristics.baselines.vertical import plan_vertical_pipeline
    from harpagon.instances.policies import Dispatch
    from harpagon.simulation.sponge.pipeline_scaler import FixedPipelineScaler, InPlacePipelineScaler

    scalers: dict[str, PipelineScaler] = {"in place": InPlacePipelineScaler(problem, change_cost)}
    planned = plan_vertical_pipeline(problem, problem.slo, Dispatch.TC)
    if planned is None:
        note("no plan with one container a module keeps the SLO: the fastest containers serve what they can")
    else:
        fixed = tuple(module.tuples[0].configuration for module in planned.modules.values())
        scalers["fixed, for the whole SLO"] = FixedPipelineScaler(fixed)
    return scalers


def _print(runs: dict[str, PipelineRun], unavoidable: int) -> None:
    from harpagon.cli.views.tables import plain_table

    table = plain_table("containers", "violations", "unavoidable", "of requests", "core-seconds", "changes")
    for name, run in runs.items():
        figures = (run.violations, unavoidable, len(run.done), f"{run.core_seconds:.0f}", run.changes)
        table.add_row(name, *map(str, figures))
    show(table, "unavoidable: reached the server with less time left than the fastest path takes")


def _document(run: PipelineRun, unavoidable: int) -> dict[str, object]:
    return {
        "requests": len(run.done),
        "violations": run.violations,
        "unavoidable": unavoidable,
        "core_seconds": run.core_seconds,
        "changes": run.changes,
    }
