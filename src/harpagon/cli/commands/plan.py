"""``harpagon plan``: the cheapest plan of one instance, drawn, with its certificate."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harpagon.cli.console import note, show, show_json, terminal_width
from harpagon.cli.exits import ExitCode
from harpagon.cli.files import FigureOption, require_figure
from harpagon.cli.inputs import (
    BillingOption,
    DispatchOption,
    GapOption,
    InstanceArgument,
    JsonOption,
    LogOption,
    MethodOption,
    PluginOption,
    ThreadsOption,
    TimeLimitOption,
    load_plugins,
    solver_options,
)
from harpagon.cli.safeguards import with_headroom

if TYPE_CHECKING:
    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan
    from harpagon.instances.policies import Billing, Dispatch
    from harpagon.solvers.options import SolverOptions
    from harpagon.solvers.result import Result

_HELP = """Plan an instance: GPU type, batch size and number of machines for every module, for the least money.

Prints each pipeline as boxes and lines. A box shows the module's cost ($/h), its rate (req/s), its tuples in dispatch
order (machines x type and batch size, rate, worst-case latency) and its latency against the budget that the path
leaves it. Below stands the certificate: why the method stopped, the cost that no plan undercuts, and the gap.

[bold]Examples[/bold]

  harpagon plan worked-example

  harpagon plan traffic.yaml --billing fractional --method harpagon

  harpagon plan traffic.yaml --json --out plan.json

  harpagon plan traffic.yaml --figure plan.svg

  harpagon plan traffic.yaml --headroom 0.2

  harpagon plan traffic.yaml --arrivals trace.csv

  harpagon plan traffic.yaml --spare 1

  harpagon plan fleet.yaml --start plan.json --time-limit 60

