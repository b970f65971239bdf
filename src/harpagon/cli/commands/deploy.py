"""``harpagon deploy``: a plan as files for Triton, Ray Serve or Kubernetes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harpagon.cli.console import note, show
from harpagon.cli.inputs import InstanceArgument
from harpagon.cli.safeguards import sound_plan
from harpagon.simulation.deploy import TargetName

_HELP = """Write a plan as files for the system that is to serve it.

[bold]triton[/] model repositories, [bold]ray[/] a Ray Serve config, [bold]k8s[/] Kubernetes manifests, each with a
README.md: the bound of every module, and what is not guaranteed. The target decides which latency holds: Triton's
shared queue keeps d + b/W for modules of one tuple; a queue per replica has 2 d, plans of --dispatch round-robin.
Other plans are refused, with the command that makes one.

[bold]Examples[/bold]

  harpagon plan traffic.yaml --method harp-1c --out plan.json

  harpagon deploy traffic.yaml plan.json --target triton --out repository

[bold]Exit codes[/bold]  0 written; 2 bad input or usage, or a plan that the target does not keep; 3 the plan breaks a
rule
"""


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("deploy", help=_HELP)(deploy)


def deploy(
    instance: InstanceArgument,
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="A plan file (JSON).", show_default=False)],
    target: Annotated[TargetName, typer.Option(help="What is to serve it.", show_default=False)],
    out: Annotated[Path, typer.Option(metavar="DIR", help="An empty or new folder.", show_default=False)],
) -> None:
    """Run the command."""
    from harpagon.instances.library.shipped import resolve
    from harpagon.simulation.deploy import TARGETS, deployment_files, write_deployment

    problem = resolve(instance)
    planned = sound_plan(problem, plan)
    files = deployment_files(problem, planned, TARGETS[target], named=instance, source=str(plan))
    write_deployment(files, out)
    for name in files:
        show(name)
    note(f"written to {out}")
