"""``harpagon check``: the independent checker on a plan file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harpagon.cli.console import show, show_json
from harpagon.cli.exits import ExitCode
from harpagon.cli.inputs import InstanceArgument, JsonOption

if TYPE_CHECKING:
    from harpagon.formulations.checker import CheckReport

_HELP = """Check a plan against its instance: rates, latencies, limits and cost, all recomputed.

Prints OK and the recomputed figures (ms, $/h), or every broken rule with its place in the plan.

[bold]Examples[/bold]

  harpagon plan traffic.yaml --out plan.json

  harpagon check traffic.yaml plan.json

[bold]Exit codes[/bold]  0 the plan stands; 2 bad input or usage; 3 the plan breaks a rule
"""


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("check", help=_HELP)(check)


def check(
    instance: InstanceArgument,
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="A plan file (JSON).", show_default=False)],
    as_json: JsonOption = False,
) -> None:
    """Run the command."""
    from harpagon.formulations.checker import check as referee
    from harpagon.instances.files.plans import read_plan
    from harpagon.instances.library.shipped import resolve

    problem = resolve(instance)
    report = referee(problem, read_plan(plan, problem))
    slos = {pipeline.name: pipeline.slo for pipeline in problem.pipelines}
    if as_json:
        show_json(_document(report, slos))
    else:
        _print(report, slos)
    if not report.ok:
        raise typer.Exit(ExitCode.CHECK_FAILED)


def _print(report: CheckReport, slos: dict[str, float]) -> None:
    from rich.text import Text

    for violation in report.violations:
        show(Text.assemble(("broken", "bold red"), f"  {violation}"))
    if report.ok:
        show(Text.assemble(("OK", "bold green"), f"  ${report.cost:.4f}/h"))
        for name, latency in report.latencies.items():
            show(f"    {name}: {latency * 1e3:.4f} ms of {slos[name] * 1e3:.4f} ms SLO")
    else:
        show(f"{len(report.violations)} broken")


def _document(report: CheckReport, slos: dict[str, float]) -> dict[str, object]:
    return {
        "ok": report.ok,
        "violations": [{"place": fault.place, "message": fault.message} for fault in report.violations],
        "cost_per_hour": report.cost,
        "pipelines": {
            name: {"latency_ms": latency * 1e3, "slo_ms": slos[name] * 1e3}
            for name, latency in report.latencies.items()
        },
    }
