"""``harpagon explain``: why there is no plan, or which path binds."""

from __future__ import annotations

import typer

from harpagon.cli.console import show, show_json
from harpagon.cli.exits import ExitCode
from harpagon.cli.inputs import BillingOption, DispatchOption, InstanceArgument, JsonOption

_HELP = """Say why an instance has no plan, or which path binds the plan it has.

Without a plan: the path that cannot meet its SLO, its smallest reachable latency (ms), by how much it misses, and the
smallest SLO, in steps of 0.1 ms, that makes the instance feasible, re-checked by solving. Enough machines bring a
module near its shortest batch duration, but never to it; under round-robin twice that duration is the least.

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
    as_json: JsonOption = False,
) -> None:
    """Run the command."""
    from harpagon.cli.explanation_view import explanation_document, explanation_lines
    from harpagon.evaluation.explanation import explain as find_reasons
    from harpagon.instances.policies import Dispatch
    from harpagon.instances.shipped import resolve

    problem = resolve(instance)
    explanation = find_reasons(problem, billing or problem.billing, dispatch or Dispatch.TC)
    if as_json:
        show_json(explanation_document(problem, explanation))
    else:
        show(*explanation_lines(problem, explanation))
    if not explanation.feasible:
        raise typer.Exit(ExitCode.NO_PLAN)
