"""A simulation report as plain data, in the units of files."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from harpagon.instances.files.units import milliseconds

if TYPE_CHECKING:
    from harpagon.simulation.report import (
        LatencySummary,
        ModuleReport,
        PipelineReport,
        SimulationReport,
        TupleReport,
    )


def simulation_document(report: SimulationReport) -> dict[str, Any]:
    """Plain data in the format ``harpagon-simulation/1``; figures that nothing was measured for are None."""
    return {
        "format": "harpagon-simulation/1",
        "instance": report.instance,
        "dispatch": report.dispatch.value,
        "arrivals": report.arrivals,
        "service": report.conditions,
        "duration_s": report.duration,
        "seed": report.seed,
        "paced": report.paced,
        "padding": report.padding,
        "pipelines": [_pipeline(pipeline) for pipeline in report.pipelines],
    }


def _pipeline(report: PipelineReport) -> dict[str, Any]:
    timeline = report.timeline
    return {
        "name": report.name,
        "slo_ms": milliseconds(report.slo),
        "bound_ms": milliseconds(report.bound),
        "allowance_ms": milliseconds(report.allowance),
        "arrived": report.arrived,
        "latency": _latency(report.latency),
        "violations": report.violations,
        "late": report.late,
        "burst": report.burst,
        "promised": report.promised,
        "frames": _latency(report.frames),
        "late_frames": report.late_frames,
        "modules": {module.name: _module(module) for module in report.modules},
        "timeline": {
            "end_s": list(timeline.ends),
            "mean_ms": [_milliseconds(value) for value in timeline.mean],
            "max_ms": [_milliseconds(value) for value in timeline.maximum],
        },
    }


def _module(report: ModuleReport) -> dict[str, Any]:
    return {
        "arrived": report.arrived,
        "finished": report.finished,
        "in_flight": report.in_flight,
        "bound_ms": milliseconds(report.bound),
        "allowance_ms": milliseconds(report.allowance),
        "latency": _latency(report.latency),
        "tuples": [_tuple(part) for part in report.tuples],
    }


def _tuple(report: TupleReport) -> dict[str, Any]:
    return {
        "hardware": report.configuration.hardware,
        "batch": report.configuration.batch,
        "machines": report.machines,
        "rate_rps": report.rate,
        "bound_ms": milliseconds(report.bound),
        "allowance_ms": milliseconds(report.allowance),
        "max_ms": milliseconds(report.maximum),
        "requests": report.requests,
        "batches": report.batches,
        "mean_batch": _known(report.mean_batch),
        "utilisation": report.utilisation,
    }


def _latency(summary: LatencySummary) -> dict[str, Any]:
    quantiles = {f"p{100 * share:g}_ms": _milliseconds(value) for share, value in summary.quantiles.items()}
    mean, maximum = _milliseconds(summary.mean), milliseconds(summary.maximum)
    return {"count": summary.count, "mean_ms": mean, **quantiles, "max_ms": maximum}


def _milliseconds(seconds: float) -> float | None:
    return None if math.isnan(seconds) else milliseconds(seconds)


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
