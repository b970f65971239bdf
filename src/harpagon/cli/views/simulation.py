"""A simulation report as text and tables."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.text import Text

from harpagon.cli.views.tables import plain_table
from harpagon.simulation.report import ROUNDING

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from harpagon.simulation.report import LatencySummary, ModuleReport, PipelineReport, SimulationReport

_COLUMNS = ("module", "tuple", "bound", "max", "over", "batch", "busy", "requests")


def simulation_view(report: SimulationReport) -> list[RenderableType]:
    """What ran, then per pipeline a verdict and a table of its tuples."""
    pacing = "paced" if report.paced else "unpaced"
    ran = f"{report.dispatch} dispatch, {report.arrivals} arrivals, {report.duration:g} s, seed {report.seed}, {pacing}"
    parts: list[RenderableType] = [Text(f"{ran}, {report.padding}, service: {report.conditions}", "dim")]
    for pipeline in report.pipelines:
        parts += [*_verdict(pipeline), _table(pipeline)]
    return parts


def _verdict(report: PipelineReport) -> list[Text]:
    share = f"{report.violations} of {report.latency.count} results ({report.violation_share:.3%}) later than the SLO"
    style = "bold red" if report.violations else "bold green"
    in_flight = sum(module.in_flight for module in report.modules)
    frames = f"{report.late_frames} of {report.frames.count} root requests"
    return [
        Text.assemble((report.name, "bold"), "  ", (share, style)),
        Text(f"results        {_quantiles(report.latency)}"),
        Text(f"root requests  {_quantiles(report.frames)}; the last result of {frames} later than the SLO"),
        Text(f"{_limits(report)}; {in_flight} requests in flight at the end"),
        *_broken(report),
    ]


def _quantiles(summary: LatencySummary) -> str:
    quantiles = "  ".join(f"p{100 * q:g} {value * 1e3:.1f}" for q, value in summary.quantiles.items())
    return f"{quantiles}  max {summary.maximum * 1e3:.1f} ms"


def _broken(report: PipelineReport) -> list[Text]:
    """A line where the plan claims more than it keeps."""
    if report.kept:
        return []
    return [Text(f"the plan claims that no result is later, for such arrivals: {report.late} are", "bold red")]


def _limits(report: PipelineReport) -> str:
    allowance = f" + {report.allowance * 1e3:.1f}" if report.allowance else ""
    return f"bound {report.bound * 1e3:.1f}{allowance} ms, SLO {report.slo * 1e3:.1f} ms"


def _table(report: PipelineReport) -> Table:
    table = plain_table(*_COLUMNS, left=(0, 1), caption="bound, max, over: ms in the module; batch: mean places filled")
    for module in report.modules:
        for row in _rows(module):
            table.add_row(*row)
    return table


def _rows(module: ModuleReport) -> list[tuple[str | Text, ...]]:
    return [
        (
            module.name if position == 0 else "",
            f"{part.machines:.4g} x {part.configuration}",
            f"{part.bound * 1e3:.1f}",
            f"{part.maximum * 1e3:.1f}" if part.requests else "-",
            _excess(part.maximum - part.bound, part.allowance),
            "-" if math.isnan(part.mean_batch) else f"{part.mean_batch:.2f}",
            f"{part.utilisation:.1%}",
            str(part.requests),
        )
        for position, part in enumerate(module.tuples)
    ]


def _excess(excess: float, allowance: float) -> Text:
    """By how many milliseconds a bound was passed; within the allowance it is no fault."""
    if excess <= ROUNDING:
        return Text("")
    return Text(f"{excess * 1e3:+.1f}", "" if excess <= allowance + ROUNDING else "bold red")
