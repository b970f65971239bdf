"""``harpagon headroom``: how much more than the mean rate to plan for when arrivals are random."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harpagon.cli.console import note, show, show_json
from harpagon.cli.exits import ExitCode
from harpagon.cli.inputs import BillingOption, DispatchOption, InstanceArgument, JsonOption, MethodOption
from harpagon.cli.simulation_options import (
    ArrivalsOption,
    DurationOption,
    SeedOption,
    check_load,
    simulated_seconds,
)

if TYPE_CHECKING:
    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan
    from harpagon.instances.policies import Billing, Dispatch
    from harpagon.simulation.headroom import Headroom
    from harpagon.simulation.planner import Planner
    from harpagon.solvers.result import Result

_HELP = """Find the smallest headroom for which a percentile of the latency meets the SLO, in further runs too.

Plans for (1 + headroom) times the rates, rate after rate, each 1 % above the one before, and simulates each plan under
the instance's own rates, paced and unpaced, in as many runs as the confidence asks for. The first plan whose runs all
meet the percentile, and whose prediction bound for one more run does, is the answer.
Prints the headroom, the utilisation 1 / (1 + headroom), what the plan costs, the bound, and the median run.

[bold]Examples[/bold]

  harpagon headroom worked-example --percentile 99 --arrivals poisson

  harpagon headroom traffic.yaml --percentile 99.9 --confidence 99 --arrivals gamma:2 --duration 300 --out plan.json

[bold]Exit codes[/bold]  0 found; 1 no plan, or no headroom up to 800 % meets the percentile; 2 bad input or usage
"""


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("headroom", help=_HELP)(headroom)


def headroom(
    instance: InstanceArgument,
    percentile: Annotated[float, typer.Option(help="Percent of the requests that must meet the SLO.")] = 99.0,
    confidence: Annotated[
        float,
        typer.Option(help="Percent of further runs that are to meet it; 95 takes 19 runs of a plan, 99 takes 99."),
    ] = 95.0,
    arrivals: ArrivalsOption = "poisson",
    duration: DurationOption = None,
    seed: SeedOption = 0,
    method: MethodOption = "exact",
    billing: BillingOption = None,
    dispatch: DispatchOption = None,
    as_json: JsonOption = False,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the plan found to this JSON file.", show_default=False)
    ] = None,
) -> None:
    """Run the command."""
    from harpagon.instances.library.shipped import resolve
    from harpagon.simulation.arrivals.named import parse_arrivals
    from harpagon.simulation.headroom import find_headroom

    _check_percent(percentile, "--percentile")
    _check_percent(confidence, "--confidence")
    problem = resolve(instance)
    process = parse_arrivals(arrivals)
    seconds = simulated_seconds(duration, process)
    check_load(problem, process, seconds)
    planner, results = _planner(method, billing, dispatch)
    found = find_headroom(
        problem,
        planner,
        process,
        percentile=percentile / 100,
        confidence=confidence / 100,
        duration=seconds,
        seed=seed,
    )
    if found is None:
        _report_nothing(problem, percentile, as_json=as_json)
        raise typer.Exit(ExitCode.NO_PLAN)
    _report(found, results[id(found.plan)], percentile, out, as_json=as_json)


def _check_percent(value: float, option: str) -> None:
    """Refuse what is no percentage, and fractions, which would ask for next to nothing."""
    if 0 < value < 1:
        raise typer.BadParameter(
            f"{value:g} would be {value:g} %: percent is meant, write {100 * value:g}", param_hint=option
        )
    if not 0 < value < 100:
        raise typer.BadParameter("give a percentage above 0 and below 100, such as 99", param_hint=option)


def _planner(method: str, billing: Billing | None, dispatch: Dispatch | None) -> tuple[Planner, dict[int, Result]]:
    """A planner by method, and the results of its plans by identity."""
    from harpagon.solvers.methods import solve

    results: dict[int, Result] = {}

    def plan(instance: Instance) -> Plan | None:
        result = solve(instance, method, billing, dispatch)
        results[id(result.plan)] = result
        return result.plan

    return plan, results


def _report_nothing(instance: Instance, percentile: float, *, as_json: bool) -> None:
    if as_json:
        show_json({"instance": instance.name, "percentile": percentile, "headroom": None})
    else:
        show(f"no headroom up to 800 % has a plan whose simulated {percentile:g}th percentile meets the SLO")


def _report(found: Headroom, result: Result, percentile: float, out: Path | None, *, as_json: bool) -> None:
    from harpagon.solvers.certificates import certificate

    if out is not None:
        from harpagon.instances.files.plans import write_plan

        write_plan(out, found.plan, certificate(result))
        note(f"plan written to {out}")
    if as_json:
        from harpagon.instances.files.plans import plan_document
        from harpagon.simulation.document import simulation_document

        show_json(
            {
                "percentile": percentile,
                "headroom": found.headroom,
                "paced": found.paced,
                "runs": len(found.late_shares),
                "late_shares": list(found.late_shares),
                "bound": found.bound,
                "plan": plan_document(found.plan, certificate(result)),
                "simulation": simulation_document(found.report),
            }
        )
    else:
        from rich.text import Text

        from harpagon.cli.views.simulation import simulation_view

        show(
            Text.assemble(
                (f"headroom {found.headroom:.1%}", "bold"),
                f"  utilisation {1 / (1 + found.headroom):.1%}, ${found.plan.cost:.4f}/h for p{percentile:g} within "
                f"the SLO, {'paced' if found.paced else 'unpaced'}",
            ),
            f"{len(found.late_shares)} runs: {max(found.late_shares):.3%} of the results late at most; "
            f"a further run stays within {found.bound:.3%}",
            *simulation_view(found.report),
        )
