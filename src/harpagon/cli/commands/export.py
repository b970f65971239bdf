"""``harpagon export``: a linear model of an instance as an LP or MPS file."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from harpagon.cli.console import note
from harpagon.cli.inputs import BillingOption, DispatchOption, InstanceArgument

_HELP = """Write the mixed-integer linear model of an instance as an LP or MPS file, for any solver to read.

The optimum of the file is the optimum of the instance in $/h. Latency curves stand in it as tangents, so the compact
and the disjunctive models are solved once to find the tangents that count.

[bold]Examples[/bold]

  harpagon export traffic.yaml --format lp

  harpagon export traffic.yaml --format mps --formulation pattern --out traffic.mps

[bold]Exit codes[/bold]  0 written; 2 bad input or usage, or no linear model for this case
"""


class FileFormat(StrEnum):
    """File formats of linear models."""

    LP = "lp"
    MPS = "mps"


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("export", help=_HELP)(export)


def export(
    instance: InstanceArgument,
    file_format: Annotated[FileFormat, typer.Option("--format", help="File format.", show_default=False)],
    formulation: Annotated[
        str,
        typer.Option(help="compact, levels, disjunctive-bigm, disjunctive-hull or pattern; assignment under shared."),
    ] = "compact",
    billing: BillingOption = None,
    dispatch: DispatchOption = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File to write. Default: NAME-FORMULATION.lp or .mps.", show_default=False),
    ] = None,
) -> None:
    """Run the command."""
    from harpagon.instances.errors import InputError
    from harpagon.instances.library.shipped import resolve
    from harpagon.solvers.methods import find_method
    from harpagon.solvers.models.export import write_model

    problem = resolve(instance)
    policy = dispatch or find_method(formulation).dispatch_for(billing or problem.billing)
    path = out or Path(f"{problem.name}-{formulation}.{file_format}")
    try:
        write_model(problem, formulation, billing or problem.billing, policy, path, file_format.value)
    except OSError as error:
        raise InputError(str(path), "", f"cannot be written ({error.strerror})", "Give another place") from None
    note(f"{formulation} model under {policy} dispatch written to {path}")
