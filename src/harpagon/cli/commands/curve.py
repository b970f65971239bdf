"""``harpagon curve``: cost against SLO and against rate, as exact steps."""

from __future__ import annotations

import math
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harpagon.cli.console import note, show, show_json
from harpagon.cli.exits import ExitCode
from harpagon.cli.files import FigureOption, require_figure
from harpagon.cli.inputs import (
    BillingOption,
    DispatchOption,
    InstanceArgument,
    JsonOption,
    TimeLimitOption,
    solver_options,
)
from harpagon.instances.files.writing import make_folder
from harpagon.instances.policies import Billing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harpagon.instances.instance import Instance
    from harpagon.solvers.result import Result
    from harpagon.solvers.sensitivity.curve import CurveStep

_HELP = """Trace cost against SLO and cost against rate as step functions, with the plan of every step.

The curves are exact: each step ends at the latency, or at the capacity, of its plan, and the next begins right beside
it. --from and --to are factors on the SLOs (ms) or rates (req/s) of the instance; several pipelines share them. Over
the SLO, towards the smallest reachable latency, steps crowd and costs grow without end. In fractional billing cost may
fall all the way: a step is then a hundredth of the range long at least, and has the optimum at its tight end. Over the
rate the billing must be whole: in fractional billing cost is no step function of the rate.

[bold]Examples[/bold]

  harpagon curve worked-example --over slo --to 1.5

  harpagon curve traffic-198rps-350ms --over rate --billing whole --figure curve.svg

  harpagon curve traffic.yaml --out curves

[bold]Exit codes[/bold]  0 done; 1 no plan on the range; 2 bad input or usage; 130 interrupted, steps found kept
"""


class Over(StrEnum):
    """What a curve is over."""

    SLO = "slo"
    RATE = "rate"
    BOTH = "both"


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("curve", help=_HELP)(curve)


def curve(
    instance: InstanceArgument,
    over: Annotated[Over, typer.Option(help="What to vary.")] = Over.BOTH,
    low: Annotated[float, typer.Option("--from", metavar="FACTOR", help="Smallest factor.")] = 0.75,
    high: Annotated[float, typer.Option("--to", metavar="FACTOR", help="Largest factor.")] = 1.5,
    method: Annotated[str, typer.Option(help="Planning method; only exact methods give exact steps.")] = "exact",
    billing: BillingOption = None,
    dispatch: DispatchOption = None,
    time_limit: TimeLimitOption = None,
    as_json: JsonOption = False,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write tables, plans and the figure into this folder.", show_default=False),
    ] = None,
    figure: FigureOption = None,
) -> None:
    """Run the command."""
    from harpagon.cli.views.curve import curve_document, curve_tables, write_curves
    from harpagon.instances.library.shipped import resolve
    from harpagon.solvers.methods import solve

    _require_range(low, high)
    options = solver_options(time_limit, gap=0.0, threads=1, log=False)
    if out is not None:
        make_folder(out)
    require_figure(figure)
    problem = resolve(instance)
    curves, interrupted = _trace(
        problem,
        [Over.SLO, Over.RATE] if over is Over.BOTH else [over],
        lambda changed: solve(changed, method, billing, dispatch, options),
        billing or problem.billing,
        (low, high),
    )
    if as_json:
        show_json(curve_document(problem, curves, complete=not interrupted))
    else:
        show(*curve_tables(problem, curves))
    if out is not None:
        write_curves(problem, curves, out, complete=not interrupted)
        note(f"tables, plans and the figure are in {out}")
    if figure is not None:
        from harpagon.cli.views.curve import draw

        draw(problem, curves, figure)
        note(f"figure written to {figure}")
    if interrupted:
        note("interrupted: the steps found so far are kept")
        raise typer.Exit(ExitCode.INTERRUPTED)
    if not all(curves.values()):
        raise typer.Exit(ExitCode.NO_PLAN)


def _require_range(low: float, high: float) -> None:
    if not (0 < low < high and math.isfinite(high)):
        raise typer.BadParameter("give two factors with 0 < from < to", param_hint="--from and --to")


def _trace(
    instance: Instance,
    overs: list[Over],
    solve: Callable[[Instance], Result],
    billing: Billing,
    ends: tuple[float, float],
) -> tuple[dict[str, list[CurveStep]], bool]:
    """Curve name to its steps, from the smallest factor to the largest, and whether the user stopped."""
    from harpagon.solvers.sensitivity.curve import rate_curve, slo_curve

    curves: dict[str, list[CurveStep]] = {}
    for over in overs:
        if over is Over.RATE and billing is not Billing.WHOLE and len(overs) > 1:
            note(f"no curve over the rate in {billing} billing: its steps are not known there")
            continue
        steps = slo_curve(instance, solve, *ends) if over is Over.SLO else rate_curve(instance, solve, billing, *ends)
        curves[over] = []
        interrupted = _collect(steps, curves[over], over, ends)
        curves[over].sort(key=lambda step: step.low)
        if interrupted:
            return curves, True
    return curves, False


def _collect(steps: Iterator[CurveStep], found: list[CurveStep], over: Over, ends: tuple[float, float]) -> bool:
    """Append steps as they come, with a progress bar on standard error; whether the user stopped."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    low, high = ends
    columns = (TextColumn(f"cost over {over}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[state]}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("tracing", total=1.0, state="")
        try:
            for step in steps:
                found.append(step)
                done = (high - step.low if over is Over.SLO else step.high - low) / (high - low)
                state = f"{len(found)} steps, ${step.cost:.4f}/h"
                progress.update(bar, completed=min(1.0, done), state=state)
        except KeyboardInterrupt:
            return True
    return False
