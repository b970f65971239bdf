"""A served plan: bound, simulated and measured, as tables and as plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from harpagon.cli.views.tables import plain_table
from harpagon.instances.files.units import milliseconds
from harpagon.simulation.serving.report import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from harpagon.simulation.serving.report import ServedModule, ServedPipeline, ServingReport

_WORDS = {
    Verdict.KEPT: ("kept", "bold green", "every request was answered within its bound"),
    Verdict.MISSED: ("missed", "bold red", "requests were late although every batch kept to its profile"),
    Verdict.SLOW_MACHINE: (
        "slow machine",
        "bold yellow",
        "requests were late, and so was this machine: it says nothing about the plan",
    ),
}

_BAR = 30


def serving_view(report: ServingReport) -> Iterator[RenderableType]:
    """Per pipeline a table of its modules, and the verdict."""
    for pipeline in report.pipelines:
        yield _table(pipeline)
    shares = [module.share for pipeline in report.pipelines for module in pipeline.modules]
    yield f"batches took at most {max(shares):.1%} of their profile; timers were at most {report.lag * 1e3:.1f} ms late"
    word, style, meaning = _WORDS[report.verdict]
    yield Text.assemble((word, style), f"  {meaning}")


def tables_so_far(report: ServingReport, seconds: float) -> Iterator[RenderableType]:
    """The same tables while requests are sent, and how far the run is."""
    for pipeline in report.pipelines:
        yield _table(pipeline)
    done = round(_BAR * seconds / report.duration)
    lag = f"timers at most {report.lag * 1e3:.1f} ms late"
    yield Text(f"{'█' * done}{'░' * (_BAR - done)}  {seconds:.0f} of {report.duration:g} s; {lag}")


def _table(pipeline: ServedPipeline) -> RenderableType:
    quantiles = ", ".join(f"p{100 * share:g} {1e3 * value:.1f} ms" for share, value in pipeline.quantiles.items())
    lost = f", {pipeline.unanswered} unanswered" if pipeline.unanswered else ""
    counts = f"{pipeline.requests} requests, {pipeline.late} late{lost}"
    caption = "; ".join(part for part in (counts, quantiles, f"SLO {pipeline.slo * 1e3:.1f} ms") if part)
    headings = ("ms", "bound", "simulated", "measured", "requests", "batches")
    table = plain_table(*headings, title=pipeline.name, caption=caption)
    for module in pipeline.modules:
        figures = (module.bound, module.simulated, module.measured)
        cells = (f"{1e3 * value:.1f}" for value in figures)
        table.add_row(module.name, *cells, str(module.requests), str(module.batches))
    table.add_section()
    figures = (pipeline.bound, pipeline.simulated, pipeline.measured)
    table.add_row("end to end", *(f"{1e3 * value:.1f}" for value in figures), str(pipeline.requests), "")
    return table


def serving_document(report: ServingReport) -> dict[str, Any]:
    """Plain data of a run."""
    return {
        "instance": report.instance,
        "verdict": report.verdict.value,
        "duration_s": report.duration,
        "share": report.share,
        "lag_ms": milliseconds(report.lag),
        "pipelines": [_pipeline(pipeline) for pipeline in report.pipelines],
    }


def _pipeline(pipeline: ServedPipeline) -> dict[str, Any]:
    return {
        "name": pipeline.name,
        "slo_ms": milliseconds(pipeline.slo),
        "bound_ms": milliseconds(pipeline.bound),
        "simulated_ms": milliseconds(pipeline.simulated),
        "measured_ms": milliseconds(pipeline.measured),
        "quantiles_ms": {f"p{100 * share:g}": milliseconds(value) for share, value in pipeline.quantiles.items()},
        "requests": pipeline.requests,
        "late": pipeline.late,
        "unanswered": pipeline.unanswered,
        "modules": {module.name: _module(module) for module in pipeline.modules},
    }


def _module(module: ServedModule) -> dict[str, Any]:
    return {
        "bound_ms": milliseconds(module.bound),
        "simulated_ms": milliseconds(module.simulated),
        "measured_ms": milliseconds(module.measured),
        "requests": module.requests,
        "batches": module.batches,
        "largest_share": module.share,
    }
