"""``harpagon simulate``: a plan run request by request, bounds against what is measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harpagon.cli.console import note, show, show_json
from harpagon.cli.exits import ExitCode
from harpagon.cli.files import FigureOption, require_figure
from harpagon.cli.inputs import InstanceArgument, JsonOption
from harpagon.cli.simulation_options import (
    ArrivalsOption,
    DurationOption,
    LoseOption,
    SeedOption,
    ServiceOption,
    StallOption,
    check_load,
    simulated_seconds,
)
from harpagon.simulation.dispatch.padding import Padding

if TYPE_CHECKING:
    from harpagon.instances.instance import Instance
    from harpagon.simulation.report import SimulationReport

_HELP = """Simulate a plan request by request and measure what its bounds claim.

Batches fill and time out, machines run them, results fan out and join. Prints end-to-end latency against the SLO, and
per tuple the claimed worst case (bound) against the largest latency measured (ms). [bold]over[/] says by how much the
measured maximum passes the bound.

[bold]Examples[/bold]

  harpagon plan traffic.yaml --dispatch edf --out plan.json

  harpagon simulate traffic.yaml plan.json

  harpagon simulate traffic.yaml plan.json --arrivals poisson --duration 600 --seed 7 --figure run.svg

  harpagon simulate traffic.yaml plan.json --arrivals trace.csv --json

  harpagon simulate traffic.yaml plan.json --service lognormal:0.05 --stall detect:80 --lose vehicle:1

[bold]Trace files[/bold]  one column time_s (ascending seconds from the start), or a column requests (per second)

[bold]Exit codes[/bold]  0 simulated; 2 bad input or usage; 3 results later than the plan claims for such arrivals
"""


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("simulate", help=_HELP)(simulate)


def simulate(
    instance: InstanceArgument,
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="A plan file (JSON).", show_default=False)],
    arrivals: ArrivalsOption = "even",
    duration: DurationOption = None,
    seed: SeedOption = 0,
    service: ServiceOption = "profile",
    stall: StallOption = None,
    lose: LoseOption = None,
    paced: Annotated[
        bool | None,
        typer.Option(
            "--paced/--unpaced",
            help="Hold results until their module's bound has passed, so that the next module's arrivals are even. "
            "Default: paced for plans under tc-safe and edf, whose bounds need it.",
            show_default=False,
        ),
    ] = None,
    padding: Annotated[
        Padding | None,
        typer.Option(
            help="What completes a batch when requests are missing. Default: time-out for tc-safe and edf, "
            "dummies for the others.",
            show_default=False,
        ),
    ] = None,
    random_fanout: Annotated[
        bool, typer.Option("--random-fanout", help="Draw each edge's fan-out at random instead of a fixed fraction.")
    ] = False,
    as_json: JsonOption = False,
    figure: FigureOption = None,
) -> None:
    """Run the command."""
    from harpagon.instances.files.plans import read_plan
    from harpagon.instances.library.shipped import resolve
    from harpagon.simulation import simulate as run
    from harpagon.simulation.arrivals.named import parse_arrivals
    from harpagon.simulation.dispatch.conditions import parse_conditions

    require_figure(figure)
    problem = resolve(instance)
    planned = read_plan(plan, problem)
    process = parse_arrivals(arrivals)
    conditions = parse_conditions(service, stall or (), lose or ())
    seconds = simulated_seconds(duration, process)
    check_load(problem, process, seconds)
    report = run(
        problem,
        planned,
        process,
        duration=seconds,
        seed=seed,
        paced=paced,
        padding=padding,
        random_fanout=random_fanout,
        conditions=conditions,
    )
    _show(problem, report, figure, as_json=as_json)
    if not report.kept:
        raise typer.Exit(ExitCode.CHECK_FAILED)


def _show(instance: Instance, report: SimulationReport, figure: Path | None, *, as_json: bool) -> None:
    if figure is not None:
        from harpagon.evaluation.plotting.simulation import draw_simulation

        draw_simulation(report, figure)
        note(f"figure written to {figure}")
    if as_json:
        from harpagon.simulation.document import simulation_document

        show_json(simulation_document(report))
    else:
        from harpagon.cli.views.simulation import simulation_view

        show(*simulation_view(report))
