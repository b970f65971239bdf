"""``harpagon explain``: why there is no plan, or what binds."""

from __future__ import annotations

from typing import Annotated

import typer

from harpagon.cli.console import show, show_json
from harpagon.cli.exits import ExitCode
from harpagon.cli.inputs import BillingOption, DispatchOption, InstanceArgument, JsonOption, solver_options

_HELP = """Say why an instance has no plan and what would give it one, or what binds the plan it has.

Without a plan: the path that cannot meet its SLO, its smallest reachable latency (ms) and by how much it misses, or the
hardware limit that binds and how many more machines would do. Then the smallest single change that gives a plan: a
looser SLO (steps of 0.1 ms), a lower rate (steps of 0.1 %) or more machines of a type, each solved again. Enough
machines bring a module near its shortest batch duration, but never to it; under round-robin twice that duration is
the least. With a plan: the critical paths, the limits in use, and what one more millisecond of SLO, 1 % less rate and
one more machine of each limited type save ($/h).

[bold]Examples[/bold]

  harpagon explain worked-example

  harpagon explain traffic.yaml --dispatch round-robin

[bold]Exit codes[/bold]  0 there is a plan; 1 there is none; 2 bad input or usage
"""


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("explain", help=_HELP)(explain)


def explain(
    instance: InstanceArgument,
    billing: BillingOption = None,
    dispatch: DispatchOption = None,
    time_limit: Annotated[
        float, typer.Option(metavar="SECONDS", help="Time for all solves together; what does not fit is left out.")
    ] = 60.0,
    as_json: JsonOption = False,
) -> None:
    """Run the command."""
    from harpagon.cli.views.explanation import explanation_document, explanation_lines
    from harpagon.instances.library.shipped import resolve
    from harpagon.solvers.methods import find_method
    from harpagon.solvers.sensitivity.explain import find_explanation

    solver_options(time_limit, gap=0.0, threads=1, log=False)
    problem = resolve(instance)
    paid = billing or problem.billing
    explanation = find_explanation(problem, paid, dispatch, find_method("exact").dispatch_for(paid), time_limit)
    if as_json:
        show_json(explanation_document(problem, explanation))
    else:
        show(*explanation_lines(problem, explanation))
    if not explanation.feasible:
        raise typer.Exit(ExitCode.NO_PLAN)
