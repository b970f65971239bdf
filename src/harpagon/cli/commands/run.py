"""``harpagon run``: a plan served for real on this machine, bound against simulated and measured."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harpagon.cli.console import note, show, show_json
from harpagon.cli.exits import ExitCode
from harpagon.cli.files import FigureOption, require_figure
from harpagon.cli.inputs import InstanceArgument, JsonOption, shapes_of
from harpagon.cli.safeguards import sound_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harpagon.instances.instance import Instance
    from harpagon.simulation.serving import ServingReport
    from harpagon.simulation.serving.machines import OnnxModel

_LONGEST = 86_400.0

_HELP = """Serve a plan on this machine, over loopback, and measure what it claims.

Every machine of the plan is a server (KServe v2 over HTTP, on 127.0.0.1) that sleeps for the time its batches take, so
that no GPU is needed, or runs an ONNX file (--onnx; its machines must be of the types cpu-1, cpu-2, ...). Batches are
made by the simulator's dispatchers, requests reach every module when the plan says, and a client sends the promised
rate by a clock. Prints bound, simulated and measured (ms).

[bold]Verdicts[/bold]  kept; missed: late although every batch kept to its profile; slow machine: late, and this machine
was slower than the profile or its timers later than the requests, which says nothing about the plan

[bold]Examples[/bold]

  harpagon run traffic.yaml plan.json

  harpagon run traffic.yaml plan.json --duration 60 --json

  harpagon run traffic.yaml plan.json --lose detect:1 --figure run.svg

  harpagon run ocr.json plan.json --onnx detect=detect.onnx --shape detect=3,736,736

[bold]Exit codes[/bold]  0 kept; 2 bad input or usage; 3 missed, or the plan breaks a rule; 4 slow machine
"""


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("run", help=_HELP)(run)


def run(
    instance: InstanceArgument,
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="A plan file (JSON).", show_default=False)],
    duration: Annotated[float, typer.Option(metavar="SECONDS", help="Seconds for which requests are sent.")] = 10.0,
    share: Annotated[
        float,
        typer.Option(
            metavar="FRACTION",
            help="Share of its profiled duration for which a machine sleeps; the rest is room for this machine's "
            "network and timers.",
        ),
    ] = 0.9,
    lose: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODULE:K",
            help="K machines of the module are not started, of its last tuples first; every tuple keeps one. "
            "Repeatable.",
            show_default=False,
        ),
    ] = None,
    onnx: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODEL=FILE",
            help="Machines of this model run this ONNX file on random inputs; all others sleep. Repeatable.",
            show_default=False,
        ),
    ] = None,
    shape: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODEL[:INPUT]=D,D,...",
            help="Dimensions of an input of its file after the batch, where the file leaves them open. Repeatable.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonOption = False,
    figure: FigureOption = None,
) -> None:
    """Run the command."""
    from harpagon.cli.views.serving import serving_document, serving_view
    from harpagon.instances.library.shipped import resolve
    from harpagon.simulation.dispatch.conditions import parse_conditions
    from harpagon.simulation.serving import Verdict, serve_plan

    if not 0 < duration <= _LONGEST:
        raise typer.BadParameter("give seconds above 0, up to a day", param_hint="--duration")
    if not 0 < share <= 1:
        raise typer.BadParameter("give a fraction above 0, up to 1", param_hint="--share")
    require_figure(figure)
    problem = resolve(instance)
    planned = sound_plan(problem, plan)
    conditions = parse_conditions("profile", (), lose or ())
    conditions.fits(planned)
    models = _models(problem, onnx or [], shape or [])
    with _dashboard(duration) as progress:
        report = serve_plan(
            problem,
            planned,
            duration=duration,
            share=share,
            losses=conditions.losses,
            models=models,
            progress=progress,
        )
    if figure is not None:
        from harpagon.evaluation.plotting.serving import draw_serving

        draw_serving(report, figure)
        note(f"figure written to {figure}")
    if as_json:
        show_json(serving_document(report))
    else:
        show(*serving_view(report))
    codes = {Verdict.MISSED: ExitCode.CHECK_FAILED, Verdict.SLOW_MACHINE: ExitCode.MACHINE_FAILED}
    if report.verdict in codes:
        raise typer.Exit(codes[report.verdict])


def _models(instance: Instance, files: list[str], shapes: list[str]) -> dict[str, OnnxModel]:
    """Model to the ONNX file that its machines run."""
    from harpagon.simulation.serving.machines import OnnxModel

    found: dict[str, OnnxModel] = {}
    for text in files:
        model, given, path = text.partition("=")
        if not given or model not in instance.profiles:
            known = ", ".join(instance.profiles)
            raise typer.BadParameter(f"{text}: give MODEL=FILE; the models are {known}", param_hint="--onnx")
        found[model] = OnnxModel(Path(path), {})
    for text in shapes:
        model = re.split("[:=]", text)[0]
        if model not in found:
            raise typer.BadParameter(f"{text}: give a model of --onnx before the dimensions", param_hint="--shape")
        rest = text[len(model) + 1 :]
        found[model] = replace(found[model], shapes={**found[model].shapes, **shapes_of([rest])})
    return found


@contextmanager
def _dashboard(duration: float) -> Iterator[Callable[[float, ServingReport], None] | None]:
    """The tables of the run so far on standard error, while it is a terminal."""
    from rich.console import Console, Group
    from rich.live import Live

    from harpagon.cli.views.serving import tables_so_far

    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    with Live(console=console, auto_refresh=False, transient=True, vertical_overflow="crop") as live:

        def show_report(seconds: float, report: ServingReport) -> None:
            live.update(Group(*tables_so_far(report, min(seconds, duration))), refresh=True)

        yield show_report