[bold]Exit codes[/bold]  0 planned; 1 no plan, and why; 2 bad input or usage
"""


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("plan", help=_HELP)(plan)


def plan(
    instance: InstanceArgument,
    method: MethodOption = "exact",
    plugin: PluginOption = None,
    billing: BillingOption = None,
    dispatch: DispatchOption = None,
    time_limit: TimeLimitOption = None,
    gap: GapOption = 0.0,
    threads: ThreadsOption = 1,
    log: LogOption = False,
    start: Annotated[
        Path | None,
        typer.Option(
            metavar="PLAN",
            help="Start an exact method from this plan file; the certificate says whether it was used.",
            show_default=False,
        ),
    ] = None,
    headroom: Annotated[
        float,
        typer.Option(
            metavar="FRACTION",
            help="Plan for (1 + FRACTION) times every rate, a utilisation of 1 / (1 + FRACTION); `harpagon headroom` "
            "finds the smallest that random arrivals need.",
        ),
    ] = 0.0,
    arrivals: Annotated[
        str | None,
        typer.Option(
            metavar="TRACE",
            help="Plan for a recorded trace in the place of rate and burst: the cheapest plan that keeps the objective "
            "for every request of it, proven. Trace files: see `harpagon simulate --help`.",
            show_default=False,
        ),
    ] = None,
    spare: Annotated[
        int,
        typer.Option(min=0, metavar="K", help="Keep every result in time with any K machines of every module lost."),
    ] = 0,
    as_json: JsonOption = False,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the plan to this JSON file.", show_default=False)
    ] = None,
    figure: FigureOption = None,
) -> None:
    """Run the command."""
    from harpagon.instances.library.shipped import resolve

    load_plugins(plugin)
    options = solver_options(time_limit, gap, threads, log)
    require_figure(figure)
    given = resolve(instance)
    problem = with_headroom(given, headroom).with_spare(spare)
    if start is not None:
        options = replace(options, start=_read_start(start, problem))
    if arrivals is not None and headroom:
        raise typer.BadParameter("a trace says which rate to plan for: leave out --headroom", param_hint="--arrivals")
    result, interrupted = _solve(problem, method, billing, dispatch, options, arrivals)
    if arrivals is not None:
        problem = _as_promised(problem, result.plan)
    if (headroom or spare) and result.plan is not None:
        made = replace(result.plan, headroom=headroom, instance_digest=given.digest())
        result = replace(result, plan=made)
    if result.plan is None and interrupted:
        raise KeyboardInterrupt
    if result.plan is None:
        _report_no_plan(problem, result, billing or problem.billing, dispatch, options.time_limit, as_json=as_json)
        raise typer.Exit(ExitCode.NO_PLAN)
    _write_files(problem, result, result.plan, out, figure)
    if as_json:
        _print_json(result, result.plan)
    else:
        _draw(problem, result, result.plan)
    if interrupted:
        note("interrupted: this is the best plan so far")
        raise typer.Exit(ExitCode.INTERRUPTED)


def _as_promised(instance: Instance, plan: Plan | None) -> Instance:
    """The instance at the rate that a plan for a trace is made for, to be drawn."""
    if plan is None or plan.pipelines[0].promise is None:
        return instance
    return replace(instance, pipelines=(replace(instance.pipelines[0], rate=plan.pipelines[0].promise.rate),))


def _solve(
    instance: Instance,
    method: str,
    billing: Billing | None,
    dispatch: Dispatch | None,
    options: SolverOptions,
    arrivals: str | None,
) -> tuple[Result, bool]:
    """What the method holds, and whether Ctrl-C stopped it."""
    from harpagon.cli.views.progress import solve_progress
    from harpagon.solvers.methods import solve
    from harpagon.solvers.result import SolveInterrupted

    if arrivals is not None:
        from harpagon.simulation.recorded import plan_for_trace

        return plan_for_trace(instance, arrivals, method, billing, dispatch, options), False

    with solve_progress() as progress:
        try:
            return solve(instance, method, billing, dispatch, replace(options, progress=progress)), False
        except SolveInterrupted as interruption:
            return interruption.result, True


def _read_start(path: Path, instance: Instance) -> Plan:
    from harpagon.instances.files.plans import read_plan

    return read_plan(path, instance)


def _draw(instance: Instance, result: Result, plan: Plan) -> None:
    from harpagon.cli.views.certificate import certificate_view
    from harpagon.cli.views.plan import plan_view

    show(*plan_view(instance, plan, terminal_width()), *certificate_view(instance, result, plan))


def _write_files(instance: Instance, result: Result, plan: Plan, out: Path | None, figure: Path | None) -> None:
    if out is not None:
        from harpagon.instances.files.plans import write_plan
        from harpagon.solvers.certificates import certificate

        write_plan(out, plan, certificate(result))
        note(f"plan written to {out}")
    if figure is not None:
        from harpagon.evaluation.plotting.plan import draw_plan

        draw_plan(instance, plan, figure)
        note(f"figure written to {figure}")


def _print_json(result: Result, plan: Plan) -> None:
    from harpagon.instances.files.plans import plan_document
    from harpagon.solvers.certificates import certificate

    show_json(plan_document(plan, certificate(result)))


def _report_no_plan(
    instance: Instance,
    result: Result,
    billing: Billing,
    dispatch: Dispatch | None,
    time_limit: float | None,
    *,
    as_json: bool,
) -> None:
    """Say why there is no plan: the explanation of ``harpagon explain`` under the method's dispatch policy."""
    from harpagon.cli.views.certificate import no_plan_document, no_plan_view
    from harpagon.cli.views.explanation import explanation_document, explanation_lines
    from harpagon.solvers.methods import find_method
    from harpagon.solvers.sensitivity.explain import SECONDS, find_explanation

    usual = find_method(result.method).dispatch_for(billing)
    seconds = min(SECONDS, time_limit or SECONDS)
    explanation = find_explanation(instance, billing, dispatch, usual, seconds)
    if as_json:
        show_json(no_plan_document(instance, result) | {"explanation": explanation_document(instance, explanation)})
    else:
        show(no_plan_view(result), *explanation_lines(instance, explanation))
