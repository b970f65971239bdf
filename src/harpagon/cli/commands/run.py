"""``harpagon run``: a plan served for real on this machine, bound against simulated and measured."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harpagon.cli.console import note, show, show_json
from harpagon.cli.exits import ExitCode
from harpagon.cli.inputs import InstanceArgument, JsonOption

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan

_LONGEST = 86_400.0

_HELP = """Serve a plan on this machine, over loopback, and measure what it claims.

Every machine of the plan is a server (KServe v2 over HTTP, on 127.0.0.1) that sleeps for the time its batches take, so
that no GPU is needed; batches are made by the simulator's dispatchers, requests reach every module when the plan says,
and a client sends the promised rate by a clock. Prints bound, simulated and measured (ms).

[bold]Verdicts[/bold]  kept; missed: late although every batch kept to its profile; slow machine: late, and this machine
was slower than the profile or its timers later than the requests, which says nothing about the plan

[bold]Examples[/bold]

  harpagon run traffic.yaml plan.json

  harpagon run traffic.yaml plan.json --duration 60 --json

  harpagon run traffic.yaml plan.json --lose detect:1

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
    as_json: JsonOption = False,
) -> None:
    """Run the command."""
    from harpagon.cli.views.serving import serving_document, serving_view
    from harpagon.instances.files.plans import read_plan
    from harpagon.instances.library.shipped import resolve
    from harpagon.simulation.dispatch.conditions import parse_conditions
    from harpagon.simulation.serving import Verdict, serve_plan

    if not 0 < duration <= _LONGEST:
        raise typer.BadParameter("give seconds above 0, up to a day", param_hint="--duration")
    if not 0 < share <= 1:
        raise typer.BadParameter("give a fraction above 0, up to 1", param_hint="--share")
    problem = resolve(instance)
    planned = read_plan(plan, problem)
    _require_sound(problem, planned)
    conditions = parse_conditions("profile", (), lose or ())
    conditions.fits(planned)
    with _progress(problem, duration) as progress:
        report = serve_plan(
            problem, planned, duration=duration, share=share, losses=conditions.losses, progress=progress
        )
    if as_json:
        show_json(serving_document(report))
    else:
        show(*serving_view(report))
    codes = {Verdict.MISSED: ExitCode.CHECK_FAILED, Verdict.SLOW_MACHINE: ExitCode.MACHINE_FAILED}
    if report.verdict in codes:
        raise typer.Exit(codes[report.verdict])


def _require_sound(instance: Instance, plan: Plan) -> None:
    from harpagon.formulations.checker import check

    report = check(instance, plan)
    if not report.ok:
        for violation in report.violations:
            note(f"broken: {violation}")
        raise typer.Exit(ExitCode.CHECK_FAILED)


@contextmanager
def _progress(instance: Instance, duration: float) -> Iterator[Callable[[str, bool], None]]:
    """A bar per pipeline on standard error while it is a terminal: answered, and late."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[late]} late"),
    )
    late: Counter[str] = Counter()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        tasks = {
            item.name: bars.add_task(item.name, total=max(1, int(duration * item.rate)), late=0)
            for item in instance.pipelines
        }

        def answered(pipeline: str, is_late: bool) -> None:
            late[pipeline] += is_late
            bars.update(tasks[pipeline], advance=1, late=late[pipeline])

        yield answered
