"""Arguments and options that several commands share."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import typer

from harpagon.instances.policies import Billing, Dispatch

if TYPE_CHECKING:
    from harpagon.solvers.options import SolverOptions

InstanceArgument = Annotated[
    str,
    typer.Argument(
        metavar="INSTANCE",
        help="An instance file (JSON or YAML), or the name of a shipped one: see [bold]harpagon instances list[/].",
        show_default=False,
    ),
]
MethodOption = Annotated[
    str,
    typer.Option(metavar="METHOD", help="Planning method, such as exact or harpagon: see [bold]harpagon methods[/]."),
]
BillingOption = Annotated[
    Billing | None,
    typer.Option(
        help="How machines are paid for: [bold]whole[/], [bold]fractional[/] (the last machine of a module by the "
        "fraction used), or [bold]shared[/] (whole machines that may host several modules). Default: the billing of "
        "the instance.",
        show_default=False,
    ),
]
DispatchOption = Annotated[
    Dispatch | None,
    typer.Option(
        help="How requests reach the machines of a module, see docs/planning.md. Default: paced where the "
        "method proves plans for it, else the method's own.",
        show_default=False,
    ),
]
TimeLimitOption = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        help="Stop an exact method after this long and keep its best plan and its bound.",
        show_default="no limit",
    ),
]
GapOption = Annotated[
    float,
    typer.Option(metavar="FRACTION", help="Relative gap at which a plan counts as optimal; 0 asks for a proof."),
]
ThreadsOption = Annotated[int, typer.Option(min=1, help="Threads of a general solver.")]
LogOption = Annotated[bool, typer.Option("--log", help="Print the log of a general solver on standard error.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output, nothing else.")]

PluginOption = Annotated[
    list[str] | None,
    typer.Option(
        "--plugin",
        metavar="FILE",
        help="A Python file or module that registers methods of one's own with @harpagon.register; may be repeated. "
        "It is run, so name only what you trust. Installed packages need no flag.",
        show_default=False,
    ),
]


def load_plugins(targets: list[str] | None) -> None:
    """Import what ``--plugin`` names."""
    if targets:
        from harpagon.solvers.plugins import load_plugin

        for target in targets:
            load_plugin(target)


def solver_options(time_limit: float | None, gap: float, threads: int, log: bool) -> SolverOptions:
    """Options of the exact methods; a bad figure is a usage error."""
    from harpagon.solvers.options import SolverOptions

    if time_limit is not None and not (time_limit > 0 and math.isfinite(time_limit)):
        raise typer.BadParameter("give a number of seconds above 0", param_hint="--time-limit")
    if not 0 <= gap < 1:
        raise typer.BadParameter("give a fraction from 0 up to, not including, 1, such as 0.01", param_hint="--gap")
    return SolverOptions(time_limit=time_limit, gap=gap, threads=threads, log=log)


def shapes_of(texts: list[str]) -> dict[str, tuple[int, ...]]:
    """Dimensions by input from texts such as ``3,224,224``, of the only input "", or ``x=3,224,224``."""
    shapes = {}
    for text in texts:
        before, _, after = text.rpartition("=")
        parts = [part.strip() for part in after.split(",")] if after.strip() else []
        if not all(part.isascii() and part.isdigit() and int(part) >= 1 for part in parts):
            raise typer.BadParameter(f"{text}: give dimensions such as 3,224,224 or x=3,224,224", param_hint="--shape")
        shapes[before] = tuple(int(part) for part in parts)
    return shapes
